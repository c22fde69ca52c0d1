#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Event)]
#[event(context = "shape")]
enum Generic<T> {
    Opened { what: T },
}

#[derive(Event)]
#[event(context = "shape")]
struct NotAnEnum {
    course: CourseId,
}

#[derive(Event)]
#[event(context = "shape")]
enum Empty {}

#[derive(Event)]
#[event(context = "shape")]
enum Marks {
    Opened {
        #[stream(course)]
        #[tag = "course"]
        course: CourseId,
    },
}

#[derive(Id)]
struct AnyId<T>(T);

#[derive(Subset)]
#[subset(of = CampusEvent)]
struct NotASubset {
    course: CourseId,
}

#[derive(Subset)]
#[subset(from = CampusEvent)]
enum From {
    Enrolled,
}

#[derive(Command)]
#[command(name = "shape.do")]
struct Do<'a>(&'a str);

#[derive(Command)]
#[command(name = "do", version = 0)]
struct Versioned;
impl Decide for Versioned {
    type Event = CampusEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        nothing()
    }
}

fn main() {}
