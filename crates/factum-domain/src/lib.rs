//! What applications write against: ids, events, models, decisions, and how they are tested.
//!
//! Pure and synchronous: no I/O, no clock, no randomness. What a decision needs from the world arrives
//! in its command or in its [`Context`], so that deciding the same command over the same events gives
//! the same answer for ever. Loading models, appending and retrying belong to the runtime, which sees
//! [`Models`], [`Decide`] and [`Command`] and nothing behind them.

mod command;
mod commands;
mod context;
mod decide;
mod decode;
mod diff;
mod event;
mod events;
mod given;
mod held;
mod id;
mod model;
mod models;
mod projection;
mod reached;
mod recorded;
mod reject;
mod scope;
mod shape;
mod snapshot;
mod tagged;
mod view;
mod view_key;

pub use command::{Command, CommandDecodeError};
pub use commands::{CommandVisitor, Commands};
pub use context::Context;
pub use decide::{Decide, Decision, Keys, emit, nothing};
pub use decode::DecodeError;
pub use diff::{Diff, diff};
pub use event::{Event, EventDescriptor, EventSet};
pub use events::{Events, Fact, IntoEvents, fact};
pub use given::{Given, Happened, When, given, given_nothing, given_stored};
pub use id::Id;
pub use model::{Key, Model};
pub use models::{Models, OneModel, SeveralModels};
pub use projection::{Page, Projection};
pub use reached::ReachedBy;
pub use recorded::Recorded;
pub use reject::{Never, Refused, Reject, RejectCase};
pub use scope::{Boundary, Everything, Last, Scope, Stream, Tagged};
#[doc(hidden)]
pub use snapshot::SnapshotPlan;
pub use snapshot::{Snapshot, SnapshotState};
pub use tagged::TagField;
pub use view::{Mode, OnError, View, ViewEvent};
pub use view_key::ViewKey;

/// What generated code names. No promise is made about it.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        Command, CommandDecodeError, DecodeError, Event, EventDescriptor, EventSet, Id, Model, ReachedBy,
        Reject, RejectCase, Stream, TagField, Tagged,
        command::{decode_command, encode_command},
        decode::{decode_payload, encode_payload, newer, same_variant},
        event::{includes, new_event},
        held::{
            HoldsActor, HoldsCommandId, HoldsCorrelation, HoldsEffectiveAt, HoldsId, HoldsPosition,
            HoldsRecordedAt, HoldsRevision, HoldsStream, HoldsTenant,
        },
        id::IdValue,
        reached::{CarriesTag, LivesInStreamOf, UnknownVariant, VariantAt, descriptor_at, variant_index},
        reject::{Reason, is_reason, rejected},
        view::{Kept, form, read},
    };
    pub use bytes::Bytes;
    pub use factum_event::{NewEvent, RecordedEvent, StreamName, Tag};
    pub use serde;
}
