//! Limits: what is at a bound is stored and read back, what is over it is refused and leaves nothing.

use crate::{
    Append, AppendError,
    conformance::{
        Failure,
        Promise::L12,
        case::Case,
        draft::{fact, item, kind, of_category, rejected, stream, tag, tagged, tracking, typed},
        log::Log,
    },
};
use factum_event::{
    Codec, CommandName, CommandPayload, Condition, Expected, NewCommit, NewEvent, Outcome, Position, Query,
    limits::{
        COMMAND_BYTES_MAX, COMMIT_BYTES_MAX, COMMITS_PER_APPEND_MAX, CONDITION_STREAMS_MAX, EVENT_BYTES_MAX,
        EVENTS_PER_COMMIT_MAX, HEADER_BYTES_MAX, HEADERS_MAX, LABEL_BYTES_MAX, QUERY_ITEMS_MAX,
        REASON_BYTES_MAX, STREAM_NAME_BYTES_MAX, TAG_BYTES_MAX, TAGS_PER_EVENT_MAX, TYPE_NAME_BYTES_MAX,
    },
};

checks! {
    bounds_of_an_event_are_held: [L12] needs [];
    bounds_of_a_command_are_held: [L12] needs [];
    bounds_of_an_outcome_are_held: [L12] needs [];
    bounds_of_a_commit_are_held: [L12] needs [];
    bounds_of_a_condition_are_held: [L12] needs [];
    bounds_of_a_batch_are_held: [L12] needs [];
    what_contradicts_itself_is_refused: [L12] needs [];
}

type Shape = fn(&mut NewCommit, usize);

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn taken(log: &Log, what: &str, commit: NewCommit, condition: Condition) -> Result<(), Failure> {
    let (id, events) = (commit.command.id, commit.events.len());
    let verdict = log.attempt(commit, condition)?;
    L12.holds(verdict.is_ok(), format!("appended {what} at its bound"), "it to be stored", &verdict)?;
    let came: Vec<_> = log.commits_of(id)?.iter().map(|commit| commit.events.len()).collect();
    L12.same(format!("read back {what} at its bound"), vec![events], came)
}

/// Refused for what the commit itself says is wrong with it.
fn refused(log: &Log, what: &str, commit: NewCommit) -> Result<(), Failure> {
    let error = commit.check().expect_err(what);
    log.refused(L12, commit, Condition::none(), AppendError::Invalid(error))
}

/// Each shape is taken at its bound and refused one over it.
fn bounds(case: &Case<'_>, shapes: &[(&str, usize, Shape)]) -> Result<(), Failure> {
    let log = case.open();
    for (what, bound, shape) in shapes {
        let mut at = case.commit([fact("order-1", "placed", &["a"])]);
        shape(&mut at, *bound);
        taken(&log, what, at, Condition::none())?;
        let mut over = case.commit([fact("order-1", "placed", &["a"]), fact("order-2", "placed", &["a"])]);
        shape(&mut over, bound + 1);
        refused(&log, what, over)?;
    }
    Ok(())
}

/// The last event, so that what comes before it is in order.
fn last(commit: &mut NewCommit) -> &mut NewEvent {
    commit.events.last_mut().expect("these commits have events")
}

fn bounds_of_an_event_are_held(case: &Case<'_>) -> Result<(), Failure> {
    bounds(
        case,
        &[
            ("a stream name", STREAM_NAME_BYTES_MAX, |commit, size| {
                last(commit).stream = stream(&text(size))
            }),
            ("an event type", TYPE_NAME_BYTES_MAX, |commit, size| {
                last(commit).event_type = kind(&text(size))
            }),
            ("a tag", TAG_BYTES_MAX, |commit, size| last(commit).tags.push(tag(&text(size)))),
            ("an event's tags", TAGS_PER_EVENT_MAX, |commit, size| {
                last(commit).tags = (0..size).map(|nth| tag(&nth.to_string())).collect();
            }),
            ("an event's payload", EVENT_BYTES_MAX, |commit, size| {
                last(commit).payload = vec![0; size].into()
            }),
        ],
    )
}

