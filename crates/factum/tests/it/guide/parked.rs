//! When something is parked: what waits, what goes on, and what an operator does.

use super::{
    events::{CampusEvent, CourseId},
    read_models::Campus,
};
use factum::{App, Builder, Embedded, Uuid, prelude::*};
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Duration};

const LONG: Duration = Duration::from_secs(20);

fn course(nth: u128) -> CourseId {
    Uuid::from_u128(nth).into()
}

// ANCHOR: fill
/// How full a course is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    seats: u32,
    taken: u32,
    percent: u32,
}

impl Fill {
    fn take_in(&mut self, event: &CampusEvent) {
        match event {
            CampusEvent::CourseOpened { seats, .. } => self.seats = *seats,
            CampusEvent::Enrolled { .. } => self.taken += 1,
        }
    }
}

impl View for Fill {
    const NAME: &'static str = "fill";
    const VERSION: u32 = 1;
    type Event = CampusEvent;
    type Key = CourseId;

    fn keys(event: &CampusEvent) -> Vec<CourseId> {
        match event {
            CampusEvent::CourseOpened { course, .. } | CampusEvent::Enrolled { course, .. } => vec![*course],
        }
    }

    fn apply(&mut self, _: &CourseId, event: &CampusEvent) {
        self.take_in(event);
        self.percent = self.taken * 100 / self.seats; // panics for a course without seats
    }
}
// ANCHOR_END: fill

/// The view in the next build of the application.
mod mended {
    use super::{CampusEvent, CourseId};
    use factum::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub(super) struct Fill {
        pub(super) seats: u32,
        pub(super) taken: u32,
        pub(super) percent: u32,
    }

    impl View for Fill {
        const NAME: &'static str = super::Fill::NAME;
        const VERSION: u32 = super::Fill::VERSION;
        type Event = CampusEvent;
        type Key = CourseId;

        fn keys(event: &CampusEvent) -> Vec<CourseId> {
            super::Fill::keys(event)
        }

        fn apply(&mut self, _: &CourseId, event: &CampusEvent) {
            match event {
                CampusEvent::CourseOpened { seats, .. } => self.seats = *seats,
                CampusEvent::Enrolled { .. } => self.taken += 1,
            }
            self.percent = (self.taken * 100).checked_div(self.seats).unwrap_or(100);
        }
    }
}

fn app(directory: &Path) -> Builder<Embedded> {
    App::embedded(directory)
}

/// A course without seats, its events behind it, and another course.
async fn opened_without_seats(app: &App) {
    app.execute(Campus::Open(course(1), 0)).await.unwrap();
    app.execute(Campus::Enrol(course(1), Uuid::from_u128(7).into())).await.unwrap();
    app.execute(Campus::Open(course(2), 4)).await.unwrap();
    app.execute(Campus::Enrol(course(2), Uuid::from_u128(7).into())).await.unwrap();
    assert!(app.projections().caught_up("fill", LONG).await.unwrap());
}

#[test]
fn what_was_parked_is_driven_again_by_a_build_that_is_mended() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let first = app(directory.path()).view::<Fill>().start().unwrap();
        opened_without_seats(&first).await;

        // ANCHOR: seen
        let parked = first.projections().parked(Fill::NAME, None, 100).await?;
        let [one] = &parked[..] else { panic!("{parked:?}") };
        assert_eq!(one.key, format!("key/{}", course(1)));
        assert_eq!(one.cause, "it panicked: attempt to divide by zero");
        assert_eq!((one.position.get(), one.attempts, one.waiting), (1, 3, 1));
        // ANCHOR_END: seen

        // ANCHOR: read
        let stuck = first.documents::<Fill>().get(&course(1)).await.unwrap();
        assert_eq!((stuck.document, stuck.parked), (None, Some(one.position)));
        let other = first.documents::<Fill>().get(&course(2)).await.unwrap();
        assert_eq!((other.document.unwrap().percent, other.parked), (25, None));
        // ANCHOR_END: read
        let still = first.projections().redrive(Fill::NAME, one.position, &one.key).await.unwrap_err();
        assert!(still.to_string().contains("still cannot be applied"), "{still}");
        first.stop().await;
        drop(first);

        let app = app(directory.path()).view::<mended::Fill>().start().unwrap();
        // ANCHOR: redrive
        let applied = app.projections().redrive(Fill::NAME, one.position, &one.key).await?;
        assert_eq!(applied, 2, "that one, and the one behind it");
        // ANCHOR_END: redrive
        let mended = app.documents::<mended::Fill>().get(&course(1)).await.unwrap();
        assert_eq!((mended.document.unwrap().taken, mended.parked), (1, None));
        app.stop().await;
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}

