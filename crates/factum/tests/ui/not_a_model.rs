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
