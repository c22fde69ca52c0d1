#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Courses(u32);
impl Model for Courses {
    type Scope = Tagged<StudentId>;
    type Event = CampusEvent;
    fn apply(&mut self, _: CampusEvent) {
        self.0 += 1;
    }
}

fn main() {}
