#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

struct Enrol(CourseId);
impl Decide for Enrol {
    type Event = CampusEvent;
    type Models = Seats;
    type Rejection = Never;
    fn keys(&self) -> CourseId {
        self.0
    }
    fn decide(&self, _: &Seats, _: &Context) -> Decision<Self> {
        nothing()
    }
}

fn execute<C: Command>(_: C) {}
fn run(course: CourseId) {
    execute(Enrol(course));
}

#[derive(Command)]
#[command(name = "campus.drop")]
struct Undecided(CourseId);

#[derive(Command)]
struct Unnamed(CourseId);

fn test(course: CourseId) {
    given_nothing().when(Seats(1)).then_nothing();
    given_nothing().when(Enrol(course)).then(campus::Seats(1));
}

fn main() {}