#[test]
fn what_is_given_up_stays_so_in_every_later_build() {
    block_on(async {
        let app = App::in_memory().view::<Fill>().start();
        opened_without_seats(&app).await;
        let projections = app.projections();
        let behind = projections.parked(Fill::NAME, None, 100).await?.remove(0);
        let (position, key) = (behind.position, behind.key.as_str());
        // ANCHOR: discard
        let (actor, why) = ("olga", "opened by mistake");
        projections.discard(Fill::NAME, position, key, actor, why).await?;
        let discarded = &projections.status(Fill::NAME).await?.discarded[0];
        assert_eq!((discarded.position, &*discarded.actor, &*discarded.cause), (position, actor, why));
        // ANCHOR_END: discard
        let parked = projections.parked(Fill::NAME, None, 100).await?;
        assert_eq!((parked.len(), parked[0].position.get()), (1, 2), "the one behind it fails for itself");
        projections.rebuild(Fill::NAME).await?;
        while projections.status(Fill::NAME).await?.building.is_some() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let again = projections.parked(Fill::NAME, None, 100).await?;
        assert_eq!(again.iter().map(|event| event.position.get()).collect::<Vec<_>>(), [2]);
        app.stop().await;
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}

/// The same context, as a newer build of the application has it.
mod newer {
    use super::CourseId;
    use factum::prelude::*;

    #[derive(Event, Debug, Clone, PartialEq)]
    #[event(context = "campus", stream = course, tags(course))]
    pub(super) enum CampusEvent {
        CourseClosed { course: CourseId },
    }

    #[derive(Command)]
    #[command(name = "guide.close")]
    pub(super) struct Close(pub(super) CourseId);

    impl Decide for Close {
        type Event = CampusEvent;
        type Models = ();
        type Rejection = Never;

        fn keys(&self) {}

        fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
            emit(CampusEvent::CourseClosed { course: self.0 })
        }
    }
}

#[test]
fn an_event_of_a_newer_build_stops_its_stream_and_not_the_world() {
    block_on(async {
        let app = App::in_memory().view::<Fill>().start();
        app.execute(Campus::Open(course(1), 4)).await.unwrap();
        app.execute(newer::Close(course(1))).await.unwrap();
        app.execute(Campus::Enrol(course(1), Uuid::from_u128(7).into())).await.unwrap();
        app.execute(Campus::Open(course(2), 4)).await.unwrap();
        assert!(app.projections().caught_up(Fill::NAME, LONG).await?);
        // ANCHOR: unknown
        let parked = app.projections().parked(Fill::NAME, None, 100).await?;
        let [unknown] = &parked[..] else { panic!("{parked:?}") };
        assert_eq!(unknown.event_type.as_ref().unwrap().as_str(), "campus.course-closed");
        assert_eq!(unknown.key, format!("stream/{}", course(1).stream()));
        // ANCHOR_END: unknown
        let waiting = app.projections().status(Fill::NAME).await?.waiting;
        assert_eq!((unknown.attempts, unknown.waiting, waiting), (1, 0, 1), "one waits by its own key");
        let released =
            app.projections().discard(Fill::NAME, unknown.position, &unknown.key, "olga", "old").await?;
        assert_eq!(released, 1);
        app.stop().await;
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}

// ANCHOR: stop
/// A ledger is of no use with a gap in it.
#[derive(Debug)]
pub struct Ledger;

impl Projection for Ledger {
    const NAME: &'static str = "ledger";
    const VERSION: u32 = 1;
    const ON_ERROR: OnError = OnError::Stop;
    type Event = CampusEvent;
}
// ANCHOR_END: stop

// ANCHOR: refuse
impl<Db: Sql> SqlProjection<Db> for Ledger {
    const SCHEMA: &'static str = "create table seats (position bigint primary key, seats bigint not null)";

    async fn apply(&self, page: &Page<CampusEvent>, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        for recorded in page {
            if let CampusEvent::CourseOpened { course, seats } = &recorded.event {
                if *seats == 0 {
                    return Err(ApplyError::new(format!("course {course} has no seats")));
                }
                tx.execute("insert into seats values ($1, $2)", values![recorded.position, *seats]).await?;
            }
        }
        Ok(())
    }
}
// ANCHOR_END: refuse

#[test]
fn one_that_stops_says_at_which_event_and_why() {
    block_on(async {
        let app = App::in_memory().project(Ledger).start();
        app.execute(Campus::Open(course(1), 4)).await.unwrap();
        app.execute(Campus::Open(course(2), 0)).await.unwrap();
        assert!(!app.projections().caught_up(Ledger::NAME, LONG).await?);
        let status = app.projections().status(Ledger::NAME).await?;
        assert_eq!((status.state.as_str(), status.position.get(), status.parked), ("stopped", 1, 0));
        let cause = status.state.cause().unwrap();
        assert!(
            cause.contains("the event at 2 could not be applied") && cause.contains("has no seats"),
            "{cause}"
        );
        app.stop().await;
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}
