//! `derive(Command)`: a stored form of its own, whatever serde the type derives for other uses.

use crate::campus::{CampusEvent, CourseId};
use factum::prelude::*;
use serde::{Deserialize, Serialize};

macro_rules! decides_nothing {
    ($($command:ident)*) => {$(
        impl Decide for $command {
            type Event = CampusEvent;
            type Models = ();
            type Rejection = Never;
            fn keys(&self) {}
            fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
                nothing()
            }
        }
    )*};
}
decides_nothing! { Plain Both Pair Wrapped Unit Either }

#[derive(Command, Debug, PartialEq)]
#[command(name = "test.plain", version = 3)]
#[serde(rename_all = "camelCase")]
struct Plain {
    at_course: CourseId,
    share: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Command, Debug, PartialEq, Serialize, Deserialize)]
#[command(name = "test.both")]
#[serde(deny_unknown_fields)]
struct Both {
    #[serde(rename = "c")]
    course: CourseId,
}

#[derive(Command, Debug, PartialEq)]
#[command(name = "test.pair")]
struct Pair(CourseId, i64);

#[derive(Command, Debug, PartialEq)]
#[command(name = "test.wrapped")]
struct Wrapped(CourseId);

#[derive(Command, Debug, PartialEq)]
#[command(name = "test.unit")]
struct Unit;

#[derive(Command, Debug, PartialEq)]
#[command(name = "test.either")]
enum Either {
    Open {
        course: CourseId,
    },
    #[serde(rename = "shut")]
    Close(CourseId),
    Wait,
}

#[track_caller]
fn stored_as<C: Command + std::fmt::Debug + PartialEq>(command: &C, json: &str) {
    assert_eq!(crate::campus::text(&command.encode()), json);
    assert_eq!(C::decode(json.as_bytes()).as_ref(), Ok(command));
}

#[test]
fn every_shape_has_a_stored_form() {
    stored_as(&Plain { at_course: CourseId(1), share: 0.5, note: None }, r#"{"atCourse":1,"share":0.5}"#);
    stored_as(&Both { course: CourseId(1) }, r#"{"c":1}"#);
    stored_as(&Pair(CourseId(1), -7), "[1,-7]");
    stored_as(&Wrapped(CourseId(1)), "1");
    stored_as(&Unit, "null");
    stored_as(&Either::Open { course: CourseId(1) }, r#"{"Open":{"course":1}}"#);
    stored_as(&Either::Close(CourseId(1)), r#"{"shut":1}"#);
    stored_as(&Either::Wait, r#""Wait""#);
}

#[test]
fn floats_read_back_to_the_last_bit() {
    let shares = [0.1 + 0.2, 1e23, 5e-324, f64::MAX, -0.0, 2.225073858507201e-308, 123456789.12345679];
    for share in shares {
        let command = Plain { at_course: CourseId(1), share, note: None };
        let read = Plain::decode(&command.encode()).unwrap();
        assert_eq!(read.share.to_bits(), share.to_bits(), "{share}");
    }
}

#[test]
fn name_and_version_are_what_was_written_down() {
    assert_eq!((Plain::NAME, Plain::VERSION), ("test.plain", 3));
    assert_eq!((Both::NAME, Both::VERSION), ("test.both", 1));
}

#[test]
fn what_is_not_the_stored_form_is_refused_with_its_reason() {
    let error = Plain::decode(br#"{"share":1.0}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "read command `test.plain`: missing field `atCourse` at line 1 column 13: send the fields it has in \
         this build, or give a field that was added later `#[serde(default)]`"
    );
    assert!(Both::decode(br#"{"c":1,"d":2}"#).is_err());
    let trailing = Pair::decode(b"[1,-7] 3").unwrap_err();
    assert!(trailing.cause.contains("trailing"), "{trailing}");
}
