#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Default, Debug, Clone)]
struct Any(u32);
#[model]
impl Model for Any {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.0 += 1,
            _ => {}
        }
    }
}

#[derive(Default, Debug, Clone)]
struct Misspelt(u32);
#[model]
impl Model for Misspelt {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enroled { .. } => self.0 += 1,
        }
    }
}

#[derive(Default, Debug, Clone)]
struct NoMatch(u32);
#[model]
impl Model for NoMatch {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        if let CampusEvent::Enrolled { .. } = event {
            self.0 += 1;
        }
    }
}

#[derive(Default, Debug, Clone)]
struct Said(u32);
#[model]
impl Model for Said {
    type Scope = Tagged<CourseId>;
    type Event = CampusEvent;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.0 += 1,
        }
    }
}

fn main() {}
