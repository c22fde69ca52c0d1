//! Owns given/when/then: a decision tested over events, without a log. Events pass through their stored
//! form on the way in, as a store would give them back.

use crate::{Boundary, Context, Decide, Decision, Event, IntoEvents, Models, Reject, nothing};
use factum_event::{
    CommandId, CommandName, CommitHeader, CorrelationId, EventId, Metadata, NewEvent, Position,
    RecordedEvent, Revision, Sequence, Timestamp,
};
use std::{
    fmt::{self, Debug},
    sync::Arc,
};
use uuid::Uuid;

/// What has happened, and who asks when. [`given`] begins one.
#[derive(Clone, Debug, Default)]
#[must_use = "a test begins with `.when(command)`"]
pub struct Given {
    log: Vec<RecordedEvent>,
    shown: Vec<String>,
    now: Timestamp,
    metadata: Metadata,
}

/// These events have happened, in this order.
pub fn given<E: Event + Debug>(events: impl IntoIterator<Item = E>) -> Given {
    given_nothing().and(events)
}

/// Nothing has happened yet.
pub fn given_nothing() -> Given {
    Given::default()
}

impl Given {
    /// These events as well, perhaps of another context.
    pub fn and<E: Event + Debug>(mut self, events: impl IntoIterator<Item = E>) -> Self {
        for event in events {
            self.shown.push(shown(&event));
            let record = self.record(event.to_new());
            self.log.push(record);
        }
        self
    }

    /// From here on it is `now`: for the events that follow, and for the decision.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// From here on `actor` asks: for what led to the events that follow, and for the decision.
    pub fn actor(mut self, actor: &str) -> Self {
        self.metadata.actor = Some(actor.into());
        self
    }

    /// The command is decided.
    ///
    /// # Panics
    /// When a given event does not read back from its stored form.
    #[track_caller]
    pub fn when<D: Decide>(self, command: D) -> When<D> {
        let keys = command.keys();
        let (mut boundaries, mut models) = (Vec::new(), D::Models::start(&keys));
        D::Models::boundaries(&keys, &mut boundaries);
        for (at, boundary) in boundaries.iter().enumerate() {
            for record in self.select(boundary) {
                if let Err(cause) = models.fold(at, record) {
                    panic!("a given event does not read back from its stored form: {cause}");
                }
            }
        }
        let context = Context::new(self.command_id(), self.now, &self.metadata);
        let got = command.decide(&models, &context);
        When { given: self.shown, models, got }
    }

    fn select(&self, boundary: &Boundary) -> impl Iterator<Item = &RecordedEvent> {
        let matching: Vec<_> = self
            .log
            .iter()
            .filter(|record| boundary.item.matches(&record.event_type, &record.tags, &record.stream))
            .collect();
        let from = if boundary.last_only { matching.len().saturating_sub(1) } else { 0 };
        matching.into_iter().skip(from)
    }

    /// Each event is a commit of its own, and the decision comes after them.
    fn command_id(&self) -> CommandId {
        CommandId::new(Uuid::from_u128(self.log.len() as u128 + 1))
    }

    fn record(&self, new: NewEvent) -> RecordedEvent {
        let (command_id, place) = (self.command_id(), self.log.len() as u64 + 1);
        let revision = self.log.iter().filter(|record| record.stream == new.stream).count() as u64;
        let commit = CommitHeader {
            sequence: Sequence::new(place),
            recorded_at: self.now,
            command_id,
            command_name: CommandName::unchecked("given"),
            issued_at: self.now,
            metadata: Metadata { correlation: Some(CorrelationId::of(command_id)), ..self.metadata.clone() },
        };
        RecordedEvent {
            position: Position::new(place),
            id: new.id.unwrap_or(EventId::derived(command_id, 0)),
            stream: new.stream,
            revision: Revision::new(revision),
            event_type: new.event_type,
            version: new.version,
            codec: new.codec,
            tags: new.tags,
            payload: new.payload,
            effective_at: new.effective_at.unwrap_or(self.now),
            corrects: new.corrects,
            commit: Arc::new(commit),
        }
    }
}

/// What was decided. One of the `then`s looks at it.
#[must_use = "nothing is checked before `.then(..)`, `.then_rejected(..)` or `.then_nothing()`"]
pub struct When<D: Decide> {
    given: Vec<String>,
    models: D::Models,
    got: Decision<D>,
}

impl<D: Decide> When<D> {
    /// Exactly these events happen: one, an array, a `Vec`, or facts.
    ///
    /// # Panics
    /// When anything else was decided.
    #[track_caller]
    pub fn then(self, events: impl IntoEvents<D::Event>)
    where
        D::Event: Debug + PartialEq,
    {
        let expected = events.into_events();
        if !matches!(&self.got, Ok(got) if *got == expected) {
            self.fail(&Ok(expected));
        }
    }

    /// There is nothing to do.
    ///
    /// # Panics
    /// When anything else was decided.
    #[track_caller]
    pub fn then_nothing(self)
    where
        D::Event: Debug + PartialEq,
    {
        if !matches!(&self.got, Ok(got) if got.is_empty()) {
            self.fail(&nothing());
        }
    }

    /// The domain says no, for this reason.
    ///
    /// # Panics
    /// When anything else was decided.
    #[track_caller]
    pub fn then_rejected(self, why: D::Rejection)
    where
        D::Event: Debug,
        D::Rejection: PartialEq,
    {
        if !matches!(&self.got, Err(got) if *got == why) {
            self.fail(&Err(why));
        }
    }

    /// # Panics
    /// Always: this is what a failing test prints.
    #[track_caller]
    fn fail(&self, expected: &Decision<D>) -> !
    where
        D::Event: Debug,
    {
        let mut given = String::new();
        for (at, event) in self.given.iter().enumerate() {
            given.push_str(&section(&format!("given {}", at + 1), event));
        }
        panic!(
            "the command decided something else\n{}{}{}{given}",
            section("expected", &shown_decision::<D>(expected)),
            section("got", &shown_decision::<D>(&self.got)),
            section("state", &shown(&self.models)),
        )
    }
}

impl<D: Decide> Debug for When<D>
where
    D::Event: Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("When").field("got", &self.got).field("models", &self.models).finish_non_exhaustive()
    }
}

fn shown_decision<D: Decide>(decision: &Decision<D>) -> String
where
    D::Event: Debug,
{
    match decision {
        Ok(events) if events.is_empty() => "nothing".to_owned(),
        Ok(events) => events.facts().iter().map(shown).collect::<Vec<_>>().join("\n"),
        Err(why) => format!("rejected: {}\n{} {}: {why}", shown(why), why.status(), why.code()),
    }
}

/// On one line where it fits.
fn shown(value: &impl Debug) -> String {
    let line = format!("{value:?}");
    if line.len() <= LINE_CHARS_MAX { line } else { format!("{value:#?}") }
}

fn section(name: &str, text: &str) -> String {
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        let name = if at == 0 { name } else { "" };
        out.push_str(&format!("  {name:<10}{line}\n"));
    }
    out
}

/// How much of a value is shown on one line.
const LINE_CHARS_MAX: usize = 90;
