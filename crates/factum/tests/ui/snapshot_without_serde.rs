#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Opened(u32);

#[model]
impl Model for Opened {
    type Scope = Tagged<CourseId>;
    const SNAPSHOT: Snapshot<Self> = Snapshot::every(500, 1);
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::CourseOpened { .. } => self.0 += 1,
        }
    }
}

fn main() {}
