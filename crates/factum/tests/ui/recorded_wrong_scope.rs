#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Trail(u32);
impl Model for Trail {
    type Scope = Tagged<StudentId>;
    type Event = Recorded<CampusEvent>;
    fn apply(&mut self, _: Recorded<CampusEvent>) {
        self.0 += 1;
    }
}

#[derive(Default, Debug, Clone)]
struct StreamTrail(u32);
impl Model for StreamTrail {
    type Scope = Stream<StudentId>;
    type Event = Recorded<CampusEvent>;
    fn apply(&mut self, _: Recorded<CampusEvent>) {
        self.0 += 1;
    }
}

fn main() {}
