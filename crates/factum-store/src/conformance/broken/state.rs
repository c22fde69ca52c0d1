//! What an engine holds in memory: the log, what was told of it, and what it looks things up in.

use super::fault::{Fault, Part};
use crate::{Append, Head, Stored};
use factum_event::{
    CommandId, Commit, CommitHeader, EventId, NewCommit, NewEvent, Position, RecordedEvent, Revision,
    Sequence, Source, StreamName, Tag, Timestamp, Tracking,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) commits: Vec<Commit>,
    pub(super) events: Vec<RecordedEvent>,
    /// The last numbers given out.
    pub(super) taken: Head,
    /// What readers are told.
    pub(super) visible: Head,
    /// What queries are answered from.
    pub(super) indexed: Position,
    pub(super) ids: HashMap<EventId, Position>,
    pub(super) decided: HashMap<CommandId, Sequence>,
    pub(super) progress: HashMap<String, (u64, Sequence)>,
    revisions: HashMap<String, Revision>,
    /// Queries that matched nothing once.
    pub(super) absent: HashSet<String>,
}

impl State {
    pub(super) fn revision(&self, stream: &StreamName, at: Position) -> Option<Revision> {
        let of_stream = |event: &&RecordedEvent| event.position <= at && event.stream == *stream;
        self.events.iter().rev().find(of_stream).map(|event| event.revision)
    }

    /// Gives the commit its numbers and takes it in.
    pub(super) fn write(&mut self, fault: Option<Fault>, append: Append, now: Timestamp) -> (Commit, Stored) {
        let Append { commit, condition } = append;
        let ids = event_ids(fault, &commit);
        let NewCommit { command, outcome, mut events } = commit;
        if fault == Some(Fault::KeepsEventsBeforeTakenId) {
            let taken = ids.iter().position(|id| self.ids.contains_key(id));
            events.truncate(taken.unwrap_or(events.len()));
        }
        let shares = fault == Some(Fault::EmptyTakesNoSequence) && events.is_empty();
        let last = self.taken.sequence;
        let sequence = if shares && last > Sequence::START { last } else { last.next() };
        let previous = self.commits.last().map_or(now, |commit| commit.header.recorded_at);
        let recorded_at = if fault == Some(Fault::ClockFollowed) { now } else { now.max(previous) };
        let header = Arc::new(CommitHeader {
            sequence,
            recorded_at,
            command_id: command.id,
            command_name: command.name,
            issued_at: command.issued_at,
            metadata: command.metadata,
        });
        if fault == Some(Fault::EmptyTakesPosition) && events.is_empty() {
            self.taken.position = self.taken.position.next();
        }
        let mut position = self.taken.position;
        let mut revisions = HashMap::new();
        let mut recorded = Vec::with_capacity(events.len());
        for (event, id) in events.into_iter().zip(ids) {
            position = position.next();
            let revision = self.next_revision(fault, &event, &mut revisions);
            recorded.push(record(fault, event, id, (position, revision), &header, now));
        }
        let stored = Stored {
            sequence,
            recorded_at,
            first: recorded.first().map_or(position, |event| event.position),
            revisions: recorded.iter().map(|event| event.revision).collect(),
        };
        let tracking = condition.tracking.filter(|_| fault != Some(Fault::TrackingLost));
        let payload = command.payload;
        let commit = Commit { header, position, payload, outcome, tracking, events: recorded };
        self.taken.sequence = sequence;
        (commit, stored)
    }

    fn next_revision(
        &self,
        fault: Option<Fault>,
        event: &NewEvent,
        in_commit: &mut HashMap<String, Revision>,
    ) -> Revision {
        let key = revision_key(fault, &event.stream, event.event_type.as_str());
        let last = in_commit.get(&key).or_else(|| self.revisions.get(&key)).copied();
        let next = last.map_or(Revision::default(), Revision::next);
        if fault != Some(Fault::RevisionOncePerCommit) {
            in_commit.insert(key, next);
        }
        next
    }

    /// Takes in a commit that has its numbers: one just written, or one found when the log was opened.
    pub(super) fn take(&mut self, fault: Option<Fault>, commit: &Commit, reopening: bool) {
        let Commit { header, outcome, tracking, events, .. } = commit;
        for event in events {
            if let (Some(Fault::CorrectionOverwrites), Some(corrected)) = (fault, event.corrects) {
                self.overwrite(corrected, event);
            }
            self.ids.insert(event.id, event.position);
            let key = revision_key(fault, &event.stream, event.event_type.as_str());
            self.revisions.insert(key, event.revision);
            self.taken.position = event.position;
        }
        self.taken.sequence = header.sequence;
        let decides = outcome.is_final() || fault == Some(Fault::ParkedIsFinal);
        let forgotten = fault == Some(Fault::EmptyNotDecided) && events.is_empty()
            || fault == Some(Fault::DecidedNotRebuilt) && reopening;
        if decides && !forgotten {
            self.decided.entry(header.command_id).or_insert(header.sequence);
        }
        if let Some(tracking) = tracking
            && !(fault == Some(Fault::ProgressNotRebuilt) && reopening)
        {
            self.track(fault, tracking, header.sequence);
        }
        self.events.extend(events.iter().cloned());
        self.commits.push(commit.clone());
    }

