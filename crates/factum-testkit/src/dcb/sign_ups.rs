//! Sign-ups confirmed by a token that was sent by e-mail, belongs to that address, and expires.

use super::{Answer, Example, answer, text, told, unheard_of};
use factum::{App, NewEvent, Timestamp, block_on, prelude::*};
use serde_json::{Value, json};
use std::time::Duration;

const EXPIRES_AFTER: Duration = Duration::from_secs(60 * 60);

pub(super) const EXAMPLE: Example = Example { name: "opt-in-token", age: Duration::ZERO, event, when };

#[derive(Id)]
struct Email(String);
#[derive(Id)]
struct Otp(String);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "sign_up", tags(email, otp))]
enum SignUpEvent {
    Initiated { email: Email, otp: Otp, name: String },
    Confirmed { email: Email, otp: Otp, name: String },
}

#[derive(Subset)]
#[subset(of = SignUpEvent)]
enum PendingEvent {
    Initiated {
        name: String,
        #[meta]
        recorded_at: Timestamp,
    },
    Confirmed,
}

#[derive(Debug, Clone, Default)]
struct Pending {
    name: Option<String>,
    since: Timestamp,
    used: bool,
}

impl Model for Pending {
    type Scope = (Tagged<Email>, Tagged<Otp>);
    type Event = PendingEvent;
    fn apply(&mut self, event: PendingEvent) {
        match event {
            PendingEvent::Initiated { name, recorded_at } => {
                *self = Self { name: Some(name), since: recorded_at, used: false };
            }
            PendingEvent::Confirmed => self.used = true,
        }
    }
}

#[derive(Command)]
#[command(name = "sign_up.confirm")]
struct Confirm {
    email: Email,
    otp: Otp,
}

impl Decide for Confirm {
    type Event = SignUpEvent;
    type Models = Pending;
    type Rejection = Refused;
    fn keys(&self) -> Keys<Self> {
        (self.email.clone(), self.otp.clone())
    }
    fn decide(&self, pending: &Pending, context: &Context) -> Decision<Self> {
        let name = pending.name.clone().ok_or("No pending sign-up for this OTP / email address")?;
        ensure!(!pending.used, "OTP was already used");
        ensure!(context.now().since(pending.since) <= EXPIRES_AFTER, "OTP expired");
        emit(SignUpEvent::Confirmed { email: self.email.clone(), otp: self.otp.clone(), name })
    }
}

fn parts(data: &Value) -> (Email, Otp) {
    (text(data, "emailAddress").to_owned().into(), text(data, "otp").to_owned().into())
}

fn event(kind: &str, data: &Value) -> NewEvent {
    let ((email, otp), name) = (parts(data), text(data, "name").to_owned());
    match kind {
        "SignUpInitiated" => SignUpEvent::Initiated { email, otp, name }.to_new(),
        "SignUpConfirmed" => SignUpEvent::Confirmed { email, otp, name }.to_new(),
        other => unheard_of(other),
    }
}

fn when(app: &App, command: &str, data: &Value) -> Answer {
    let (email, otp) = parts(data);
    let tell = |event: &SignUpEvent| match event {
        SignUpEvent::Initiated { .. } => unheard_of("initiation by a confirmation"),
        SignUpEvent::Confirmed { email, otp, name } => {
            told("SignUpConfirmed", json!({"emailAddress": email, "otp": otp, "name": name}))
        }
    };
    match command {
        "confirmSignUp" => answer(block_on(app.execute(Confirm { email, otp })), tell),
        other => unheard_of(other),
    }
}

/// The published case of an expired token sends another token, and so never meets the rule: these do.
pub(super) fn cases() -> Vec<Value> {
    let case = |minutes_ago: u64, then: (&str, Value)| {
        let john = json!({"emailAddress": "john.doe@example.com", "otp": "333333", "name": "John Doe"});
        let mut case = json!({
            "description": format!("Confirm SignUp {minutes_ago} minutes after it was initiated"),
            "givenEvents": [{"type": "SignUpInitiated", "data": john, "metadata": {"minutesAgo": minutes_ago}}],
            "whenCommand": {"type": "confirmSignUp", "data": {"emailAddress": "john.doe@example.com", "otp": "333333"}},
        });
        case[then.0] = then.1;
        case
    };
    let confirmed = told(
        "SignUpConfirmed",
        json!({"emailAddress": "john.doe@example.com", "otp": "333333", "name": "John Doe"}),
    );
    vec![case(61, ("thenExpectedError", json!("OTP expired"))), case(60, ("thenExpectedEvent", confirmed))]
}
