#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

fn open(context: &Context) -> CampusEvent {
    CampusEvent::CourseOpened { course: context.fresh_id(), seats: 1 }
}

fn main() {}
