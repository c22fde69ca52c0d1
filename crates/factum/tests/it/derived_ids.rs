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
fn an_id_is_made_of_its_value_and_gives_it() {
    assert_eq!((CourseOptionId::new(7), CourseOptionId(7).get()), (CourseOptionId(7), &7));
    assert_eq!(Slug::new("a-b".to_owned()), Slug::from("a-b"));
    assert_eq!(Slug::from("a-b").get(), "a-b");
    let slug: Slug = "a-b".into();
    assert_eq!(slug.tag().as_str(), "slug:a-b");
}

// ANCHOR: checked
/// An article number: `AB-12`. Whatever makes one comes through `try_from`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String")]
struct ArticleNumber(String);
impl TryFrom<String> for ArticleNumber {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_number = text.len() <= 20 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if is_number && !text.is_empty() { Ok(Self(text)) } else { Err("not an article number: AB-12") }
    }
}
impl FromStr for ArticleNumber {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}
impl fmt::Display for ArticleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
#[derive(Id)]
struct ArticleId(ArticleNumber);
// ANCHOR_END: checked

#[derive(Command, Debug, PartialEq)]
#[command(name = "test.counted")]
struct Counted {
    article: ArticleId,
}
impl Decide for Counted {
    type Event = crate::campus::CampusEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        nothing()
    }
}

#[test]
fn an_id_over_a_type_that_checks_itself_is_checked_wherever_it_comes_from() {
    let article: ArticleId = "AB-12".parse().unwrap();
    assert_eq!(article.tag().as_str(), "article:AB-12");
    assert!("AB 12".parse::<ArticleId>().is_err());
    assert_eq!(Counted::decode(br#"{"article":"AB-12"}"#), Ok(Counted { article }));
    let error = Counted::decode(br#"{"article":"AB 12"}"#).unwrap_err();
    assert!(error.cause.contains("not an article number: AB-12"), "{error}");
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
