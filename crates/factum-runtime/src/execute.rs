//! The typed face of a direct command: a builder to await.

use crate::{
    Done, Engine, ExecuteError, Intake,
    attempt::Typed,
    intake::stamped,
    observe::Underway,
    run::{Asked, Ended, run},
};
use factum_domain::{Command, EventSet};
use factum_store::BoxFuture;
use tracing::Instrument;

/// A command about to be carried out.
#[must_use = "nothing happens until it is awaited"]
#[derive(Debug)]
pub struct Execute<'a, C> {
    engine: &'a Engine,
    command: C,
    intake: Intake,
}

impl<'a, C: Command> Execute<'a, C> {
    pub(crate) fn new(engine: &'a Engine, command: C, intake: Intake) -> Self {
        Self { engine, command, intake }
    }

    stamped!();

    async fn carry_out(self) -> Result<Done<C::Event>, ExecuteError<C::Rejection>> {
        let Self { engine, command, intake } = self;
        let (record, id_was_chosen) = intake.record(engine, &command)?;
        let (mut typed, id) = (Typed::new(command), record.id);
        let underway = Underway::begin(engine, C::NAME, &record);
        let asked = Asked { id_was_chosen, tracking: None };
        let ended = run(engine, &mut typed, record, asked).instrument(underway.span()).await;
        underway.end(&ended);
        engine.outcomes().tell(id);
        let seen = match &ended {
            Ok(Ended::Now(place) | Ended::Earlier(place, _)) => engine.seen(place.position).await,
            Err(_) => true,
        };
        match ended {
            Ok(Ended::Now(place)) => {
                let events = typed.into_decision().and_then(Result::ok).expect("what was stored was decided");
                Ok(Done { place, events: events.into_vec(), seen })
            }
            Ok(Ended::Earlier(place, commit)) => {
                let decode = |event| Ok(C::Event::decode(event)?);
                let events: Result<Vec<_>, ExecuteError<_>> = commit.events.iter().map(decode).collect();
                Ok(Done { place, events: events?.into_iter().flatten().collect(), seen })
            }
            Err(ExecuteError::Rejected(())) => {
                let rejection = typed.into_decision().and_then(Result::err);
                Err(ExecuteError::Rejected(rejection.expect("what was rejected was decided")))
            }
            Err(other) => Err(other.map_rejection(|()| unreachable!("handled above"))),
        }
    }
}

impl<'a, C: Command> IntoFuture for Execute<'a, C> {
    type Output = Result<Done<C::Event>, ExecuteError<C::Rejection>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.carry_out())
    }
}
