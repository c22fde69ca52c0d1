//! A command with its types forgotten: what the one inner loop sees, so that each command costs little to
//! compile.

use factum_domain::{Boundary, Command, Context, DecodeError, Events, Models, Reject};
use factum_event::{NewEvent, RecordedEvent, Rejection};

/// One command being decided, over and over until it is stored.
pub(crate) trait Attempt: Send {
    /// What it must read.
    fn boundaries(&self) -> Vec<Boundary>;
    /// Forgets what was folded.
    fn reset(&mut self);
    /// Folds one record into the model behind a boundary.
    fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError>;
    /// Decides on what was folded, and keeps the typed result.
    fn decide(&mut self, context: &Context) -> Result<Vec<NewEvent>, Rejection>;
}

/// The typed side: what was decided last stays here for the caller.
pub(crate) struct Typed<C: Command> {
    command: C,
    models: Option<C::Models>,
    decision: Option<Result<Events<C::Event>, C::Rejection>>,
}

impl<C: Command> Typed<C> {
    pub(crate) fn new(command: C) -> Self {
        Self { command, models: None, decision: None }
    }

    pub(crate) fn into_decision(self) -> Option<Result<Events<C::Event>, C::Rejection>> {
        self.decision
    }
}

impl<C: Command> Attempt for Typed<C> {
    fn boundaries(&self) -> Vec<Boundary> {
        let mut boundaries = Vec::new();
        C::Models::boundaries(&self.command.keys(), &mut boundaries);
        boundaries
    }

    fn reset(&mut self) {
        self.models = Some(C::Models::start(&self.command.keys()));
    }

    fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError> {
        self.models.as_mut().expect("an attempt is reset before it folds").fold(boundary, record)
    }

    fn decide(&mut self, context: &Context) -> Result<Vec<NewEvent>, Rejection> {
        let models = self.models.as_ref().expect("an attempt is reset before it decides");
        let decision = self.command.decide(models, context);
        let plain = match &decision {
            Ok(events) => Ok(events.to_new()),
            Err(rejection) => Err(Rejection {
                code: rejection.code().into(),
                reason: rejection.to_string(),
                status: rejection.status(),
            }),
        };
        self.decision = Some(decision);
        plain
    }
}
