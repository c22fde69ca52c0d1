#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Command)]
#[command(name = "campus.rename")]
struct Rename<'a> {
    course: CourseId,
    title: &'a str,
}

#[derive(Command)]
#[command(name = "campus.announce")]
struct Announce {
    text: &'static str,
}
impl Decide for Announce {
    type Event = CampusEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        nothing()
    }
}

fn main() {}
