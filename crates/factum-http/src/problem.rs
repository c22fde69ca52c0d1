//! How the service says no: problem+json (RFC 9457), with a list of fields where input is at fault.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a refusal is written in.
const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem: its URI and title are fixed and listed in the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemType {
    /// The body, a path or a header is not of the right shape.
    Shape,
    /// Nothing says who is asking.
    Unauthenticated,
    /// No role of the caller allows it.
    Denied,
    /// There is no such thing.
    NotFound,
    /// The path exists, but not with this method.
    Method,
    /// The body is not `application/json`.
    MediaType,
    /// The `Host` is not this machine, and nothing tells callers apart.
    Host,
    /// The body, or what it asks to store, is over a limit.
    TooLarge,
    /// The request did not arrive in time.
    Timeout,
    /// The stream is not where `If-Match` has it.
    Stale,
    /// Others were faster every time.
    Conflict,
    /// The domain said no.
    Rejected,
    /// The platform gave the command up.
    Failed,
    /// It is not parked.
    NotParked,
    /// What is to be acted on stands otherwise than that needs.
    State,
    /// An idempotency key came with another body before.
    KeyReused,
    /// The caller sends more requests than the rate allows.
    TooMany,
    /// Nothing was stored; try again.
    Unavailable,
    /// The answer would not show what the client has seen.
    Behind,
    /// It is not known whether the command was stored.
    Unknown,
    /// Stored data cannot be read.
    Corrupt,
}

impl ProblemType {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Shape,
        Self::Unauthenticated,
        Self::Denied,
        Self::NotFound,
        Self::Method,
        Self::MediaType,
        Self::Host,
        Self::TooLarge,
        Self::Timeout,
        Self::Stale,
        Self::Conflict,
        Self::Rejected,
        Self::Failed,
        Self::NotParked,
        Self::State,
        Self::KeyReused,
        Self::TooMany,
        Self::Unavailable,
        Self::Behind,
        Self::Unknown,
        Self::Corrupt,
    ];

    /// The URI that names it.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Shape => "urn:factum:problem:shape",
            Self::Unauthenticated => "urn:factum:problem:unauthenticated",
            Self::Denied => "urn:factum:problem:denied",
            Self::NotFound => "urn:factum:problem:not-found",
            Self::Method => "urn:factum:problem:method",
            Self::MediaType => "urn:factum:problem:media-type",
            Self::Host => "urn:factum:problem:host",
            Self::TooLarge => "urn:factum:problem:too-large",
            Self::Timeout => "urn:factum:problem:timeout",
            Self::Stale => "urn:factum:problem:stale-revision",
            Self::Conflict => "urn:factum:problem:conflict",
            Self::Rejected => "urn:factum:problem:rejected",
            Self::Failed => "urn:factum:problem:failed",
            Self::NotParked => "urn:factum:problem:not-parked",
            Self::State => "urn:factum:problem:state",
            Self::KeyReused => "urn:factum:problem:key-reused",
            Self::TooMany => "urn:factum:problem:too-many",
            Self::Unavailable => "urn:factum:problem:unavailable",
            Self::Behind => "urn:factum:problem:behind",
            Self::Unknown => "urn:factum:problem:unknown-outcome",
            Self::Corrupt => "urn:factum:problem:corrupt",
        }
    }

    /// A few words for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Shape => "the request is not of the right shape",
            Self::Unauthenticated => "nothing says who is asking",
            Self::Denied => "no role of yours allows this",
            Self::NotFound => "there is no such thing",
            Self::Method => "this path does not take this method",
            Self::MediaType => "the body is not JSON",
            Self::Host => "the request is meant for another host",
            Self::TooLarge => "too large",
            Self::Timeout => "the request did not arrive in time",
            Self::Stale => "it has changed since you read it",
            Self::Conflict => "others were faster every time",
            Self::Rejected => "rejected",
            Self::Failed => "given up",
            Self::NotParked => "it is not parked",
            Self::State => "it does not stand so that this can be done",
            Self::KeyReused => "the idempotency key belongs to another request",
            Self::TooMany => "too many requests",
            Self::Unavailable => "nothing was stored, try again",
            Self::Behind => "it does not show yet what you have seen",
            Self::Unknown => "it is not known whether the command was stored",
            Self::Corrupt => "stored data cannot be read",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Shape => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Denied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Stale => StatusCode::PRECONDITION_FAILED,
            Self::Conflict | Self::Rejected | Self::Failed | Self::NotParked | Self::State => {
                StatusCode::CONFLICT
            }
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable | Self::Behind => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown | Self::Corrupt => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// Its name: a path into the body, a path parameter, a header.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// A refusal.
///
/// ```
/// use factum_http::{Problem, ProblemType};
/// let problem = Problem::new(ProblemType::Shape, "the body lacks a field").field("value", "is missing");
/// assert_eq!(problem.status(), 400);
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    problem_type: ProblemType,
    status: StatusCode,
    detail: String,
    code: Option<String>,
    fields: Vec<FieldError>,
    /// Boxed, since few have any and every result carries the room.
    members: Option<Box<Map<String, Value>>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of this type. `detail` is a sentence that says what to do.
    pub fn new(problem_type: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            problem_type,
            status: problem_type.status(),
            detail: detail.into(),
            code: None,
            fields: Vec::new(),
            members: None,
            headers: Vec::new(),
        }
    }

    /// Naming a field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    /// With the code of a rejection.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With the action that was denied, and the roles that may do it.
    pub(crate) fn allowed(self, action: &'static str, roles: Vec<String>) -> Self {
        self.members([("action".to_owned(), action.into()), ("roles".to_owned(), roles.into())])
    }

    /// With further members, beside those that every problem has.
    pub(crate) fn members(mut self, members: impl IntoIterator<Item = (String, Value)>) -> Self {
        self.members.get_or_insert_default().extend(members);
        self
    }

    /// With another status than its type's. What is not a status from 400 to 599 becomes 409.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        let named = StatusCode::from_u16(status).ok().filter(|s| s.is_client_error() || s.is_server_error());
        self.status = named.unwrap_or(StatusCode::CONFLICT);
        self
    }

    /// With a header. A value that is not one is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// What is wrong, and what to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields at fault.
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }
}

/// Why a request was refused (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Wire<'a> {
    /// Which kind of problem: programs branch on it.
    #[serde(rename = "type")]
    problem_type: &'static str,
    /// The kind, in a few words.
    title: &'static str,
    /// The status of the answer.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What is wrong, and what to do.
    detail: &'a str,
    /// The code of a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    code: Option<&'a str>,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldError],
    #[serde(flatten)]
    #[schemars(skip)]
    members: Option<&'a Map<String, Value>>,
}

impl Problem {
    /// Its JSON.
    fn body(&self) -> Vec<u8> {
        let wire = Wire {
            problem_type: self.problem_type.uri(),
            title: self.problem_type.title(),
            status: self.status(),
            detail: &self.detail,
            code: self.code.as_deref(),
            fields: &self.fields,
            members: self.members.as_deref(),
        };
        serde_json::to_vec(&wire).expect("strings and numbers make JSON")
    }

    /// As the last answer on a connection, byte by byte: for a request that no handler sees.
    pub(crate) fn to_last_answer(&self) -> Vec<u8> {
        let body = self.body();
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut answer = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.status.as_u16(),
            body.len()
        )
        .into_bytes();
        answer.extend(body);
        answer
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body();
        let mut response = (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}
