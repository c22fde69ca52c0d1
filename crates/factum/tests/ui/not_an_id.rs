#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "school", stream = course, tags(student))]
enum Untyped {
    Opened { course: u64 },
    Enrolled { student: String },
}

type Students = Vec<StudentId>;
#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "school", tags(students))]
enum Aliased {
    Formed { students: Students },
}

fn main() {}
