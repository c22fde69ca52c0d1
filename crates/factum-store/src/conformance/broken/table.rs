//! The table of broken stores: which promise each breaks, and how.

use super::{
    Broken,
    fault::{Fault, Part},
};
use crate::conformance::Promise;

macro_rules! broken {
    ($($breaks:ident $name:ident = $switch:expr, $fault:literal;)+) => {
        /// Every broken store, in the order of the promises.
        pub const ALL: &[Broken] = &[$(
            Broken { name: stringify!($name), breaks: Promise::$breaks, fault: $fault, switch: $switch },
        )+];
    };
}

broken! {
    L1 refused_takes_numbers = Fault::RefusedTakesNumbers,
        "numbers come from a counter that moves before the condition is judged, so that a refusal leaves a gap";
    L1 empty_takes_position = Fault::EmptyTakesPosition,
        "a commit without events takes a position, as if it had one";
    L1 empty_takes_no_sequence = Fault::EmptyTakesNoSequence,
        "commits without events share the sequence of the commit before them";
    L2 visible_part_by_part = Fault::VisiblePartByPart,
        "events are made visible one at a time, and readers come in between";
    L2 torn_when_given_up = Fault::TornWhenGivenUp,
        "an append makes its last event visible after it was resumed, which it is not when it was given up";
    L2 keeps_events_before_taken_id = Fault::KeepsEventsBeforeTakenId,
        "a taken event id is noticed when its event is written; the events before it stay";
    L3 ordered_by_effective_time = Fault::OrderedByEffectiveTime,
        "a page is sorted by effective time, taken for the order of positions";
    L3 correction_overwrites = Fault::CorrectionOverwrites,
        "a correction is written over the event it supersedes";
    L4 revision_per_type = Fault::RevisionPerType,
        "revisions are counted per stream and type";
    L4 revision_once_per_commit = Fault::RevisionOncePerCommit,
        "the last revision is looked up once per commit, so that events of one stream share it";
    L4 revision_always_current = Fault::RevisionAlwaysCurrent,
        "a revision asked as of a position is the one of now";
    L5 streams_judged_outside_lock = Fault::JudgedOutsideLock(Part::Streams),
        "stream expectations are judged before the lock is taken, and not again";
    L5 exactly_is_at_least = Fault::ExactlyIsAtLeast,
        "a stream that is further along passes for the revision expected";
    L5 only_written_streams = Fault::OnlyWrittenStreams,
        "expectations of streams that the commit does not write to are skipped";
    L5 first_stream_only = Fault::FirstStreamOnly,
        "only the first stream expectation is judged";
    L6 fresh_judged_outside_lock = Fault::JudgedOutsideLock(Part::Fresh),
        "`fresh` is judged before the lock is taken, and not again";
    L6 type_guard_outside_lock = Fault::TypeGuardOutsideLock,
        "locks are kept per tag, so that a guard without a tag is judged outside all of them";
    L6 locks_what_is_written = Fault::LocksWhatIsWritten,
        "locks are taken for the tags that are written, not for those that were read";
    L6 fresh_off_by_one = Fault::FreshOffByOne,
        "`fresh` skips the event right after what was read";
    L6 fresh_first_item_only = Fault::FreshFirstItemOnly,
        "`fresh` asks only the first item of its query";
    L6 guards_see_recent_only = Fault::GuardsSeeRecentOnly,
        "`fresh` is asked of a window of recent events, whatever was read";
    L6 stale_tells_first = Fault::StaleTellsFirst,
        "`Stale` tells the first match instead of the last";
    L7 absent_judged_outside_lock = Fault::JudgedOutsideLock(Part::Absent),
        "`absent` is judged before the lock is taken, and not again";
    L7 absent_cached = Fault::AbsentCached,
        "that a query matches nothing is kept in a cache which no append clears";
    L7 absent_sees_recent_only = Fault::AbsentSeesRecentOnly,
        "`absent` is asked of a window of recent events";
    L7 absent_tells_last = Fault::AbsentTellsLast,
        "`AlreadyExists` tells the last match instead of the first";
    L8 tracking_judged_outside_lock = Fault::JudgedOutsideLock(Part::Tracking),
        "progress is compared before the lock is taken, and not again";
    L8 last_progress_wins = Fault::LastProgressWins,
        "progress is set to whatever comes last";
    L8 equal_progress_holds = Fault::EqualProgressHolds,
        "equal progress passes for growth";
    L8 source_by_prefix = Fault::SourceByPrefix,
        "progress is kept by the part of the source's name before the slash";
    L8 refused_moves_progress = Fault::RefusedMovesProgress,
        "progress moves as soon as it was compared, whatever the other parts say";
    L9 batch_judged_at_start = Fault::BatchJudgedAtStart,
        "all commits of a batch are judged on what stood before it";
    L9 batch_stops_at_refusal = Fault::BatchStopsAtRefusal,
        "a batch is one transaction: after a refusal the rest is refused with it";
    L9 empty_not_judged = Fault::EmptyNotJudged,
        "the condition of a commit without events is not judged";
    L9 tracking_alone = Fault::TrackingAlone,
        "a condition that tracks an input is judged by that alone";
    L9 judged_backwards = Fault::JudgedBackwards,
        "the cheap parts of a condition are judged first, and another failure is reported";
    L10 next_skips = Fault::NextSkips,
        "the next page begins one event too late";
    L10 next_repeats_backwards = Fault::NextRepeatsBackwards,
        "reading backwards, the next page begins with the last event of this one";
    L10 limit_before_filter = Fault::LimitBeforeFilter,
        "the limit counts events before they are filtered, and a short page passes for the last";
    L10 byte_bound_drops_event = Fault::ByteBoundDropsEvent,
        "the event that would bring a page over its bytes is taken off the scan and lost";
    L10 up_to_is_exclusive = Fault::UpToIsExclusive,
        "the event at `up_to` is left out";
    L10 tags_by_hash = Fault::TagsByHash,
        "the tag index is keyed by one byte of a hash, and what it finds is not compared";
    L10 tags_joined_by_or = Fault::TagsJoinedByOr,
        "an event with one of an item's tags matches, where it should have all";
    L10 category_by_prefix = Fault::CategoryByPrefix,
        "a category matches every stream whose name begins with it";
    L10 first_item_of_query_only = Fault::FirstItemOfQueryOnly,
        "a read asks only the first item of its query";
    L11 decided_judged_outside_lock = Fault::JudgedOutsideLock(Part::Decided),
        "whether a command was decided is asked before the lock is taken, and not again";
    L11 empty_not_found = Fault::EmptyNotFound,
        "commands are found by their events, so that one without any is not";
    L11 empty_stands_at_head = Fault::EmptyStandsAtHead,
        "a commit without events tells the head there is when it is read, not the one it was stored behind";
    L11 empty_not_decided = Fault::EmptyNotDecided,
        "a decision without events is not remembered as one";
    L11 parked_is_final = Fault::ParkedIsFinal,
        "a parked command counts as decided";
    L12 limits_after_write = Fault::LimitsAfterWrite,
        "a commit is checked after it was written";
    L12 conditions_not_checked = Fault::ConditionsNotChecked,
        "the bounds of a commit are checked, those of its condition are not";
    L12 batch_not_bounded = Fault::BatchNotBounded,
        "a batch may hold any number of commits";
    L12 long_labels_cut = Fault::LongLabelsCut,
        "an actor or tenant that is too long is cut to fit";
    L13 clock_followed = Fault::ClockFollowed,
        "recorded time is what the clock says, also when it was set back";
    L13 effective_is_issued = Fault::EffectiveIsIssued,
        "effective time defaults to when the command came in";
    L13 effective_is_clock = Fault::EffectiveIsClock,
        "effective time defaults to a second look at the clock";
    L14 ids_judged_outside_lock = Fault::JudgedOutsideLock(Part::Ids),
        "event ids are compared before the lock is taken, and not again";
    L14 repeated_ids_pass = Fault::RepeatedIdsPass,
        "event ids are compared with those of the log, not with each other";
    L14 given_ids_not_found = Fault::GivenIdsNotFound,
        "an event is found through the command its id derives from, so that one with a given id is not";
    L14 found_by_family = Fault::FoundByFamily,
        "events are found by the part of the id that they share with their command";
    L14 derived_skips_given = Fault::DerivedSkipsGiven,
        "ids are derived by counting only the events that were given none";
    L15 head_before_write = Fault::HeadBeforeWrite,
        "the head is published before the write is complete";
    L15 reads_behind = Fault::ReadsBehind,
        "reads go to a replica that lags one commit behind";
    L15 index_behind = Fault::IndexBehind,
        "the index that answers queries lags one commit behind the log";
    L15 pages_cached = Fault::PagesCached,
        "a page that was read once is served from a cache which no append clears";
    L15 empty_wakes_nobody = Fault::EmptyWakesNobody,
        "a commit without events wakes no one who waits for commits";
    L16 headers_as_map = Fault::HeadersAsMap,
        "headers are kept in a map: their order and repeats are lost";
    L16 times_in_milliseconds = Fault::TimesInMilliseconds,
        "effective times are stored in milliseconds";
    L16 tags_sorted = Fault::TagsSorted,
        "tags come back in the order of the index";
    L16 logged_payload_lost = Fault::LoggedPayloadLost,
        "a payload that stands in the command log is read back as none";
    L16 tracking_lost = Fault::TrackingLost,
        "progress is kept beside the log, and the commit no longer says what it tracks";
    L17 tail_not_flushed = Fault::TailNotFlushed,
        "a commit is acknowledged while it stands in a buffer that the next one flushes";
    L17 empty_not_written = Fault::EmptyNotWritten,
        "commits without events are kept in memory only";
    L17 progress_not_rebuilt = Fault::ProgressNotRebuilt,
        "progress is not rebuilt when the log is opened";
    L17 decided_not_rebuilt = Fault::DecidedNotRebuilt,
        "which commands were decided is not rebuilt when the log is opened";
    L17 refused_written = Fault::RefusedWritten,
        "a commit is written before it is judged, and comes back when the log is opened";
    L17 identity_not_kept = Fault::IdentityNotKept,
        "the identity is made when the log is opened, not when it is created";
    L18 guards_by_hash = Fault::GuardsByHash,
        "guards are compared by one byte of a hash of each tag";
    L18 any_append_collides = Fault::AnyAppendCollides,
        "whatever was appended since the transaction began is reported as stale";
    L18 guards_ignore_types = Fault::GuardsIgnoreTypes,
        "a guard with tags is judged by them alone, whatever types it asks for";
}
