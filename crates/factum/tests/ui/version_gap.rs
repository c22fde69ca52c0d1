#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(serde::Deserialize)]
struct V1 {
    id: CourseId,
}
#[derive(serde::Deserialize)]
struct V2 {
    id: CourseId,
}
fn from_1(old: V1) -> V2 {
    V2 { id: old.id }
}
fn from_2(old: V2) -> OutOfOrder {
    OutOfOrder::Opened { course: old.id }
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "gap", stream = course)]
enum Gap {
    #[event(version = 3, upcast(from_1))]
    Opened { course: CourseId },
    #[event(upcast(from_1))]
    Closed { course: CourseId },
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "order", stream = course)]
enum OutOfOrder {
    #[event(version = 3, upcast(from_2, from_1))]
    Opened { course: CourseId },
}

fn main() {}
