//! The boundary that each scope draws, and what reaches it.

use crate::campus::{ANN, COURSE, CampusEvent, CourseId, StudentId};
use factum::{Boundary, EventSet, Models, QueryItem, Scope, StreamFilter, Tag, prelude::*};

#[derive(Subset, Debug)]
#[subset(of = CampusEvent)]
enum Taken {
    Enrolled,
    Withdrew,
}

macro_rules! counts {
    ($($name:ident: $scope:ty),* $(,)?) => {$(
        #[derive(Default, Clone, Debug)]
        struct $name(u32);
        impl Model for $name {
            type Scope = $scope;
            type Event = Taken;
            fn apply(&mut self, _: Taken) {
                self.0 += 1;
            }
        }
    )*};
}

counts! {
    InStream: Stream<CourseId>,
    OfStudent: Tagged<StudentId>,
    OfBoth: (Tagged<CourseId>, Tagged<StudentId>),
    OfThree: (Tagged<CourseId>, Tagged<StudentId>, Tagged<StudentId>),
    All: Everything,
    LastOfStudent: Last<Tagged<StudentId>>,
    LastInStream: Last<Stream<CourseId>>,
    LastOfBoth: Last<(Tagged<CourseId>, Tagged<StudentId>)>,
    LastOfAll: Last<Everything>,
}

fn boundary<M: Model>(key: <M::Scope as Scope>::Key) -> Boundary {
    let mut out = Vec::new();
    <M as Models>::boundaries(&key, &mut out);
    assert_eq!(out.len(), 1);
    out.remove(0)
}

fn item() -> QueryItem {
    let types = ["campus.enrolled", "campus.withdrew"].map(factum::EventType::unchecked);
    QueryItem { types: types.into(), ..QueryItem::default() }
}

fn tagged(tags: &[&str], last_only: bool) -> Boundary {
    let item = tags.iter().fold(item(), |item, tag| item.tag(Tag::unchecked(*tag)));
    Boundary { item, home: None, last_only }
}

#[test]
fn a_stream_scope_has_a_home() {
    let boundary = boundary::<InStream>(COURSE);
    assert_eq!(boundary.home, Some(COURSE.stream()));
    assert_eq!(boundary.item.stream, Some(StreamFilter::Name(COURSE.stream())));
    assert_eq!((boundary.item.types, boundary.item.tags, boundary.last_only), (item().types, vec![], false));
}

#[test]
fn tags_are_asked_for_all_at_once() {
    assert_eq!(boundary::<OfStudent>(ANN), tagged(&["student:10"], false));
    assert_eq!(boundary::<OfBoth>((COURSE, ANN)), tagged(&["course:1", "student:10"], false));
    let three = boundary::<OfThree>((COURSE, ANN, StudentId(2)));
    assert_eq!(three, tagged(&["course:1", "student:10", "student:2"], false));
}

#[test]
fn everything_is_by_type_alone() {
    assert_eq!(boundary::<All>(()), tagged(&[], false));
}

#[test]
fn the_last_event_of_a_scope_covers_the_scope() {
    assert_eq!(boundary::<LastOfStudent>(ANN), tagged(&["student:10"], true));
    assert_eq!(boundary::<LastOfBoth>((COURSE, ANN)), tagged(&["course:1", "student:10"], true));
    assert_eq!(boundary::<LastOfAll>(()), tagged(&[], true));
    let in_stream = boundary::<LastInStream>(COURSE);
    assert_eq!((in_stream.home, in_stream.last_only), (Some(COURSE.stream()), true));
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "post")]
enum PostEvent {
    #[event(was("mail.sent", "letter.sent"))]
    Sent {
        #[tag]
        to: Vec<StudentId>,
        #[tag]
        about: Option<CourseId>,
    },
}

/// The element of a collection is what a scope names.
#[derive(Default, Clone, Debug)]
struct Inbox(usize);
impl Model for Inbox {
    type Scope = (Tagged<StudentId>, Tagged<CourseId>);
    type Event = PostEvent;
    fn apply(&mut self, PostEvent::Sent { to, .. }: PostEvent) {
        self.0 += to.len();
    }
}

#[test]
fn a_query_asks_for_every_name_an_event_ever_had() {
    let types: Vec<_> = boundary::<Inbox>((ANN, COURSE)).item.types;
    let names: Vec<_> = types.iter().map(factum::EventType::as_str).collect();
    assert_eq!(names, ["post.sent", "mail.sent", "letter.sent"]);
    assert_eq!(PostEvent::TYPES.len(), 1);
}
