#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Terms(u32);
#[model]
impl Model for Terms {
    type Scope = Last<Stream<CourseId>>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::TermBegan => self.0 += 1,
        }
    }
}

fn main() {}
