//! `derive(Event)`: stored names, homes, tags, and a payload without a serde derive of the user's.

use crate::campus::{
    ANN, COURSE, CampusEvent, CourseId, StudentId, enrolled, opened, recorded, stored, tags, text,
};
use factum::{DecodeError, Event as _, EventSet, prelude::*};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Channel {
    Web,
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "school")]
enum SchoolEvent {
    HTTPHookCalled {
        #[stream]
        #[tag]
        course: CourseId,
        #[serde(rename = "how")]
        via: Channel,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        share: f64,
        r#type: u8,
    },
    #[event(name = "school.renamed", was("school.titled", "legacy.Title"))]
    Titled {
        #[stream]
        course: CourseId,
        // Fields that generated code has words of its own for.
        tags: Vec<String>,
        record: String,
        payload: String,
        to: u8,
    },
    ClassFormed {
        #[tag]
        many: Vec<StudentId>,
        #[tag]
        perhaps: Option<CourseId>,
        #[tag]
        set: BTreeSet<StudentId>,
        #[tag]
        pair: [StudentId; 2],
        #[tag]
        hashed: HashSet<StudentId>,
        #[tag]
        one: StudentId,
    },
    #[serde(rename_all = "camelCase")]
    CasedFields {
        #[stream]
        at_course: CourseId,
    },
    Unit,
}

fn titled() -> SchoolEvent {
    SchoolEvent::Titled {
        course: COURSE,
        tags: vec!["t".to_owned()],
        record: "r".to_owned(),
        payload: "p".to_owned(),
        to: 4,
    }
}

