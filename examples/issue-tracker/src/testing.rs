//! What the tests of the decisions are given.

use crate::{IssueEvent, IssueId, IssueNumber, State};
use factum::{Fact, Given, Uuid, prelude::*};

/// The issue with this id.
pub(crate) fn id(nth: u128) -> IssueId {
    Uuid::from_u128(nth).into()
}

/// The issue that most tests are about.
pub(crate) fn issue() -> IssueId {
    id(1)
}

/// Issue `nth` began as `number`.
pub(crate) fn created(nth: u128, number: u64) -> IssueEvent {
    IssueEvent::IssueCreated {
        issue: id(nth),
        number: IssueNumber::new(number),
        title: "Crash".to_owned(),
        description: "It crashes".to_owned(),
        priority: 3,
    }
}

/// Ann created [`issue`]; what follows is asked by bob, in minute 2.
pub(crate) fn anns() -> Given {
    given_nothing().actor("ann").at(minute(1)).and([created(1, 1)]).actor("bob").at(minute(2))
}

/// The same, and it was deleted.
pub(crate) fn deleted() -> Given {
    anns().and([IssueEvent::IssueDeleted { issue: issue() }])
}

/// The same, and the work came so far.
pub(crate) fn come_to(after: State) -> Given {
    anns().and([changed(State::New, after)])
}

/// The work went on.
pub(crate) fn changed(before: State, after: State) -> IssueEvent {
    IssueEvent::StateChanged { issue: issue(), before, after }
}

/// It happened when bob asked for it.
pub(crate) fn then(event: IssueEvent) -> Fact<IssueEvent> {
    fact(event).effective_at(minute(2))
}

pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * 60_000_000)
}
