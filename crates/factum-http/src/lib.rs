//! HTTP for an application: extractors that refuse with the field at fault, the 202 answer, the status of
//! commands, and a server that drains and can be watched.
//!
//! Knows the facade, never a backend. Every error becomes a status in [`mod@error`], nowhere else.

mod accepted;
mod body;
mod caller;
mod commands;
pub mod error;
mod health;
mod incoming;
mod metrics;
mod observed;
mod path;
mod problem;
mod server;
mod service;
mod start;
mod trace;

pub use accepted::accepted;
pub use body::{BODY_BYTES_MAX, Body};
pub use caller::{Access, Caller, Role};
pub use health::READY_TIME_MAX;
pub use incoming::Incoming;
pub use metrics::{Metrics, ServiceMetrics};
pub use path::PathId;
pub use problem::{FieldError, Problem, ProblemType};
pub use server::{DRAIN_TIME_MAX, ListenError, Server};
pub use service::Service;
pub use start::start_text;
