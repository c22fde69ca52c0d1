#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Subset)]
#[subset(of = CampusEvent)]
enum Both {
    CourseOpened,
    Enrolled,
}

#[derive(Default, Debug, Clone)]
struct Courses(u32);
impl Model for Courses {
    type Scope = Tagged<StudentId>;
    type Event = Both;
    fn apply(&mut self, _: Both) {
        self.0 += 1;
    }
}

fn main() {}
