//! A rule across two entities: a course has seats, a student takes five courses at most.

use factum::prelude::*;

// ANCHOR: domain
#[derive(Id)]
struct CourseId(u64);
#[derive(Id)]
struct StudentId(u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course, tags(course, student))]
enum CampusEvent {
    CourseOpened { course: CourseId, seats: u32 },
    Enrolled { course: CourseId, student: StudentId },
}

#[derive(Default, Debug, Clone)]
struct Seats(u32);
#[model]
impl Model for Seats {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::CourseOpened { seats, .. } => self.0 = seats,
            CampusEvent::Enrolled { .. } => self.0 = self.0.saturating_sub(1),
        }
    }
}

#[derive(Default, Debug, Clone)]
struct Load(usize);
#[model]
impl Model for Load {
    type Scope = Tagged<StudentId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.0 = self.0.saturating_add(1),
        }
    }
}

#[derive(Command)]
#[command(name = "campus.enrol")]
struct Enrol(CourseId, StudentId);
impl Decide for Enrol {
    type Event = CampusEvent;
    type Models = (Seats, Load);
    type Rejection = Refused;
    fn keys(&self) -> Keys<Self> {
        (self.0, self.1)
    }
    fn decide(&self, (seats, load): &Self::Models, _: &Context) -> Decision<Self> {
        ensure!(seats.0 > 0, "full");
        ensure!(load.0 < 5, "too-many-courses");
        emit(CampusEvent::Enrolled { course: self.0, student: self.1 })
    }
}
// ANCHOR_END: domain

pub(crate) fn main() {
    let (course, ann, bob) = (CourseId(1), StudentId(1), StudentId(2));
    let opened = |seats| CampusEvent::CourseOpened { course, seats };
    given([opened(1)]).when(Enrol(course, ann)).then(CampusEvent::Enrolled { course, student: ann });
    given([opened(1), CampusEvent::Enrolled { course, student: ann }])
        .when(Enrol(course, bob))
        .then_rejected("full".into());
    println!("a course of one seat takes one student");
}
