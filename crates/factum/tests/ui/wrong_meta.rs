#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Subset)]
#[subset(of = CampusEvent)]
enum Told {
    Enrolled {
        course: CourseId,
        #[meta]
        recorded: Timestamp,
    },
}

#[derive(Subset)]
#[subset(of = CampusEvent)]
enum Typed {
    Enrolled {
        #[meta]
        revision: u64,
        #[meta]
        actor: String,
        #[meta]
        tenant: Option<u32>,
        #[meta(recorded_at)]
        at: i64,
    },
}

#[derive(Subset)]
enum OfNothing {
    Enrolled(CourseId),
}

fn main() {}
