//! What extractors take of a request, so that a handler's arguments describe it.

use super::{Description, HeldAt, Place};
use crate::{
    Body, Caller, IfNoneMatch, Incoming, PathId, ProblemType, Since, WAIT_MAX, audit,
    body::BodyOrNothing,
    etag, incoming, prefer,
    since::{FRESH_WITHIN, POSITION},
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Uri},
};
use schemars::JsonSchema;
use serde_json::{Value, json};
use std::{fmt::Display, str::FromStr};

/// What an extractor takes of a request. One that takes nothing of it has nothing to say.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it takes of a request",
    note = "implement `factum_http::Describe` for an extractor of your own"
)]
pub trait Describe {
    /// Adds it to the description of a route.
    fn describe(route: &mut Description);
}

/// The arguments of a handler. axum tells them as a tuple that begins with a mark of its own.
#[doc(hidden)]
pub trait Inputs {
    fn describe_all(route: &mut Description);
}

impl Inputs for ((),) {
    fn describe_all(_: &mut Description) {}
}

macro_rules! inputs {
    ($($argument:ident)*) => {
        impl<M, $($argument: Describe),*> Inputs for (M, $($argument,)*) {
            fn describe_all(route: &mut Description) {
                $($argument::describe(route);)*
            }
        }
    };
}

inputs!(A);
inputs!(A B);
inputs!(A B C);
inputs!(A B C D);
inputs!(A B C D E);
inputs!(A B C D E F);
inputs!(A B C D E F G);
inputs!(A B C D E F G H);

macro_rules! say_nothing {
    ($($extractor:ty, [$($parameter:ident)?];)*) => {
        $(impl$(<$parameter>)? Describe for $extractor {
            fn describe(_: &mut Description) {}
        })*
    };
}

say_nothing! {
    State<S>, [S];
    Extension<E>, [E];
    Caller, [];
    audit::Place, [];
    // What is read out of these is said where the route is declared.
    Uri, [];
    HeaderMap, [];
}

impl<T: JsonSchema> Describe for Body<T> {
    fn describe(route: &mut Description) {
        route.body::<T>();
    }
}

impl<T: JsonSchema> Describe for BodyOrNothing<T> {
    fn describe(route: &mut Description) {
        route.body_or_nothing::<T>();
    }
}

impl<T: FromStr<Err: Display> + Display> Describe for PathId<T> {
    fn describe(route: &mut Description) {
        route.parameter(
            Place::Path,
            "id",
            "Which one is meant, spelled as it was given out.",
            id_schema::<T>(),
        );
        route.refuses([ProblemType::NotFound]);
    }
}

/// The form of an id, by what it takes.
pub(crate) fn id_schema<T: FromStr<Err: Display> + Display>() -> Value {
    let takes = |text: &str| text.parse::<T>().is_ok_and(|id| id.to_string() == text);
    let number = json!({"type": "string", "pattern": "^(0|[1-9][0-9]*)$"});
    let uuid = json!({"type": "string", "format": "uuid"});
    match (takes("any"), takes("17"), takes("6f1d4ee6-7b4c-4bb1-9d2b-0a7d5a3c9e10")) {
        (true, _, _) => json!({"type": "string"}),
        (false, true, true) => json!({"anyOf": [number, uuid]}),
        (false, true, false) => number,
        (false, false, true) => uuid,
        (false, false, false) => json!({"type": "string"}),
    }
}

impl Describe for Incoming {
    fn describe(route: &mut Description) {
        let key = format!(
            "Names the request for its caller, method and path: sent again under its key it changes nothing \
             and gives the same ids. 1 to {} visible ASCII characters.",
            incoming::KEY_BYTES_MAX
        );
        let pattern = format!("^[!-~]{{1,{}}}$", incoming::KEY_BYTES_MAX);
        route.parameter(Place::Header, incoming::KEY, key, json!({"type": "string", "pattern": pattern}));
        waits(route);
        let tags = format!(
            "The command is carried out only if its stream is at one of these revisions: `*`, or 1 to {} \
             entity tags as `ETag` gave them out.",
            etag::TAGS_MAX
        );
        route.parameter(Place::Header, "If-Match", tags, json!({"type": "string", "examples": ["\"3\""]}));
    }
}

/// What a client may prefer.
fn waits(route: &mut Description) {
    let wait = format!(
        "`wait=N` waits for the outcome of a command, or for a read to show what was there at \
         `{POSITION}`, N seconds and at most {}; other preferences are passed over.",
        WAIT_MAX.as_secs()
    );
    let schema = json!({"type": "string", "examples": ["wait=10"]});
    route.parameter(Place::Header, prefer::PREFER, wait, schema);
}

impl Describe for Since {
    fn describe(route: &mut Description) {
        let about = format!(
            "What the client last saw, as an answer gave it in the header of this name: waits until the answer \
             shows it, for {} s unless `Prefer` says otherwise.",
            FRESH_WITHIN.as_secs()
        );
        let pattern = r"^[0-9a-f]{32}(\.[0-9a-f]+){2,}$";
        route.parameter(Place::Header, POSITION, about, json!({"type": "string", "pattern": pattern}));
        waits(route);
        route.refuses([ProblemType::Behind]);
        route.held_at = HeldAt::Always;
    }
}

impl Describe for IfNoneMatch {
    fn describe(route: &mut Description) {
        let tags = format!(
            "What the client has already: `*`, or 1 to {} entity tags as `ETag` gave them out.",
            etag::TAGS_MAX
        );
        let schema = json!({"type": "string", "examples": ["\"3\""]});
        route.parameter(Place::Header, "If-None-Match", tags, schema);
        route.tagged = true;
        route.answer(304, "The client has it already.", None);
    }
}
