//! `derive(Reject)`: codes and statuses.

use factum::{Reject as _, RejectCase, prelude::*};

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
enum Refusal {
    #[error("plain")]
    NotToday,
    #[error("{0}")]
    #[reject(404)]
    NoCourse(u32),
    #[error("full: {seats}")]
    #[reject(410, code = "course-full")]
    Full { seats: u32 },
    #[error("named")]
    #[reject(code = "named")]
    Renamed,
    #[error(transparent)]
    #[reject(transparent)]
    Inner(#[from] Gone),
}

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
#[error("gone")]
#[reject(410)]
struct Gone;

#[derive(Debug, thiserror::Error, Reject)]
enum Nobody {}

#[test]
fn a_code_is_the_variant_and_a_status_is_409_unless_said() {
    let answers = [
        (Refusal::NotToday, "not-today", 409),
        (Refusal::NoCourse(1), "no-course", 404),
        (Refusal::Full { seats: 1 }, "course-full", 410),
        (Refusal::Renamed, "named", 409),
        (Refusal::Inner(Gone), "gone", 410),
    ];
    for (refusal, code, status) in answers {
        assert_eq!((refusal.code(), refusal.status()), (code, status));
    }
    assert!(None::<Nobody>.is_none_or(|nobody| nobody.code().is_empty()));
}

#[test]
fn every_code_is_known_beforehand_with_its_status() {
    let cases =
        |cases: Vec<RejectCase>| cases.iter().map(|case| (case.code, case.status)).collect::<Vec<_>>();
    let all = [("not-today", 409), ("no-course", 404), ("course-full", 410), ("named", 409), ("gone", 410)];
    assert_eq!(cases(Refusal::cases()), all);
    assert_eq!((cases(Gone::cases()), cases(Nobody::cases())), (vec![("gone", 410)], vec![]));
}

#[test]
fn a_bare_code_is_a_rejection() {
    let refused = Refused::from("overdrawn");
    assert_eq!(
        (refused.code(), refused.status(), refused.to_string().as_str()),
        ("overdrawn", 409, "overdrawn")
    );
}

#[test]
fn ensure_converts_as_a_question_mark_does() {
    fn decide(open: bool, full: bool) -> Result<u32, Refusal> {
        ensure!(open, Gone);
        ensure!(!full, Refusal::Full { seats: 1 });
        Ok(1)
    }
    assert_eq!(decide(false, false), Err(Refusal::Inner(Gone)));
    assert_eq!(decide(true, true), Err(Refusal::Full { seats: 1 }));
    assert_eq!(decide(true, false), Ok(1));
}
