#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Courses(u32);
#[model]
impl Model for Courses {
    type Scope = (Tagged<CourseId>, Tagged<StudentId>);
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::CourseOpened { .. } => self.0 = 0,
            CampusEvent::Enrolled { .. } => self.0 += 1,
        }
    }
}

fn main() {}