fn bounds_of_a_command_are_held(case: &Case<'_>) -> Result<(), Failure> {
    bounds(
        case,
        &[
            ("a command name", TYPE_NAME_BYTES_MAX, |commit, size| {
                commit.command.name = CommandName::unchecked(text(size));
            }),
            ("a command's payload", COMMAND_BYTES_MAX, |commit, size| {
                let data = vec![0; size].into();
                commit.command.payload = CommandPayload::Inline { codec: Codec::RAW, version: 1, data };
            }),
            ("an actor", LABEL_BYTES_MAX, |commit, size| {
                commit.command.metadata.actor = Some(text(size).into());
            }),
            ("a tenant", LABEL_BYTES_MAX, |commit, size| {
                commit.command.metadata.tenant = Some(text(size).into());
            }),
            ("a command's headers", HEADERS_MAX, |commit, size| {
                commit.command.metadata.headers = (0..size).map(|_| ("a".into(), "b".into())).collect();
            }),
            ("a header's name", HEADER_BYTES_MAX, |commit, size| {
                commit.command.metadata.headers = vec![(text(size).into(), "b".into())];
            }),
            ("a header's value", HEADER_BYTES_MAX, |commit, size| {
                commit.command.metadata.headers = vec![("a".into(), text(size).into())];
            }),
        ],
    )
}

fn without_events(commit: &mut NewCommit, outcome: Outcome) {
    commit.events.clear();
    commit.outcome = outcome;
}

fn bounds_of_an_outcome_are_held(case: &Case<'_>) -> Result<(), Failure> {
    bounds(
        case,
        &[
            ("a rejection's code", LABEL_BYTES_MAX, |commit, size| {
                without_events(commit, rejected());
                if let Outcome::Rejected(rejection) = &mut commit.outcome {
                    rejection.code = text(size);
                }
            }),
            ("a rejection's reason", REASON_BYTES_MAX, |commit, size| {
                without_events(commit, rejected());
                if let Outcome::Rejected(rejection) = &mut commit.outcome {
                    rejection.reason = text(size);
                }
            }),
            ("a failure's cause", REASON_BYTES_MAX, |commit, size| {
                without_events(commit, Outcome::Failed { cause: text(size), by: "ann".to_owned() });
            }),
            ("who gave up", LABEL_BYTES_MAX, |commit, size| {
                without_events(commit, Outcome::Failed { cause: String::new(), by: text(size) });
            }),
            ("a parking's cause", REASON_BYTES_MAX, |commit, size| {
                without_events(commit, Outcome::Parked { cause: text(size) });
            }),
        ],
    )
}

/// Events of one byte in stream, type and payload, the last with what is left of `size`.
fn of_size(case: &Case<'_>, size: usize) -> NewCommit {
    let blob = |bytes: usize| NewEvent { payload: vec![0; bytes].into(), ..fact("s", "t", &[]) };
    let mut events: Vec<_> = (0..4).map(|_| blob(COMMIT_BYTES_MAX / 4 - 2)).collect();
    events[0].payload = vec![0; COMMIT_BYTES_MAX / 4 - 12].into();
    events.push(blob(size - COMMIT_BYTES_MAX + 8));
    case.commit_all(events)
}

fn bounds_of_a_commit_are_held(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let many = |count| case.commit_all((0..count).map(|_| fact("order-1", "placed", &[])).collect());
    refused(&log, "events", many(EVENTS_PER_COMMIT_MAX + 1))?;
    taken(&log, "a commit, in events,", many(EVENTS_PER_COMMIT_MAX), Condition::none())?;
    let log = case.open();
    refused(&log, "bytes", of_size(case, COMMIT_BYTES_MAX + 1))?;
    taken(&log, "a commit, in bytes,", of_size(case, COMMIT_BYTES_MAX), Condition::none())
}

