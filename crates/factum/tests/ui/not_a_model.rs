#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Plain;

#[derive(Default, Debug, Clone)]
struct NoScope;
impl Model for NoScope {
    type Scope = CourseId;
    type Event = CampusEvent;
    fn apply(&mut self, _: CampusEvent) {}
}

#[derive(Default, Debug, Clone)]
struct NoEvents;
impl Model for NoEvents {
    type Scope = Everything;
    type Event = Plain;
    fn apply(&mut self, _: Plain) {}
}

#[derive(Default, Debug, Clone)]
struct Kept(u32);
impl Model for Kept {
    type Scope = Everything;
    type Event = CampusEvent;
    const SNAPSHOT: Snapshot<Self> = Snapshot::every(500, "campus.kept", 1);
    fn apply(&mut self, _: CampusEvent) {}
}

struct Reads(CourseId);
impl Decide for Reads {
    type Event = CampusEvent;
    type Models = (Seats, Plain);
    type Rejection = Never;
    fn keys(&self) -> (CourseId, CourseId) {
        (self.0, self.0)
    }
    fn decide(&self, _: &(Seats, Plain), _: &Context) -> Decision<Self> {
        nothing()
    }
}

fn main() {}
