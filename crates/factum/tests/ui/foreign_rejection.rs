#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Debug, thiserror::Error, Reject)]
enum Mine {
    #[error("full")]
    Full,
}
#[derive(Debug, thiserror::Error)]
#[error("other")]
struct Other;

struct Enrol(CourseId);
impl Decide for Enrol {
    type Event = CampusEvent;
    type Models = Seats;
    type Rejection = Mine;
    fn keys(&self) -> CourseId {
        self.0
    }
    fn decide(&self, seats: &Seats, _: &Context) -> Decision<Self> {
        ensure!(seats.0 > 0, Other);
        nothing()
    }
}

struct Open(CourseId);
impl Decide for Open {
    type Event = CampusEvent;
    type Models = Seats;
    type Rejection = Other;
    fn keys(&self) -> CourseId {
        self.0
    }
    fn decide(&self, _: &Seats, _: &Context) -> Decision<Self> {
        nothing()
    }
}

#[derive(Debug, thiserror::Error, Reject)]
enum Statuses {
    #[error("a")]
    #[reject(500)]
    A,
    #[error("b")]
    #[reject("missing")]
    B,
    #[error("c")]
    #[reject(transparent)]
    C,
}

fn main() {}