fn bounds_of_a_condition_are_held(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let none = Condition::none;
    let streams = |count: usize| {
        let names = (0..count).map(|nth| stream(&format!("free-{nth}")));
        names.fold(none(), |condition, name| condition.stream(name, Expected::NoStream))
    };
    let items =
        |count: usize| -> Query { (0..count).map(|nth| item(&[&nth.to_string()], &["free"])).collect() };
    let conditions = |over: usize| {
        [
            ("streams", streams(CONDITION_STREAMS_MAX + over)),
            ("fresh items", none().fresh(items(QUERY_ITEMS_MAX + over), Position::START)),
            ("absent items", none().absent(items(QUERY_ITEMS_MAX + over))),
            ("a stream name", none().stream(stream(&text(STREAM_NAME_BYTES_MAX + over)), Expected::Any)),
            ("a fresh tag", none().fresh(tagged(&[&text(TAG_BYTES_MAX + over)]), Position::START)),
            ("an absent type", none().absent(typed(&[&text(TYPE_NAME_BYTES_MAX + over)]))),
            ("an absent category", none().absent(of_category(&text(STREAM_NAME_BYTES_MAX + over)))),
            ("a source", none().tracking(tracking(&text(LABEL_BYTES_MAX + over), 1))),
        ]
    };
    for (what, condition) in conditions(0) {
        taken(&log, what, case.commit([fact("order-1", "placed", &[])]), condition)?;
    }
    let unnamed = [
        ("an empty stream name", none().stream(stream(""), Expected::NoStream)),
        ("a control character in a tag", none().fresh(tagged(&["a\u{7}"]), Position::START)),
        ("an empty type", none().absent(typed(&["placed", ""]))),
        ("an empty source", none().tracking(tracking("", 1))),
    ];
    for (what, condition) in conditions(1).into_iter().chain(unnamed) {
        let error = AppendError::InvalidCondition(condition.check().expect_err(what));
        log.refused(L12, case.commit([fact("order-1", "placed", &[])]), condition, error)?;
    }
    Ok(())
}

fn bounds_of_a_batch_are_held(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let batch = |count: usize| (0..count).map(|_| (case.commit([]), Condition::none())).collect();
    let error = Append::check_batch(COMMITS_PER_APPEND_MAX + 1).expect_err("it is over the bound");
    let verdicts = log.append(batch(COMMITS_PER_APPEND_MAX + 1))?;
    let other = verdicts.into_iter().find(|verdict| verdict.as_ref() != Err(&error));
    L12.holds(other.is_none(), "appended a batch over its bound", format!("each {error:?}"), &other)?;
    L12.same("asked for the head after it", 0, log.head()?.sequence.get())?;
    let verdicts = log.append(batch(COMMITS_PER_APPEND_MAX))?;
    let refused = verdicts.into_iter().find(Result::is_err);
    L12.holds(refused.is_none(), "appended a batch at its bound", "each to be stored", &refused)
}

fn what_contradicts_itself_is_refused(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let event = || fact("order-1", "placed", &["a"]);
    let with = |change: fn(&mut NewCommit)| {
        let mut commit = case.commit([event(), event()]);
        change(&mut commit);
        commit
    };
    for (what, commit) in [
        ("no events with an outcome that has some", case.outcome(Outcome::Succeeded)),
        ("events with a rejection", with(|commit| commit.outcome = rejected())),
        ("events with nothing to do", with(|commit| commit.outcome = Outcome::Nothing)),
        ("events with a parking", with(|commit| commit.outcome = Outcome::Parked { cause: String::new() })),
        ("schema version 0", with(|commit| commit.events[1].version = 0)),
        ("an empty stream name", with(|commit| commit.events[1].stream = stream(""))),
        ("an empty type", with(|commit| commit.events[1].event_type = kind(""))),
        ("an empty tag", with(|commit| commit.events[1].tags.push(tag("")))),
        ("a control character in a tag", with(|commit| commit.events[1].tags.push(tag("a\n")))),
        ("a control character in a stream", with(|commit| commit.events[1].stream = stream("a\0"))),
        ("an empty command name", with(|commit| commit.command.name = CommandName::unchecked(""))),
        ("an empty actor", with(|commit| commit.command.metadata.actor = Some("".into()))),
    ] {
        refused(&log, what, commit)?;
    }
    L12.same("read what the refused commits left", Vec::new(), log.all()?)
}
