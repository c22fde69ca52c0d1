//! Models and scopes.

use super::events::{AccountId, BankEvent, CampusEvent, CourseId, StudentId};
use factum::prelude::*;

// ANCHOR: model
#[derive(Default, Clone, Debug)]
pub struct Seats {
    pub total: u32,
    pub taken: u32,
}

#[model]
impl Model for Seats {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::CourseOpened { seats, .. } => self.total = seats,
            CampusEvent::Enrolled { .. } => self.taken = self.taken.saturating_add(1),
        }
    }
}
// ANCHOR_END: model

// ANCHOR: start
#[derive(Default, Clone, Debug)]
pub struct Balance {
    account: Option<AccountId>,
    pub cents: u64,
}

#[model]
impl Model for Balance {
    type Scope = Tagged<AccountId>;
    fn start(account: &AccountId) -> Self {
        Self { account: Some(*account), cents: 0 }
    }
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Deposited { cents, .. } => self.cents = self.cents.saturating_add(cents),
            BankEvent::Transferred { from, cents, .. } if self.account == Some(from) => {
                self.cents = self.cents.saturating_sub(cents);
            }
            BankEvent::Transferred { cents, .. } => self.cents = self.cents.saturating_add(cents),
        }
    }
}
// ANCHOR_END: start

// ANCHOR: subset
#[derive(Subset)]
#[subset(of = CampusEvent)]
pub enum Enrolment {
    Enrolled {
        course: CourseId,
        #[meta]
        recorded_at: Timestamp,
        #[meta(actor)]
        by: Option<String>,
    },
}

#[derive(Default, Clone, Debug)]
pub struct Load(Vec<(CourseId, Timestamp, Option<String>)>);

impl Model for Load {
    type Scope = Tagged<StudentId>;
    type Event = Enrolment;
    fn apply(&mut self, event: Enrolment) {
        match event {
            Enrolment::Enrolled { course, recorded_at, by } => self.0.push((course, recorded_at, by)),
        }
    }
}
// ANCHOR_END: subset

impl Load {
    pub fn has(&self, course: CourseId) -> bool {
        self.0.iter().any(|(other, ..)| *other == course)
    }
}

// ANCHOR: recorded
#[derive(Subset, Clone, Debug)]
#[subset(of = CampusEvent)]
pub enum Joined {
    Enrolled { student: StudentId },
}

#[derive(Default, Clone, Debug)]
pub struct Trail(pub Vec<Recorded<Joined>>);

impl Model for Trail {
    type Scope = Tagged<StudentId>;
    type Event = Recorded<Joined>;
    fn apply(&mut self, event: Recorded<Joined>) {
        self.0.push(event);
    }
}
// ANCHOR_END: recorded

#[test]
fn what_the_models_page_shows_folds() {
    let (course, student) = (CourseId::from(factum::Uuid::nil()), StudentId::from(factum::Uuid::max()));
    let events = [CampusEvent::CourseOpened { course, seats: 3 }, CampusEvent::Enrolled { course, student }];
    let campus = given(events).actor("ann").and([CampusEvent::Enrolled { course, student }]);
    let seats: Seats = campus.view(course);
    assert_eq!((seats.total, seats.taken), (3, 2));
    let load: Load = campus.view(student);
    assert_eq!((load.has(course), load.0[0].2.as_deref(), load.0[1].2.as_deref()), (true, None, Some("ann")));
    let trail: Trail = campus.view(student);
    assert_eq!((trail.0.len(), trail.0[1].actor()), (2, Some("ann")));
}

#[test]
fn a_transfer_is_in_two_balances() {
    let (ann, bob) = (AccountId::from(1), AccountId::from(2));
    let bank = given([
        BankEvent::Deposited { account: ann, cents: 9 },
        BankEvent::Transferred { from: ann, to: bob, cents: 4 },
    ]);
    let (anns, bobs): (Balance, Balance) = (bank.view(ann), bank.view(bob));
    assert_eq!((anns.cents, bobs.cents), (5, 4));
}
