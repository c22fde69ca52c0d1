//! `diff`: a whole representation against the state it replaces.

use crate::campus::{COURSE, CourseId, minute};
use factum::prelude::*;
use std::collections::BTreeSet;

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "page", stream = page)]
enum PageEvent {
    TitleModified { page: CourseId, before: String, after: String },
    LabelsModified { page: CourseId, before: BTreeSet<u8>, after: BTreeSet<u8> },
    OwnerChanged { page: CourseId, before: Option<u8>, after: Option<u8> },
}

#[derive(Default, Clone, Debug)]
struct Page {
    title: String,
    labels: BTreeSet<u8>,
    owner: Option<u8>,
}
#[model]
impl Model for Page {
    type Scope = Stream<CourseId>;
    fn apply(&mut self, event: PageEvent) {
        match event {
            PageEvent::TitleModified { after, .. } => self.title = after,
            PageEvent::LabelsModified { after, .. } => self.labels = after,
            PageEvent::OwnerChanged { after, .. } => self.owner = after,
        }
    }
}

/// The title, the labels, the owner; when it becomes so.
struct Replace(&'static str, &'static [u8], Option<u8>, Option<Timestamp>);
impl Decide for Replace {
    type Event = PageEvent;
    type Models = Page;
    type Rejection = Refused;
    fn keys(&self) -> CourseId {
        COURSE
    }
    fn decide(&self, now: &Page, _: &Context) -> Decision<Self> {
        ensure!(self.0 != "locked", "locked");
        let labels = self.1.iter().copied().collect();
        let diff = diff()
            .field(&*now.title, self.0, title)
            .field(&now.labels, &labels, labelled)
            .field(&now.owner, &self.2, owned);
        match self.3 {
            Some(at) => diff.effective_at(at).decide(),
            None => diff.decide(),
        }
    }
}

fn title(before: String, after: String) -> PageEvent {
    PageEvent::TitleModified { page: COURSE, before, after }
}

fn labelled(before: BTreeSet<u8>, after: BTreeSet<u8>) -> PageEvent {
    PageEvent::LabelsModified { page: COURSE, before, after }
}

fn owned(before: Option<u8>, after: Option<u8>) -> PageEvent {
    PageEvent::OwnerChanged { page: COURSE, before, after }
}

fn page() -> factum::Given {
    given([title(String::new(), "Logic".to_owned()), labelled([].into(), [1, 2].into())])
}

#[test]
fn each_field_that_differs_is_an_event_with_both_values_in_the_order_of_the_fields() {
    page().when(Replace("Sets", &[3], Some(7), None)).then([
        title("Logic".to_owned(), "Sets".to_owned()),
        labelled([1, 2].into(), [3].into()),
        owned(None, Some(7)),
    ]);
    page().when(Replace("Logic", &[1, 2], Some(7), None)).then(owned(None, Some(7)));
}

#[test]
fn what_is_so_already_is_nothing_to_do() {
    page().when(Replace("Logic", &[2, 1, 2], None, None)).then_nothing();
    page().when(Replace("Logic", &[2, 1], None, Some(minute(1)))).then_nothing();
}

#[test]
fn the_difference_is_to_the_state_that_was_loaded() {
    let others = || page().and([title("Logic".to_owned(), "Sets".to_owned())]);
    others().when(Replace("Sets", &[1, 2], None, None)).then_nothing();
    others().when(Replace("Logic", &[1, 2], None, None)).then(title("Sets".to_owned(), "Logic".to_owned()));
}

#[test]
fn a_rejection_before_the_difference_stands() {
    page().when(Replace("locked", &[], None, None)).then_rejected("locked".into());
}

#[test]
fn all_that_differs_may_be_effective_at_another_time() {
    page().when(Replace("Sets", &[1, 2], Some(7), Some(minute(1)))).then(vec![
        fact(title("Logic".to_owned(), "Sets".to_owned())).effective_at(minute(1)),
        fact(owned(None, Some(7))).effective_at(minute(1)),
    ]);
}
