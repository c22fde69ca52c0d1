//! Versions of one event: each upcaster goes one version on, the last one to the enum, whatever the name.

use crate::campus::{ANN, COURSE, CourseId, StudentId, enrolled, old};
use factum::{DecodeError, Event as _, EventSet, prelude::*};
use serde::Deserialize;

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course, tags(course, student))]
enum Grown {
    #[event(was("campus.signed-up"), version = 3, upcast(v1_to_v2, v2_to_grown))]
    Enrolled { course: CourseId, student: StudentId, via: String },
    #[event(version = 2, upcast(strays))]
    Moved { course: CourseId },
}

#[derive(Deserialize)]
struct V1 {
    course: CourseId,
    pupil: StudentId,
}
#[derive(Deserialize)]
struct V2 {
    course: CourseId,
    student: StudentId,
}

fn v1_to_v2(V1 { course, pupil }: V1) -> V2 {
    V2 { course, student: pupil }
}

fn v2_to_grown(V2 { course, student }: V2) -> Grown {
    Grown::Enrolled { course, student, via: "desk".to_owned() }
}

fn strays(old: V2) -> Grown {
    v2_to_grown(old)
}

fn grown(via: &str) -> Grown {
    Grown::Enrolled { course: COURSE, student: ANN, via: via.to_owned() }
}

#[test]
fn an_event_is_written_at_its_last_version() {
    assert_eq!(grown("web").to_new().version, 3);
    assert_eq!(Grown::TYPES[0].version, 3);
}

#[test]
fn old_versions_read_under_old_and_new_names() {
    for name in ["campus.enrolled", "campus.signed-up"] {
        let read = |version, payload| Grown::decode(&old(&enrolled(ANN), name, version, payload));
        assert_eq!(read(1, r#"{"course":1,"pupil":10}"#), Ok(Some(grown("desk"))));
        assert_eq!(read(2, r#"{"course":1,"student":10}"#), Ok(Some(grown("desk"))));
        assert_eq!(read(3, r#"{"course":1,"student":10,"via":"web"}"#), Ok(Some(grown("web"))));
        assert!(matches!(read(4, "{}"), Err(DecodeError::Newer { found: 4, known: 3, .. })));
    }
}

#[test]
fn an_upcaster_that_makes_another_event_is_found_out() {
    let record = old(&enrolled(ANN), "campus.moved", 1, r#"{"course":1,"student":10}"#);
    let error = Grown::decode(&record).unwrap_err();
    assert!(matches!(error, DecodeError::Upcast { variant: "Moved", .. }), "{error}");
    assert!(error.to_string().contains("let it return `Moved`"), "{error}");
}
