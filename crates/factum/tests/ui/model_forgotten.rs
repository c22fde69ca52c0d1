#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Taken(u32);
impl Model for Taken {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.0 += 1,
        }
    }
}

fn main() {}
