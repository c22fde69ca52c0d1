#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Courses(u32);
#[model]
impl Model for Courses {
    type Scope = Stream<StudentId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.0 += 1,
        }
    }
}

fn main() {}
