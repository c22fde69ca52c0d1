#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Subset)]
#[subset(of = CampusEvent)]
enum Misspelt {
    CourseOpend { seats: u32 },
    Enrolled { pupil: StudentId },
}

#[derive(Subset)]
#[subset(of = CampusEvent)]
enum OtherType {
    CourseOpened { seats: u64 },
}

fn main() {}
