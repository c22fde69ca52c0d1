//! A command with its types forgotten: what the one inner loop sees, so that each command costs little to
//! compile.

use crate::states::{AnyStates, States};
use factum_domain::{Command, Context, DecodeError, EventSet, Events, Reject};
use factum_event::{
    CommandId, CommandName, CommitHeader, EventId, Metadata, NewEvent, Position, RecordedEvent, Rejection,
    Revision, Sequence, Timestamp,
};
use std::sync::Arc;

/// What a decision comes to, without its types.
pub(crate) enum Decided {
    Events(Vec<NewEvent>),
    Rejected(Rejection),
    /// This event could not be read again if it were stored.
    Unreadable(usize, DecodeError),
}

/// One command being decided, over and over until it is stored.
pub(crate) trait Attempt: Send {
    /// Asks the command for its keys.
    fn prepare(&mut self);
    /// What it decides on.
    fn states(&mut self) -> &mut dyn AnyStates;
    /// Decides on what was folded, and keeps the typed result.
    fn decide(&mut self, context: &Context) -> Decided;
}

/// The typed side: what was decided last stays here for the caller.
pub(crate) struct Typed<C: Command> {
    command: C,
    states: Option<States<C::Models>>,
    decision: Option<Result<Events<C::Event>, C::Rejection>>,
}

impl<C: Command> Typed<C> {
    pub(crate) fn new(command: C) -> Self {
        Self { command, states: None, decision: None }
    }

    pub(crate) fn into_decision(self) -> Option<Result<Events<C::Event>, C::Rejection>> {
        self.decision
    }
}

impl<C: Command> Attempt for Typed<C> {
    fn prepare(&mut self) {
        self.states = Some(States::new(self.command.keys()));
    }

    fn states(&mut self) -> &mut dyn AnyStates {
        self.states.as_mut().expect("an attempt is prepared before it loads")
    }

    fn decide(&mut self, context: &Context) -> Decided {
        let states = self.states.as_ref().expect("an attempt is loaded before it decides");
        let decision = self.command.decide(states.models(), context);
        let plain = match &decision {
            Ok(events) => readable::<C::Event>(events.to_new()),
            Err(rejection) => Decided::Rejected(Rejection {
                code: rejection.code().into(),
                reason: rejection.to_string(),
                status: rejection.status(),
            }),
        };
        self.decision = Some(decision);
        plain
    }
}

/// The events, if each reads back from its stored form: what cannot be read is never acknowledged.
fn readable<E: EventSet>(events: Vec<NewEvent>) -> Decided {
    let commit = Arc::new(CommitHeader {
        sequence: Sequence::START,
        recorded_at: Timestamp::EPOCH,
        command_id: CommandId::new(Default::default()),
        command_name: CommandName::unchecked("factum.read-back"),
        issued_at: Timestamp::EPOCH,
        metadata: Metadata::default(),
    });
    for (index, event) in events.iter().enumerate() {
        let record = RecordedEvent {
            position: Position::START,
            id: EventId::derived(commit.command_id, 0),
            stream: event.stream.clone(),
            revision: Revision::default(),
            event_type: event.event_type.clone(),
            version: event.version,
            codec: event.codec,
            tags: Vec::new(),
            payload: event.payload.clone(),
            effective_at: Timestamp::EPOCH,
            corrects: None,
            commit: Arc::clone(&commit),
        };
        if let Err(cause) = E::decode(&record) {
            return Decided::Unreadable(index, cause);
        }
    }
    Decided::Events(events)
}
