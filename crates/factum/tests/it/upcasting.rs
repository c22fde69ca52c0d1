//! Versions of one event: each upcaster goes one version on, the last one to the enum, whatever the name.

use crate::campus::{ANN, COURSE, CourseId, StudentId, enrolled, old};
use factum::{DecodeError, Event as _, EventSet, prelude::*};
use serde::Deserialize;
use serde_json::json;

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course, tags(course, student))]
enum Grown {
    #[event(was("campus.signed-up"), version = 3, upcast(v1_to_v2, v2_to_grown))]
    Enrolled { course: CourseId, student: StudentId, via: String },
    #[event(version = 2, upcast(strays))]
    Moved { course: CourseId },
}

#[derive(Deserialize)]
struct V1 {
    course: CourseId,
    pupil: StudentId,
}
#[derive(Deserialize)]
struct V2 {
    course: CourseId,
    student: StudentId,
}

fn v1_to_v2(V1 { course, pupil }: V1) -> V2 {
    V2 { course, student: pupil }
}

fn v2_to_grown(V2 { course, student }: V2) -> Grown {
    Grown::Enrolled { course, student, via: "desk".to_owned() }
}

fn strays(old: V2) -> Grown {
    v2_to_grown(old)
}

fn grown(via: &str) -> Grown {
    Grown::Enrolled { course: COURSE, student: ANN, via: via.to_owned() }
}

#[test]
fn an_event_is_written_at_its_last_version() {
    assert_eq!(grown("web").to_new().version, 3);
    assert_eq!(Grown::TYPES[0].version, 3);
}

#[test]
fn old_versions_read_under_old_and_new_names() {
    for name in ["campus.enrolled", "campus.signed-up"] {
        let read = |version, payload| Grown::decode(&old(&enrolled(ANN), name, version, payload));
        assert_eq!(read(1, r#"{"course":1,"pupil":10}"#), Ok(Some(grown("desk"))));
        assert_eq!(read(2, r#"{"course":1,"student":10}"#), Ok(Some(grown("desk"))));
        assert_eq!(read(3, r#"{"course":1,"student":10,"via":"web"}"#), Ok(Some(grown("web"))));
        assert!(matches!(read(4, "{}"), Err(DecodeError::Newer { found: 4, known: 3, .. })));
    }
}

#[test]
fn an_upcaster_that_makes_another_event_is_found_out() {
    let record = old(&enrolled(ANN), "campus.moved", 1, r#"{"course":1,"student":10}"#);
    let error = Grown::decode(&record).unwrap_err();
    assert!(matches!(error, DecodeError::Upcast { variant: "Moved", .. }), "{error}");
    assert!(error.to_string().contains("let it return `Moved`"), "{error}");
}

#[derive(Subset, Debug, PartialEq)]
#[subset(of = Grown)]
enum Via {
    Enrolled { via: String },
}

#[derive(Default, Clone, Debug)]
struct Places(u32);
#[model]
impl Model for Places {
    type Scope = Stream<CourseId>;
    fn apply(&mut self, event: Grown) {
        match event {
            Grown::Enrolled { .. } => self.0 += 1,
        }
    }
}

#[test]
fn what_reads_a_part_reads_old_names_and_versions_too() {
    let record = old(&enrolled(ANN), "campus.signed-up", 1, r#"{"course":1,"pupil":10}"#);
    assert_eq!(Via::decode(&record), Ok(Some(Via::Enrolled { via: "desk".to_owned() })));
    let read = <Places as Model>::Event::decode(&record).unwrap();
    assert!(read.is_some());
}

struct Count;
impl Decide for Count {
    type Event = Grown;
    type Models = Places;
    type Rejection = Never;
    fn keys(&self) -> CourseId {
        COURSE
    }
    fn decide(&self, places: &Places, _: &Context) -> Decision<Self> {
        emit(grown(&places.0.to_string()))
    }
}

#[test]
fn a_test_can_be_given_old_stored_forms() {
    given_stored::<Grown>("campus.signed-up", 1, json!({ "course": 1, "pupil": 10 }))
        .and_stored::<Grown>("campus.enrolled", 2, json!({ "course": 1, "student": 10 }))
        .and_stored::<Grown>("campus.enrolled", 2, json!({ "course": 2, "student": 10 }))
        .and([grown("web")])
        .when(Count)
        .then(grown("3"));
}

#[test]
fn the_stored_form_itself_can_be_given_with_a_home_of_its_own() {
    let mut elsewhere = grown("web").to_new();
    elsewhere.stream = factum::StreamName::unchecked("course-2");
    given([elsewhere]).when(Count).then(grown("0"));
}

#[test]
#[should_panic(expected = "a stored event does not read: read event `campus.enrolled` version 2")]
fn an_old_form_that_does_not_read_fails_its_test() {
    let _ = given_stored::<Grown>("campus.enrolled", 2, json!({ "course": 1 }));
}

#[test]
#[should_panic(expected = "no event here is or was stored as `campus.enroled`")]
fn an_old_name_that_no_event_had_fails_its_test() {
    let _ = given_stored::<Grown>("campus.enroled", 2, json!({ "course": 1, "student": 10 }));
}

#[test]
fn what_has_no_arm_is_not_even_decoded() {
    let newer = old(&enrolled(ANN), "campus.moved", 99, "{}");
    assert!(Grown::decode(&newer).is_err());
    assert!(matches!(<Places as Model>::Event::decode(&newer), Ok(None)));
}
