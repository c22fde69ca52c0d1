#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

struct Swapped(CourseId, StudentId);
impl Decide for Swapped {
    type Event = CampusEvent;
    type Models = (Seats, Load);
    type Rejection = Never;
    fn keys(&self) -> (StudentId, CourseId) {
        (self.1, self.0)
    }
    fn decide(&self, _: &(Seats, Load), _: &Context) -> Decision<Self> {
        nothing()
    }
}

struct OneOfTwo(CourseId);
impl Decide for OneOfTwo {
    type Event = CampusEvent;
    type Models = (Seats, Load);
    type Rejection = Never;
    fn keys(&self) -> Keys<Self> {
        self.0
    }
    fn decide(&self, _: &(Seats, Load), _: &Context) -> Decision<Self> {
        nothing()
    }
}

fn main() {}
