//! `derive(Id)`: a kind, a text, and whatever the inner type has.

use factum::prelude::*;
use std::{collections::HashMap, fmt, str::FromStr};
use uuid::Uuid;

#[derive(Id)]
struct CourseId(Uuid);
#[derive(Id)]
struct CourseOptionId(u64);
#[derive(Id)]
struct Slug(String);
#[derive(Id)]
#[id(name = "isbn")]
struct BookNumber(u64);

/// The least an inner type can be: no `Copy`, no order, no `FromStr`.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Least(Vec<u8>);
impl fmt::Display for Least {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.len())
    }
}
#[derive(Id)]
struct LeastId(Least);

#[test]
fn the_kind_is_the_name_in_snake_case_without_id() {
    assert_eq!(CourseId::NAME, "course");
    assert_eq!(CourseOptionId::NAME, "course_option");
    assert_eq!(Slug::NAME, "slug");
    assert_eq!(BookNumber::NAME, "isbn");
}

#[test]
fn tag_and_stream_are_kind_and_value() {
    assert_eq!(CourseOptionId(7).tag().as_str(), "course_option:7");
    assert_eq!(CourseOptionId(7).stream().as_str(), "course_option-7");
    assert_eq!(CourseOptionId(7).stream().category().as_str(), "course_option");
    let uuid = Uuid::from_u128(5);
    assert_eq!(CourseId(uuid).tag().as_str(), format!("course:{uuid}"));
    assert_eq!(BookNumber(3).tag().as_str(), "isbn:3");
}

#[test]
fn an_id_reads_and_prints_as_its_value() {
    assert_eq!(Slug("a-b".to_owned()).to_string(), "a-b");
    assert_eq!(format!("{:?}", CourseOptionId(7)), "course_option:7");
    assert_eq!("7".parse::<CourseOptionId>(), Ok(CourseOptionId(7)));
    assert!(CourseId::from_str("no uuid").is_err());
    assert_eq!(CourseOptionId::from(7), CourseOptionId(7));
}

#[test]
fn an_id_copies_and_orders_where_its_value_does() {
    let id = CourseOptionId(7);
    let copy = id;
    assert_eq!((id, copy), (copy, id));
    assert!(Slug("a".to_owned()) < Slug("b".to_owned()));
    let mut by_id = HashMap::new();
    by_id.insert(LeastId(Least(vec![1])), 1);
    assert_eq!(by_id.get(&LeastId::from(Least(vec![1]))), Some(&1));
}

#[test]
fn an_id_is_stored_as_its_value() {
    let command = Named { by_slug: HashMap::from([(Slug("a".to_owned()), CourseOptionId(7))]) };
    assert_eq!(&command.encode()[..], br#"{"by_slug":{"a":7}}"#);
    assert_eq!(Named::decode(&command.encode()).unwrap().by_slug, command.by_slug);
}

#[derive(Command)]
#[command(name = "test.named")]
struct Named {
    by_slug: HashMap<Slug, CourseOptionId>,
}
impl Decide for Named {
    type Event = crate::campus::CampusEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        nothing()
    }
}
