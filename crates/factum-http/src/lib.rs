//! HTTP for an application: extractors that refuse with the field at fault, the 202 answer, the status of
//! commands, and a server that drains and can be watched.
//!
//! Who is asking is settled before anything else: [`Gate`] lets a [`Caller`] in, [`Routes`] holds them to the
//! [`Permissions`] of the service, [`Audit`] keeps what was denied.
//!
//! Knows the facade, never a backend. Every error becomes a status in [`mod@error`], nowhere else.

mod access;
mod admin;
mod any_command;
mod audit;
mod body;
mod caller;
mod commands;
mod connection;
mod cursor;
mod endpoint;
pub mod error;
mod etag;
mod events;
mod feeds;
mod gate;
mod health;
mod in_process;
mod incoming;
mod limits;
mod listed;
mod metrics;
mod observed;
mod openapi;
mod operate;
mod path;
mod permissions;
mod platform;
mod prefer;
mod problem;
mod rate;
mod routes;
mod send;
mod server;
mod service;
mod since;
mod start;
mod tokens;
mod trace;
mod wire;

pub use access::Access;
pub use audit::{Audit, Denial};
pub use body::Body;
pub use caller::{Caller, InvalidRole, ROLE_BYTES_MAX, Role};
pub use endpoint::{Endpoint, delete, get, post, put};
pub use etag::IfNoneMatch;
pub use gate::Gate;
pub use health::READY_TIME_MAX;
pub use in_process::{Administered, Administration};
pub use incoming::Incoming;
pub use limits::{
    BODY_BYTES_MAX, BODY_TIME_MAX, CONNECTIONS_MAX, HEAD_BYTES_MAX, HEAD_TIME_MAX, IDLE_TIME_MAX,
    IN_FLIGHT_MAX, InvalidRate, Limits, PAGE_ITEMS_MAX, Patience, RATE_MAX, Rate, STREAMS_MAX,
    UNREAD_TIME_MAX,
};
pub use listed::Listed;
pub use metrics::{Metrics, ServiceMetrics};
pub use openapi::{Describe, Description, Time};
pub use path::{PathId, PathMonth};
pub use permissions::Permissions;
pub use prefer::WAIT_MAX;
pub use problem::{FieldError, Problem, ProblemType};
pub use routes::Routes;
pub use send::Sending;
pub use server::{DRAIN_TIME_MAX, ListenError, Server};
pub use service::Service;
pub use since::{FRESH_WITHIN, Fresh, Since};
pub use start::start_text;
pub use tokens::{InvalidTokens, TOKENS_FILE_BYTES_MAX, TOKENS_MAX, Tokens, TokensError, sha256_hex};
