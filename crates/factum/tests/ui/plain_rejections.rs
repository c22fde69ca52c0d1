#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Debug, Reject)]
enum NoText {
    Full,
}

struct Enrol(CourseId);
impl Decide for Enrol {
    type Event = CampusEvent;
    type Models = Seats;
    type Rejection = Refused;
    fn keys(&self) -> CourseId {
        self.0
    }
    fn decide(&self, seats: &Seats, _: &Context) -> Decision<Self> {
        ensure!(seats.0 > 0, format!("{} seats", seats.0));
        nothing()
    }
}

fn main() {}
