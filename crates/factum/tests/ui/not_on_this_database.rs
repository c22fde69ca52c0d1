#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::{Backend, Builder, Sqlite, prelude::*};

/// It does not say what it writes.
struct Silent;
impl Projection for Silent {
    const NAME: &'static str = "silent";
    const VERSION: u32 = 1;
    type Event = CampusEvent;
}

/// A database that is not the one the application is on.
#[derive(Debug)]
struct Elsewhere;
impl Sql for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

macro_rules! on {
    ($projection:ident, $name:literal, $database:ty) => {
        struct $projection;
        impl Projection for $projection {
            const NAME: &'static str = $name;
            const VERSION: u32 = 1;
            type Event = CampusEvent;
        }
        impl SqlProjection<$database> for $projection {
            const SCHEMA: &'static str = "create table seats (course text primary key)";
            async fn apply(&self, _: &Page<CampusEvent>, _: &mut Tx<'_, $database>) -> Result<(), ApplyError> {
                Ok(())
            }
        }
    };
}
on!(OnSqlite, "on-sqlite", Sqlite);
on!(OnElsewhere, "on-elsewhere", Elsewhere);
on!(OnNothing, "on-nothing", CourseId);

fn named() {
    let _ = App::in_memory().project(Silent);
    let _ = App::in_memory().project(OnSqlite);
    let _ = App::in_memory().project(OnElsewhere);
    let _ = App::in_memory().project(CourseId(1));
}

fn generic<B: Backend>(app: Builder<B>) -> Builder<B> {
    app.project(Silent).project(OnSqlite)
}

fn main() {}
