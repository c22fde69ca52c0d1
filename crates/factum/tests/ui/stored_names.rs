#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "school")]
enum Names {
    Opened,
    #[event(name = "school.opened")]
    Began,
    #[event(was("school.opened"))]
    Started,
    #[event(was("school.twice"))]
    Twice,
    #[event(name = "closed")]
    Closed,
    #[event(renamed = "school.shut")]
    Shut,
}

fn main() {}
