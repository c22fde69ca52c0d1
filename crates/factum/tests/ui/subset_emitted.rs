#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Subset)]
#[subset(of = CampusEvent)]
enum Taken {
    Enrolled { course: CourseId },
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
        ensure!(seats.0 > 0, "full");
        emit(Taken::Enrolled { course: self.0 })
    }
}

struct EmitsSubset;
impl Decide for EmitsSubset {
    type Event = Taken;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        nothing()
    }
}

fn main() {}
