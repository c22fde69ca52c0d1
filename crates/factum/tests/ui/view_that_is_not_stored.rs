#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Unstored;
impl View for Unstored {
    const NAME: &'static str = "unstored";
    const VERSION: u32 = 1;
    type Event = CampusEvent;
    type Key = CourseId;
    fn keys(_: &CampusEvent) -> Vec<CourseId> {
        Vec::new()
    }
    fn apply(&mut self, _: &CourseId, _: &CampusEvent) {}
}

fn main() {}
