//! Courses with a capacity, students with a limit: a rule over two entities and their meeting.

use super::{Answer, Example, answer, number, text, told, unheard_of};
use factum::{App, NewEvent, block_on, prelude::*};
use serde_json::{Value, json};
use std::time::Duration;

const COURSES_PER_STUDENT_MAX: usize = 5;

pub(super) const EXAMPLE: Example =
    Example { name: "course-subscriptions", age: Duration::ZERO, event, when };

#[derive(Id)]
struct CourseId(String);
#[derive(Id)]
struct StudentId(String);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "courses", tags(course, student))]
enum CourseEvent {
    Defined { course: CourseId, capacity: u64 },
    CapacityChanged { course: CourseId, capacity: u64 },
    Subscribed { course: CourseId, student: StudentId },
}

#[derive(Debug, Clone, Default)]
struct Course {
    capacity: Option<u64>,
    taken: u64,
}

#[model]
impl Model for Course {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CourseEvent) {
        match event {
            CourseEvent::Defined { capacity, .. } | CourseEvent::CapacityChanged { capacity, .. } => {
                self.capacity = Some(capacity);
            }
            CourseEvent::Subscribed { .. } => self.taken += 1,
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Load(usize);

#[model]
impl Model for Load {
    type Scope = Tagged<StudentId>;
    fn apply(&mut self, event: CourseEvent) {
        match event {
            CourseEvent::Subscribed { .. } => self.0 += 1,
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Subscribed(bool);

#[model]
impl Model for Subscribed {
    type Scope = (Tagged<StudentId>, Tagged<CourseId>);
    fn apply(&mut self, event: CourseEvent) {
        match event {
            CourseEvent::Subscribed { .. } => self.0 = true,
        }
    }
}

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
enum CourseRejected {
    #[error("Course with id \"{0}\" already exists")]
    Exists(CourseId),
    #[error("Course \"{0}\" does not exist")]
    Missing(CourseId),
    #[error("New capacity {0} is the same as the current capacity")]
    SameCapacity(u64),
    #[error("Course \"{0}\" is already fully booked")]
    Full(CourseId),
    #[error("Student already subscribed to this course")]
    AlreadySubscribed,
    #[error("Student already subscribed to {0} courses")]
    TooMany(usize),
}

#[derive(Command)]
#[command(name = "courses.define")]
struct Define(CourseId, u64);

impl Decide for Define {
    type Event = CourseEvent;
    type Models = Course;
    type Rejection = CourseRejected;
    fn keys(&self) -> CourseId {
        self.0.clone()
    }
    fn decide(&self, course: &Course, _: &Context) -> Decision<Self> {
        ensure!(course.capacity.is_none(), CourseRejected::Exists(self.0.clone()));
        emit(CourseEvent::Defined { course: self.0.clone(), capacity: self.1 })
    }
}

#[derive(Command)]
#[command(name = "courses.change-capacity")]
struct ChangeCapacity(CourseId, u64);

impl Decide for ChangeCapacity {
    type Event = CourseEvent;
    type Models = Course;
    type Rejection = CourseRejected;
    fn keys(&self) -> CourseId {
        self.0.clone()
    }
    fn decide(&self, course: &Course, _: &Context) -> Decision<Self> {
        let capacity = course.capacity.ok_or_else(|| CourseRejected::Missing(self.0.clone()))?;
        ensure!(capacity != self.1, CourseRejected::SameCapacity(self.1));
        emit(CourseEvent::CapacityChanged { course: self.0.clone(), capacity: self.1 })
    }
}

#[derive(Command)]
#[command(name = "courses.subscribe")]
struct Subscribe {
    student: StudentId,
    course: CourseId,
}

impl Decide for Subscribe {
    type Event = CourseEvent;
    type Models = (Course, Load, Subscribed);
    type Rejection = CourseRejected;
    fn keys(&self) -> Keys<Self> {
        (self.course.clone(), self.student.clone(), (self.student.clone(), self.course.clone()))
    }
    fn decide(&self, (course, load, subscribed): &Self::Models, _: &Context) -> Decision<Self> {
        let capacity = course.capacity.ok_or_else(|| CourseRejected::Missing(self.course.clone()))?;
        ensure!(course.taken < capacity, CourseRejected::Full(self.course.clone()));
        ensure!(!subscribed.0, CourseRejected::AlreadySubscribed);
        ensure!(load.0 < COURSES_PER_STUDENT_MAX, CourseRejected::TooMany(COURSES_PER_STUDENT_MAX));
        emit(CourseEvent::Subscribed { course: self.course.clone(), student: self.student.clone() })
    }
}

fn course(data: &Value) -> CourseId {
    text(data, "courseId").to_owned().into()
}

fn student(data: &Value) -> StudentId {
    text(data, "studentId").to_owned().into()
}

fn event(kind: &str, data: &Value) -> NewEvent {
    let event = match kind {
        "CourseDefined" => CourseEvent::Defined { course: course(data), capacity: number(data, "capacity") },
        "CourseCapacityChanged" => {
            CourseEvent::CapacityChanged { course: course(data), capacity: number(data, "newCapacity") }
        }
        "StudentSubscribedToCourse" => {
            CourseEvent::Subscribed { course: course(data), student: student(data) }
        }
        other => unheard_of(other),
    };
    event.to_new()
}

fn when(app: &App, command: &str, data: &Value) -> Answer {
    let tell = |event: &CourseEvent| match event {
        CourseEvent::Defined { course, capacity } => {
            told("CourseDefined", json!({"courseId": course, "capacity": capacity}))
        }
        CourseEvent::CapacityChanged { course, capacity } => {
            told("CourseCapacityChanged", json!({"courseId": course, "newCapacity": capacity}))
        }
        CourseEvent::Subscribed { course, student } => {
            told("StudentSubscribedToCourse", json!({"studentId": student, "courseId": course}))
        }
    };
    match command {
        "defineCourse" => answer(block_on(app.execute(Define(course(data), number(data, "capacity")))), tell),
        "changeCourseCapacity" => {
            answer(block_on(app.execute(ChangeCapacity(course(data), number(data, "newCapacity")))), tell)
        }
        "subscribeStudentToCourse" => {
            answer(block_on(app.execute(Subscribe { student: student(data), course: course(data) })), tell)
        }
        other => unheard_of(other),
    }
}