fn called(share: f64) -> SchoolEvent {
    SchoolEvent::HTTPHookCalled { course: COURSE, via: Channel::Web, note: None, share, r#type: 2 }
}

fn formed(many: &[u64], set: &[u64], hashed: &[u64]) -> SchoolEvent {
    SchoolEvent::ClassFormed {
        many: many.iter().copied().map(StudentId).collect(),
        perhaps: Some(COURSE),
        set: set.iter().copied().map(StudentId).collect(),
        pair: [StudentId(1), StudentId(1)],
        hashed: hashed.iter().copied().map(StudentId).collect(),
        one: StudentId(1),
    }
}

#[test]
fn a_stored_name_is_context_and_variant() {
    let names: Vec<_> = SchoolEvent::TYPES.iter().map(|kind| kind.name).collect();
    let expected = [
        "school.http-hook-called",
        "school.renamed",
        "school.class-formed",
        "school.cased-fields",
        "school.unit",
    ];
    assert_eq!(names, expected);
    assert_eq!(titled().to_new().event_type.as_str(), "school.renamed");
}

#[test]
fn the_stored_form_is_the_fields_in_json() {
    let new = enrolled(ANN).to_new();
    assert_eq!(text(&new.payload), r#"{"course":1,"student":10}"#);
    assert_eq!((new.version, new.codec.0), (1, 1));
    assert_eq!(text(&called(0.5).to_new().payload), r#"{"course":1,"how":"Web","share":0.5,"type":2}"#);
    assert_eq!(text(&SchoolEvent::CasedFields { at_course: COURSE }.to_new().payload), r#"{"atCourse":1}"#);
    assert_eq!(text(&SchoolEvent::Unit.to_new().payload), "{}");
}

#[test]
fn every_event_reads_back_as_it_was_written() {
    let tenth = 0.1 + 0.2;
    for event in [called(tenth), called(5e-324), titled(), formed(&[2], &[3], &[4]), SchoolEvent::Unit] {
        assert_eq!(SchoolEvent::decode(&stored(&event)), Ok(Some(event)));
    }
}

#[test]
fn an_event_lives_in_the_stream_of_its_field_or_of_its_context() {
    assert_eq!(opened(1).to_new().stream.as_str(), "course-1");
    assert_eq!(CampusEvent::TermBegan.to_new().stream.as_str(), "campus");
    assert_eq!(titled().to_new().stream.as_str(), "course-1");
    assert_eq!(formed(&[], &[], &[]).to_new().stream.as_str(), "school");
}

#[test]
fn each_id_in_a_field_is_one_tag_and_none_comes_twice() {
    assert_eq!(tags(&enrolled(ANN).to_new()), ["course:1", "student:10"]);
    assert_eq!(tags(&opened(1).to_new()), ["course:1"]);
    assert_eq!(tags(&titled().to_new()), [""; 0]);
    let new = formed(&[2, 2], &[3, 2], &[9, 5, 8]).to_new();
    let expected = ["student:2", "course:1", "student:3", "student:1", "student:5", "student:8", "student:9"];
    assert_eq!(tags(&new), expected);
}

#[test]
fn an_event_of_another_context_is_none_of_this_set() {
    assert_eq!(CampusEvent::decode(&stored(&titled())), Ok(None));
}

#[test]
fn earlier_names_are_read_and_asked_for() {
    let kind = SchoolEvent::TYPES[1];
    assert_eq!(kind.names().collect::<Vec<_>>(), ["school.renamed", "school.titled", "legacy.Title"]);
    for name in kind.names() {
        let mut record = stored(&titled());
        record.event_type = factum::EventType::new(name).unwrap();
        assert_eq!(SchoolEvent::decode(&record), Ok(Some(titled())), "{name}");
    }
}

#[test]
fn what_cannot_be_read_says_where_and_what_to_do() {
    let mut record = stored(&enrolled(ANN));
    record.payload = br#"{"course":1}"#.to_vec().into();
    let error = CampusEvent::decode(&record).unwrap_err();
    assert_eq!(
        error.to_string(),
        "read event `campus.enrolled` version 1 at position 3: missing field `student` at line 1 column 12: \
         give a field that was added later `#[serde(default)]`, or raise the event's version and add an \
         upcaster from version 1"
    );
    let mut record = stored(&enrolled(ANN));
    record.version = 2;
    let error = CampusEvent::decode(&record).unwrap_err();
    assert!(matches!(error, DecodeError::Newer { found: 2, known: 1, .. }));
    assert!(error.to_string().ends_with("deploy the build that wrote it, or a later one"));
    let mut record = stored(&enrolled(ANN));
    record.codec = factum::Codec::RAW;
    assert!(matches!(CampusEvent::decode(&record), Err(DecodeError::Codec { codec: 0, .. })));
}

#[test]
fn more_can_be_said_of_an_event_than_its_fields() {
    let (at, corrected) = (crate::campus::minute(1), stored(&opened(1)).id);
    let decided: Result<_, Never> =
        emit([fact(opened(2)).effective_at(at).corrects(corrected), fact(opened(3))]);
    let events = decided.unwrap();
    let new = events.to_new();
    assert_eq!((new[0].effective_at, new[0].corrects), (Some(at), Some(corrected)));
    assert_eq!((new[1].effective_at, new[1].corrects), (None, None));
    assert_eq!(recorded(new[0].clone()).effective_at, at);
    assert_eq!(events.iter().collect::<Vec<_>>(), [&opened(2), &opened(3)]);
    assert_eq!((events.len(), events.is_empty()), (2, false));
    assert_eq!(events.into_vec(), [opened(2), opened(3)]);
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "post", stream = course)]
enum PostEvent {
    Sent {
        course: CourseId,
        #[stream]
        to: StudentId,
    },
}

#[test]
fn a_mark_on_a_field_goes_before_what_is_said_for_all() {
    assert_eq!(PostEvent::Sent { course: COURSE, to: ANN }.to_new().stream.as_str(), "student-10");
}

/// A form of serde's that is not the type's own.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Address {
    street: String,
}

fn two() -> u64 {
    2
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "serde")]
enum SerdeEvent {
    Shaped {
        #[serde(with = "as_text")]
        text: u64,
        #[serde(default = "two", skip_serializing_if = "is_two")]
        two: u64,
        #[serde(flatten)]
        address: Address,
        #[serde(alias = "was_called")]
        called: Vec<String>,
    },
}

fn is_two(value: &u64) -> bool {
    *value == 2
}

#[test]
fn serde_attributes_of_fields_are_heeded() {
    let address = Address { street: "s".to_owned() };
    let event = SerdeEvent::Shaped { text: 7, two: 2, address, called: vec!["c".to_owned()] };
    let record = stored(&event);
    assert_eq!(text(&record.payload), r#"{"text":"7","street":"s","called":["c"]}"#);
    assert_eq!(SerdeEvent::decode(&record), Ok(Some(event.clone())));
    let mut older = record;
    older.payload = br#"{"text":"7","street":"s","was_called":["c"]}"#.to_vec().into();
    assert_eq!(SerdeEvent::decode(&older), Ok(Some(event)));
}
