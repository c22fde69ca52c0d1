//! What most of the mistakes beside it are made over.
#![allow(dead_code, unused_imports)]

use factum::prelude::*;

#[derive(Id)]
pub struct CourseId(pub u64);
#[derive(Id)]
pub struct StudentId(pub u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course, tags(course, student))]
pub enum CampusEvent {
    CourseOpened { course: CourseId, seats: u32 },
    Enrolled { course: CourseId, student: StudentId },
    TermBegan,
}

#[derive(Default, Debug, Clone)]
pub struct Seats(pub u32);
#[model]
impl Model for Seats {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::CourseOpened { seats, .. } => self.0 = seats,
        }
    }
}

#[derive(Default, Debug, Clone)]
pub struct Load(pub u32);
#[model]
impl Model for Load {
    type Scope = Tagged<StudentId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.0 += 1,
        }
    }
}
