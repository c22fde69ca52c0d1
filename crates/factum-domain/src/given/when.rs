//! Owns the far end of a test: what was decided is compared, and shown when it is not what was expected.

use super::Given;
use crate::{Decide, Decision, EventSet, Events, IntoEvents, Reject, nothing};
use factum_event::{CommandName, CommandPayload, CommandRecord, NewCommit, Outcome, Rejection};
use std::fmt::{self, Debug};

/// What was decided. One of the `then`s looks at it.
#[must_use = "nothing is checked before `.then(..)`, `.then_rejected(..)` or `.then_nothing()`"]
pub struct When<D: Decide> {
    given: Given,
    models: D::Models,
    got: Decision<D>,
}

impl<D: Decide> When<D> {
    #[track_caller]
    pub(super) fn new(given: Given, models: D::Models, got: Decision<D>) -> Self {
        let when = Self { given, models, got };
        if let Err(cause) = when.commit().check() {
            panic!("a store would refuse what was decided: {cause}");
        }
        when
    }

    /// What a runtime would append.
    fn commit(&self) -> NewCommit {
        let (outcome, events) = match &self.got {
            Ok(events) if events.is_empty() => (Outcome::Nothing, Vec::new()),
            Ok(events) => (Outcome::Succeeded, events.to_new()),
            Err(why) => {
                let (code, reason, status) = (why.code().to_owned(), why.to_string(), why.status());
                (Outcome::Rejected(Rejection { code, reason, status }), Vec::new())
            }
        };
        let command = CommandRecord {
            id: self.given.decided_id(),
            name: CommandName::unchecked("given"),
            payload: CommandPayload::None,
            issued_at: self.given.now,
            metadata: self.given.metadata.clone(),
        };
        NewCommit { command, outcome, events }
    }

    /// Exactly these events happen: one, an array, a `Vec`, or facts.
    ///
    /// # Panics
    /// When anything else was decided, or an event does not read back as it was written.
    #[track_caller]
    pub fn then(self, events: impl IntoEvents<D::Event>)
    where
        D::Event: Comparable,
    {
        let expected = events.into_events();
        match &self.got {
            Ok(got) if *got == expected => self.read_back(got),
            _ => self.fail(&Ok(expected)),
        }
    }

    /// What a log gives back later is what was decided now.
    #[track_caller]
    fn read_back(&self, decided: &Events<D::Event>)
    where
        D::Event: Comparable,
    {
        for fact in decided.facts() {
            let event = fact.event();
            match D::Event::decode(&self.given.record(fact.to_new())) {
                Ok(Some(read)) if read == *event => {}
                Ok(read) => panic!(
                    "an event does not read back as it was written\n{}{}",
                    section("written", &shown(event)),
                    section("read", &read.as_ref().map_or_else(|| "no event".to_owned(), shown)),
                ),
                Err(cause) => panic!("an event does not read back from its stored form: {cause}"),
            }
        }
    }

    /// There is nothing to do.
    ///
    /// # Panics
    /// When anything else was decided.
    #[track_caller]
    pub fn then_nothing(self)
    where
        D::Event: Comparable,
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
        for (at, event) in self.given.shown.iter().enumerate() {
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

/// What a `then` compares, and shows when it differs.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared in a test: it lacks `Debug` or `PartialEq`",
    label = "its events lack `Debug` or `PartialEq`",
    note = "events that tests speak of are `#[derive(Event, Debug, Clone, PartialEq)]`, on the enum"
)]
pub trait Comparable: Debug + PartialEq {}

#[diagnostic::do_not_recommend]
impl<E: Debug + PartialEq> Comparable for E {}

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
pub(super) fn shown(value: &impl Debug) -> String {
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
