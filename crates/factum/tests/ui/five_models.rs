#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

struct Five(CourseId);
impl Decide for Five {
    type Event = CampusEvent;
    type Models = (Seats, Seats, Seats, Seats, Seats);
    type Rejection = Never;
    fn keys(&self) -> Keys<Self> {
        (self.0, self.0, self.0, self.0, self.0)
    }
    fn decide(&self, _: &Self::Models, _: &Context) -> Decision<Self> {
        nothing()
    }
}

fn main() {}
