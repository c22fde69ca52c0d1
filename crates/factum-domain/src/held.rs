//! Owns which types a `#[meta]` field can have: one for each part of a record, and what to say of others.

use factum_event::{
    CommandId, CorrelationId, EventId, Position, RecordedEvent, Revision, StreamName, Timestamp,
};

macro_rules! parts {
    ($($holds:ident $message:tt [$($generics:tt)*] $ty:ty, $record:ident => $value:expr;)*) => {$(
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(
            message = $message,
            label = "another type than the record has",
            note = "`position`: Position, `id`: EventId, `stream`: StreamName, `revision`: Revision, \
                    `recorded_at` and `effective_at`: Timestamp, `actor` and `tenant`: Option<String>, \
                    `command_id`: CommandId, `correlation`: CorrelationId"
        )]
        pub trait $holds {
            fn held(record: &RecordedEvent) -> Self;
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $holds for $ty {
            fn held($record: &RecordedEvent) -> Self {
                $value
            }
        }
    )*};
}

parts! {
    HoldsPosition "`#[meta] position` is a `Position`, not a `{Self}`"
        [] Position, record => record.position;
    HoldsId "`#[meta] id` is an `EventId`, not a `{Self}`"
        [] EventId, record => record.id;
    HoldsStream "`#[meta] stream` is a `StreamName`, not a `{Self}`"
        [] StreamName, record => record.stream.clone();
    HoldsRevision "`#[meta] revision` is a `Revision`, not a `{Self}`"
        [] Revision, record => record.revision;
    HoldsRecordedAt "`#[meta] recorded_at` is a `Timestamp`, not a `{Self}`"
        [] Timestamp, record => record.recorded_at();
    HoldsEffectiveAt "`#[meta] effective_at` is a `Timestamp`, not a `{Self}`"
        [] Timestamp, record => record.effective_at;
    HoldsActor "`#[meta] actor` is an `Option<String>` or `Option<Arc<str>>`, not a `{Self}`: there may be none"
        [T: for<'a> From<&'a str>] Option<T>, record => record.actor().map(T::from);
    HoldsTenant "`#[meta] tenant` is an `Option<String>` or `Option<Arc<str>>`, not a `{Self}`: there may be none"
        [T: for<'a> From<&'a str>] Option<T>,
        record => record.commit.metadata.tenant.as_deref().map(T::from);
    HoldsCommandId "`#[meta] command_id` is a `CommandId`, not a `{Self}`"
        [] CommandId, record => record.command_id();
    HoldsCorrelation "`#[meta] correlation` is a `CorrelationId`, not a `{Self}`"
        [] CorrelationId, record => record.commit.correlation();
}
