//! Decisions that overlap in part: neither writes what only itself reads, and both must not win.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::{L5, L6},
        case::Case,
        checks::races::contest,
        draft::{fact, item, stream, tagged, typed},
        race::ROUNDS,
    },
};
use factum_event::{Condition, Expected, NewEvent, Position, Query};

checks! {
    crossing_decisions_do_not_both_win: [L6] needs [GlobalConditions];
    crossing_streams_do_not_both_win: [L5] needs [];
    a_type_and_a_tag_over_one_event_do_not_both_win: [L6] needs [GlobalConditions];
    overlapping_types_do_not_both_win: [L6] needs [GlobalConditions];
    overlapping_tags_do_not_both_win: [L6] needs [GlobalConditions];
    a_boundary_of_two_tags_has_one_winner: [L6] needs [GlobalConditions];
    a_category_and_a_stream_do_not_both_win: [L6] needs [GlobalConditions];
}

type Side = (Query, NewEvent);

/// Two decide at once from what stands at the head; each is told where the other stands if it loses. They
/// change places from round to round, since one place is the quicker one.
fn duel(case: &Case<'_>, what: &str, sides: impl Fn(&str) -> [Side; 2]) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("other", "noted", &[])]))?;
    for round in 0..2 * ROUNDS {
        let sides = sides(&round.to_string());
        let read = log.head()?.position;
        let verdicts = contest(&log, sides.len(), |nth| {
            let (query, event) = sides[(nth + round) % sides.len()].clone();
            (case.commit([event]), Condition::none().fresh(query, read))
        })?;
        let position = read.next();
        let won = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        let told = verdicts.contains(&Err(AppendError::Stale { position }));
        let expected = format!("one to win, and the other to be told of {position}");
        L6.holds(won == 1 && told, format!("raced: {what}"), expected, &verdicts)?;
    }
    Ok(())
}

fn crossing_decisions_do_not_both_win(case: &Case<'_>) -> Result<(), Failure> {
    duel(case, "one reads x and writes y, the other reads y and writes x", |round| {
        let (x, y) = (format!("x:{round}"), format!("y:{round}"));
        [(tagged(&[&x]), fact("ward-1", "left", &[&y])), (tagged(&[&y]), fact("ward-2", "left", &[&x]))]
    })
}

fn crossing_streams_do_not_both_win(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..2 * ROUNDS {
        let homes = [format!("x-{round}"), format!("y-{round}")];
        let verdicts = contest(&log, 2, |nth| {
            let expected = Condition::none().stream(stream(&homes[nth]), Expected::NoStream);
            (case.commit([fact(&homes[1 - nth], "left", &[])]), expected)
        })?;
        let won = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        L5.same("raced: one expects stream x empty and writes y, the other the reverse: winners", 1, won)?;
    }
    Ok(())
}

fn a_type_and_a_tag_over_one_event_do_not_both_win(case: &Case<'_>) -> Result<(), Failure> {
    duel(case, "one guards a type, the other a tag, and both write an event with both", |round| {
        let (kind, tag) = (format!("enrolled.{round}"), format!("course:{round}"));
        let event = fact("campus", &kind, &[&tag]);
        [(typed(&[&kind]), event.clone()), (tagged(&[&tag]), event)]
    })
}

fn overlapping_types_do_not_both_win(case: &Case<'_>) -> Result<(), Failure> {
    duel(case, "guards of types a or b, and of b or c; both write b", |round| {
        let [a, b, c] = ["a", "b", "c"].map(|name| format!("{name}.{round}"));
        let event = fact("campus", &b, &[]);
        [(typed(&[&a, &b]), event.clone()), (typed(&[&b, &c]), event)]
    })
}

fn overlapping_tags_do_not_both_win(case: &Case<'_>) -> Result<(), Failure> {
    duel(case, "guards of course or student, and of course or teacher; both write all", |round| {
        let [course, student, teacher] =
            ["course", "student", "teacher"].map(|name| format!("{name}:{round}"));
        let either = |one: &str, other: &str| Query::Items(vec![item(&[], &[one]), item(&[], &[other])]);
        [
            (either(&student, &course), fact("campus", "enrolled", &[&student, &course])),
            (either(&teacher, &course), fact("campus", "assigned", &[&teacher, &course])),
        ]
    })
}

fn a_boundary_of_two_tags_has_one_winner(case: &Case<'_>) -> Result<(), Failure> {
    duel(case, "both guard course and student together, and write both in another order", |round| {
        let (course, student) = (format!("course:{round}"), format!("student:{round}"));
        [
            (tagged(&[&course, &student]), fact("campus", "enrolled", &[&student, &course])),
            (tagged(&[&student, &course]), fact("campus", "enrolled", &[&course, &student])),
        ]
    })?;
    let log = case.open();
    log.put(
        case.commit([fact("campus", "enrolled", &["course:1"]), fact("campus", "joined", &["student:1"])]),
    )?;
    let both = Condition::none().fresh(tagged(&["course:1", "student:1"]), Position::START);
    let verdict = log.attempt(case.commit([fact("campus", "noted", &[])]), both)?;
    L6.holds(verdict.is_ok(), "guarded two tags that no event has together", "it to hold", &verdict)
}

fn a_category_and_a_stream_do_not_both_win(case: &Case<'_>) -> Result<(), Failure> {
    use crate::conformance::draft::{of_category, of_stream};
    duel(case, "one guards a category, the other a stream of it; both write to it", |round| {
        let (category, home) = (format!("ward{round}"), format!("ward{round}-1"));
        let event = fact(&home, "left", &[]);
        [(of_category(&category), event.clone()), (of_stream(&home), event)]
    })
}
