//! Testing with given/when/then.

use super::{
    decisions::{Enrol, EnrolRejected},
    events::{BookId, CampusEvent, CourseId, LibraryEvent, ReaderId, StudentId},
};
use factum::{Uuid, prelude::*};
use serde_json::json;

// ANCHOR: full
#[test]
fn a_full_course_takes_no_one() {
    let course = CourseId::from(Uuid::from_u128(1));
    let [ann, bob] = [1, 2].map(|n| StudentId::from(Uuid::from_u128(n)));
    given([CampusEvent::CourseOpened { course, seats: 1 }, CampusEvent::Enrolled { course, student: ann }])
        .when(Enrol { course, student: bob })
        .then_rejected(EnrolRejected::Full { seats: 1 });
}
// ANCHOR_END: full

#[derive(Default, Debug, Clone)]
struct Lent(bool);
#[model]
impl Model for Lent {
    type Scope = Stream<BookId>;
    fn apply(&mut self, event: LibraryEvent) {
        match event {
            LibraryEvent::Lent { .. } => self.0 = true,
            LibraryEvent::Returned { .. } => self.0 = false,
        }
    }
}

struct Return(BookId);
impl Decide for Return {
    type Event = LibraryEvent;
    type Models = Lent;
    type Rejection = Refused;
    fn keys(&self) -> BookId {
        self.0
    }
    fn decide(&self, lent: &Lent, _: &Context) -> Decision<Self> {
        ensure!(lent.0, "not-lent");
        emit(LibraryEvent::Returned { book: self.0 })
    }
}

// ANCHOR: stored
#[test]
fn a_book_lent_in_the_first_version_can_be_returned() {
    let book = BookId::from(1);
    given_stored::<LibraryEvent>("library.borrowed", 1, json!({ "book": 1, "member": 7 }))
        .when(Return(book))
        .then(LibraryEvent::Returned { book });
}
// ANCHOR_END: stored

#[test]
fn a_book_that_was_never_lent_is_not_returned() {
    let lent = LibraryEvent::Lent { book: BookId::from(2), reader: ReaderId::from(1), days: 1 };
    given([lent]).when(Return(BookId::from(1))).then_rejected("not-lent".into());
}