    pub(super) fn track(&mut self, fault: Option<Fault>, tracking: &Tracking, sequence: Sequence) {
        self.progress.insert(progress_key(fault, &tracking.source), (tracking.progress, sequence));
    }

    pub(super) fn reached(&self, fault: Option<Fault>, source: &Source) -> Option<(u64, Sequence)> {
        self.progress.get(&progress_key(fault, source)).copied()
    }

    fn overwrite(&mut self, corrected: EventId, with: &RecordedEvent) {
        let in_commits = self.commits.iter_mut().flat_map(|commit| &mut commit.events);
        for event in self.events.iter_mut().chain(in_commits).filter(|event| event.id == corrected) {
            event.payload = with.payload.clone();
            event.tags.clone_from(&with.tags);
        }
    }
}

/// The parts judged under the lock, in order.
pub(super) fn parts_under_lock(fault: Option<Fault>, append: &Append) -> Vec<Part> {
    let mut parts: Vec<_> = Part::ORDER.into();
    let conditional = [Part::Absent, Part::Streams, Part::Fresh];
    match fault {
        Some(Fault::JudgedOutsideLock(early)) => parts.retain(|part| *part != early),
        Some(Fault::TypeGuardOutsideLock) if !super::judge::guards_a_tag(append) => {
            parts.retain(|part| *part != Part::Fresh);
        }
        Some(Fault::LocksWhatIsWritten) => parts.retain(|part| *part != Part::Fresh),
        Some(Fault::LimitsAfterWrite) => parts.retain(|part| *part != Part::Valid),
        Some(Fault::KeepsEventsBeforeTakenId) => parts.retain(|part| *part != Part::Ids),
        Some(Fault::EmptyNotJudged) if append.commit.events.is_empty() => {
            parts.retain(|part| !conditional.contains(part));
        }
        Some(Fault::TrackingAlone) if append.condition.tracking.is_some() => {
            parts.retain(|part| !conditional.contains(part));
        }
        Some(Fault::JudgedBackwards) => parts[2..6].reverse(),
        _ => {}
    }
    parts
}

fn event_ids(fault: Option<Fault>, commit: &NewCommit) -> Vec<EventId> {
    let mut derived = 0;
    let mut id = |index: usize| {
        if fault != Some(Fault::DerivedSkipsGiven) {
            return commit.event_id(index);
        }
        commit.events[index].id.unwrap_or_else(|| {
            derived += 1;
            EventId::derived(commit.command.id, derived - 1)
        })
    };
    (0..commit.events.len()).map(&mut id).collect()
}

fn record(
    fault: Option<Fault>,
    event: NewEvent,
    id: EventId,
    (position, revision): (Position, Revision),
    header: &Arc<CommitHeader>,
    now: Timestamp,
) -> RecordedEvent {
    let default = match fault {
        Some(Fault::EffectiveIsIssued) => header.issued_at,
        Some(Fault::EffectiveIsClock) => now,
        _ => header.recorded_at,
    };
    let mut tags: Vec<Tag> = Vec::with_capacity(event.tags.len());
    event.tags.into_iter().for_each(|tag| {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    });
    RecordedEvent {
        position,
        id,
        stream: event.stream,
        revision,
        event_type: event.event_type,
        version: event.version,
        codec: event.codec,
        tags,
        payload: event.payload,
        effective_at: event.effective_at.unwrap_or(default),
        corrects: event.corrects,
        commit: Arc::clone(header),
    }
}

fn revision_key(fault: Option<Fault>, stream: &StreamName, event_type: &str) -> String {
    match fault {
        Some(Fault::RevisionPerType) => format!("{stream}\0{event_type}"),
        _ => stream.as_str().to_owned(),
    }
}

fn progress_key(fault: Option<Fault>, source: &Source) -> String {
    let name = source.as_str();
    match fault {
        Some(Fault::SourceByPrefix) => name.split('/').next().unwrap_or(name).to_owned(),
        _ => name.to_owned(),
    }
}
