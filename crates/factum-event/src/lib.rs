//! The vocabulary every other crate speaks: names, numbers, ids, commits, queries, tokens.
//!
//! Plain data. No I/O, no clock, no randomness, no async: a value here means the same for ever.
//! Values that come from outside are checked by their constructors; a commit as a whole is checked by
//! [`NewCommit::check`], which every store calls before it writes.

mod commit;
mod condition;
mod id;
pub mod limits;
mod name;
mod number;
mod outcome;
mod period;
mod query;
mod recorded;
mod time;
mod token;
mod value;

pub use commit::{
    Codec, CommandPayload, CommandRecord, InvalidCommit, Metadata, NewCommit, NewEvent, Tracking,
};
pub use condition::{Condition, Expected};
pub use id::{CausationId, CommandId, CorrelationId, EventId, LogId};
pub use name::{Category, CommandName, EventType, InvalidName, Source, StreamName, Tag};
pub use number::{Position, Revision, Sequence};
pub use outcome::{Outcome, Rejection};
pub use period::{Day, InvalidPeriod, Month};
pub use query::{Query, QueryItem, StreamFilter};
pub use recorded::{Commit, CommitHeader, RecordedEvent};
pub use time::{InvalidTimestamp, Timestamp};
pub use token::{InvalidToken, LogIdentity, Token};
pub use value::Value;
