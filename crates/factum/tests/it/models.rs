//! One model or several: how keys become boundaries and how records find their model.

use crate::campus::{ANN, BOB, COURSE, CampusEvent, CourseId, StudentId, enrolled, stored};
use factum::{Models, prelude::*};

#[derive(Default, Clone, Debug, PartialEq)]
struct Load {
    student: Option<StudentId>,
    courses: u32,
}
#[model]
impl Model for Load {
    type Scope = Tagged<StudentId>;
    fn start(student: &StudentId) -> Self {
        Self { student: Some(*student), courses: 0 }
    }
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.courses += 1,
            CampusEvent::Withdrew { .. } => self.courses -= 1,
        }
    }
}

#[derive(Default, Clone, Debug, PartialEq)]
struct Taken(u32);
#[model]
impl Model for Taken {
    type Scope = Stream<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match &event {
            CampusEvent::Enrolled { .. } => self.0 += 1,
        }
    }
}

fn boundaries<M: Models>(keys: &M::Keys) -> (M, Vec<String>) {
    let (models, mut out) = (M::start(keys), Vec::new());
    M::boundaries(keys, &mut out);
    assert_eq!(models.count(), out.len());
    let name = |boundary: &factum::Boundary| match &boundary.home {
        Some(home) => home.to_string(),
        None => boundary.item.tags.iter().map(factum::Tag::as_str).collect::<Vec<_>>().join(" "),
    };
    (models, out.iter().map(name).collect())
}

#[test]
fn a_model_starts_from_its_key() {
    let (load, _) = boundaries::<Load>(&ANN);
    assert_eq!(load, Load { student: Some(ANN), courses: 0 });
}

#[test]
fn nested_models_count_their_boundaries_in_order() {
    type Nested = ((Taken, Vec<Load>), Load, (), (Taken,));
    let keys = ((COURSE, vec![ANN, BOB]), ANN, (), (CourseId(2),));
    let (mut models, names) = boundaries::<Nested>(&keys);
    assert_eq!(names, ["course-1", "student:10", "student:11", "student:10", "course-2"]);
    let record = stored(&enrolled(ANN));
    for (boundary, times) in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)] {
        for _ in 0..times {
            models.fold(boundary, &record).unwrap();
        }
    }
    let ((first, loads), load, (), (second,)) = models;
    let courses: Vec<_> = loads.iter().map(|load| load.courses).collect();
    assert_eq!((first.0, courses, load.courses, second.0), (1, vec![2, 3], 4, 5));
}

#[test]
fn no_models_have_no_boundary() {
    assert_eq!(boundaries::<()>(&()).1, [""; 0]);
}

#[test]
#[should_panic(expected = "boundary 2 of 2")]
fn a_boundary_beyond_the_last_is_a_bug_of_the_caller() {
    let (mut models, _) = boundaries::<(Taken, Load)>(&(COURSE, ANN));
    models.fold(2, &stored(&enrolled(ANN))).unwrap();
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_of_the_fold() {
    let mut record = stored(&enrolled(ANN));
    record.version = 2;
    assert!(Taken::default().fold(0, &record).is_err());
}
