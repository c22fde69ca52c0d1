//! User names that are unique, and stay reserved for three days after they were given up.

use super::{Answer, Example, answer, text, told, unheard_of};
use factum::{App, NewEvent, Timestamp, block_on, prelude::*};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const RESERVED_FOR: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// Without an age the published projections let a released name go at once: such events are old.
pub(super) const EXAMPLE: Example =
    Example { name: "unique-username", age: Duration::from_secs(100 * DAY.as_secs()), event, when };

#[derive(Id)]
struct Username(String);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "accounts", tags(username, from, to))]
enum AccountEvent {
    Registered { username: Username },
    Closed { username: Username },
    Renamed { from: Username, to: Username },
}

#[derive(Debug, Clone, Default)]
struct Claim {
    username: Option<Username>,
    state: ClaimState,
}

#[derive(Debug, Clone, Copy, Default)]
enum ClaimState {
    #[default]
    Free,
    Taken,
    ReleasedAt(Timestamp),
}

impl Model for Claim {
    type Scope = Tagged<Username>;
    type Event = Recorded<AccountEvent>;
    fn start(username: &Username) -> Self {
        Self { username: Some(username.clone()), state: ClaimState::Free }
    }
    fn apply(&mut self, recorded: Recorded<AccountEvent>) {
        let released = ClaimState::ReleasedAt(recorded.recorded_at());
        self.state = match &recorded.event {
            AccountEvent::Registered { .. } => ClaimState::Taken,
            AccountEvent::Renamed { to, .. } if Some(to) == self.username.as_ref() => ClaimState::Taken,
            AccountEvent::Closed { .. } | AccountEvent::Renamed { .. } => released,
        };
    }
}

#[derive(Command)]
#[command(name = "accounts.register")]
struct Register(Username);

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
enum RegisterRejected {
    #[error("Username \"{0}\" is claimed")]
    Claimed(Username),
}

impl Decide for Register {
    type Event = AccountEvent;
    type Models = Claim;
    type Rejection = RegisterRejected;
    fn keys(&self) -> Username {
        self.0.clone()
    }
    fn decide(&self, claim: &Claim, context: &Context) -> Decision<Self> {
        let claimed = match claim.state {
            ClaimState::Free => false,
            ClaimState::Taken => true,
            ClaimState::ReleasedAt(at) => context.now().since(at) <= RESERVED_FOR,
        };
        ensure!(!claimed, RegisterRejected::Claimed(self.0.clone()));
        emit(AccountEvent::Registered { username: self.0.clone() })
    }
}

fn event(kind: &str, data: &Value) -> NewEvent {
    let name = |field| Username::from(text(data, field).to_owned());
    let event = match kind {
        "AccountRegistered" => AccountEvent::Registered { username: name("username") },
        "AccountClosed" => AccountEvent::Closed { username: name("username") },
        "UsernameChanged" => AccountEvent::Renamed { from: name("oldUsername"), to: name("newUsername") },
        other => unheard_of(other),
    };
    event.to_new()
}

fn when(app: &App, command: &str, data: &Value) -> Answer {
    let tell = |event: &AccountEvent| match event {
        AccountEvent::Registered { username } => told("AccountRegistered", json!({"username": username})),
        other => panic!("registering gave {other:?}"),
    };
    match command {
        "registerAccount" => {
            answer(block_on(app.execute(Register(text(data, "username").to_owned().into()))), tell)
        }
        other => unheard_of(other),
    }
}
