#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus")]
enum TwoStreams {
    Moved {
        #[stream]
        from: CourseId,
        #[stream]
        to: CourseId,
    },
}

#[derive(Event, Debug, Clone, PartialEq)]
enum NoContext {
    Opened { course: CourseId },
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = corse, tags(curse))]
enum UnknownFields {
    Opened { course: CourseId, seats: u32 },
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "Campus-Life", streams = course)]
enum BadAttribute {
    Opened(CourseId),
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream(course, student))]
enum ListOfStreams {
    Enrolled { course: CourseId, student: StudentId },
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course)]
enum FieldsWithoutNames {
    Opened(CourseId),
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course)]
enum NoFields {
    Opened,
}

fn main() {}
