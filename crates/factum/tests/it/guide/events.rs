//! Events and their names.

use factum::Uuid;
use factum::{Event as _, EventSet, prelude::*};

// ANCHOR: enum
#[derive(Id)]
pub struct CourseId(Uuid);
#[derive(Id)]
pub struct StudentId(Uuid);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course, tags(course, student))]
pub enum CampusEvent {
    CourseOpened { course: CourseId, seats: u32 },
    Enrolled { course: CourseId, student: StudentId },
}
// ANCHOR_END: enum

// ANCHOR: exception
#[derive(Id)]
pub struct AccountId(u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "bank", stream = account, tags(account, from, to))]
pub enum BankEvent {
    Deposited {
        account: AccountId,
        cents: u64,
    },
    Transferred {
        #[stream]
        from: AccountId,
        to: AccountId,
        cents: u64,
    },
}
// ANCHOR_END: exception

#[test]
fn a_stream_mark_is_for_the_exception() {
    let transferred = BankEvent::Transferred { from: AccountId(1), to: AccountId(2), cents: 5 }.to_new();
    assert_eq!(transferred.stream.as_str(), "account-1");
    assert_eq!(crate::campus::tags(&transferred), ["account:1", "account:2"]);
}

// ANCHOR: renamed
/// Was `StudentId`: streams and tags keep their name.
#[derive(Id)]
#[id(name = "student")]
pub struct PupilId(Uuid);
// ANCHOR_END: renamed

#[test]
fn an_id_keeps_its_stored_name() {
    assert_eq!(PupilId::NAME, StudentId::NAME);
}

#[derive(Id)]
pub struct BookId(u64);
#[derive(Id)]
pub struct ReaderId(u64);

// ANCHOR: upcasters
#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "library", stream = book)]
pub enum LibraryEvent {
    #[event(was("library.borrowed"), version = 3, upcast(lent_from_1, lent_from_2))]
    Lent {
        book: BookId,
        reader: ReaderId,
        days: u32,
    },
    Returned {
        book: BookId,
    },
}

/// The reader was called a member.
#[derive(serde::Deserialize)]
struct LentV1 {
    book: BookId,
    member: ReaderId,
}

/// There was one term for all.
#[derive(serde::Deserialize)]
struct LentV2 {
    book: BookId,
    reader: ReaderId,
}

fn lent_from_1(old: LentV1) -> LentV2 {
    LentV2 { book: old.book, reader: old.member }
}

fn lent_from_2(old: LentV2) -> LibraryEvent {
    LibraryEvent::Lent { book: old.book, reader: old.reader, days: 28 }
}
// ANCHOR_END: upcasters

#[test]
fn queries_ask_for_both_names() {
    let names: Vec<_> = LibraryEvent::TYPES[0].names().collect();
    assert_eq!(names, ["library.lent", "library.borrowed"]);
}
