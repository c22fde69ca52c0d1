//! An index file held against the log: every commit, event, key and number that the log has must be in it, and
//! nothing else.

use super::{
    Covered, KeyKind, Progress,
    active::{BIT_CORRELATED, BIT_FINAL, CommitEntry},
    list::List,
    part::{PartRef, Probe},
    sealed::Sealed,
};
use crate::{format::FRAME_HEADER_BYTES, view::CommitView};
use factum_event::Sequence;
use std::collections::BTreeMap;

/// An index file whose checksums match, and what the commits that were read say of it so far.
#[derive(Debug)]
pub(crate) struct Checked {
    name: String,
    sealed: Sealed,
    /// Numbers that the log gives to keys.
    numbers: u64,
    explicit: usize,
    commits: u32,
    events: u32,
    /// How far each source has come, from the start of the log.
    sources: BTreeMap<String, Progress>,
    /// The first thing that is wrong.
    flaw: Option<String>,
}

impl Checked {
    /// `range` is what the name says.
    pub(crate) fn new(name: String, range: (Sequence, Sequence), sealed: Sealed) -> Self {
        let sequences = PartRef::Sealed(&sealed).sequences();
        let is_named =
            (range.0.get(), range.1.get().checked_add(1)) == (sequences.start, Some(sequences.end));
        let flaw = (!is_named).then(|| "it covers other commits than its name says".to_owned());
        let (numbers, explicit, commits, events) = (0, 0, 0, 0);
        Self { name, sealed, numbers, explicit, commits, events, sources: BTreeMap::new(), flaw }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it says that it covers this commit.
    pub(crate) fn covers(&self, sequence: Sequence) -> bool {
        PartRef::Sealed(&self.sealed).sequences().contains(&sequence.get())
    }

    /// Takes a commit of the log, which stands at `offset` in its segment. They come in order.
    pub(crate) fn commit(&mut self, view: &CommitView<'_>, offset: u64) {
        if view.sequence().get() >= PartRef::Sealed(&self.sealed).sequences().end || self.flaw.is_some() {
            return;
        }
        let is_within = self.covers(view.sequence());
        let held = if is_within { self.hold(view, offset) } else { Some(()) };
        if held.is_none() || self.track(view).is_none() {
            self.flaw = Some(format!("it does not say what the log says of commit {}", view.sequence()));
        }
    }

    fn track(&mut self, view: &CommitView<'_>) -> Option<()> {
        if view.part.has_index_fields()
            && let Some(tracking) = view.part.fields().ok()?.tracking
        {
            let progress = Progress { progress: tracking.progress, sequence: view.sequence() };
            self.sources.insert(tracking.source.as_str().to_owned(), progress);
        }
        Some(())
    }

    /// None where it differs.
    fn hold(&mut self, view: &CommitView<'_>, offset: u64) -> Option<()> {
        let part = PartRef::Sealed(&self.sealed);
        let commit = u32::try_from(view.sequence().get() - part.base_sequence()).ok()?;
        let fields = view.part.fields().ok()?;
        let correlation = fields.metadata.correlation;
        let bits = if view.is_final() { BIT_FINAL } else { 0 };
        let bits = bits | if correlation.is_some() { BIT_CORRELATED } else { 0 };
        let frame = u32::try_from(offset).ok()?;
        let due = CommitEntry { frame, first: self.events, mixed: view.command_id().mixed(), bits };
        let family = view.command_id().family();
        let is_listed = part.family(&Probe::new(0, KeyKind::Family, &family)).contains(&commit);
        let is_due = part.commit(commit)? == due && is_listed && commit == self.commits;
        self.commits += 1;
        if let Some(correlation) = correlation {
            let id = correlation.get();
            self.numbers += has(part, KeyKind::Correlation, id.as_bytes(), commit)?;
        }
        let mut start = frame + crate::format::length(FRAME_HEADER_BYTES) + view.header.commit;
        for event in view.events() {
            let number = self.events;
            let stream = event.stream.as_bytes();
            let (before, list) = part.find(&Probe::new(0, KeyKind::Stream, stream))?;
            let revision = u64::from(before) + list.below(number) as u64;
            if part.event(number)? != start || revision != event.revision.get() {
                return None;
            }
            let category = event.stream.split_once('-').map_or(event.stream, |(category, _)| category);
            self.numbers += has(part, KeyKind::Stream, stream, number)?;
            self.numbers += has(part, KeyKind::Category, category.as_bytes(), number)?;
            self.numbers += has(part, KeyKind::Type, event.event_type.as_bytes(), number)?;
            for tag in event.tags.clone() {
                self.numbers += has(part, KeyKind::Tag, tag.as_bytes(), number)?;
            }
            if let Some(id) = event.explicit_id {
                self.numbers += has(part, KeyKind::Event, id.get().as_bytes(), number)?;
                self.explicit += 1;
            }
            if part.is_explicit(number) != event.explicit_id.is_some() {
                return None;
            }
            start += crate::format::length(event.bytes);
            self.events += 1;
        }
        is_due.then_some(())
    }

    /// What is wrong with it, once every commit was taken. `segments` are those of the log.
    pub(crate) fn finish(self, segments: &[Covered]) -> Option<String> {
        if self.flaw.is_some() {
            return self.flaw;
        }
        let header = &self.sealed.header;
        let covered: Vec<_> = self.sealed.covered().collect();
        if covered.is_empty() || !segments.windows(covered.len()).any(|window| window == covered) {
            return Some("it was made from other segments".to_owned());
        }
        let sources = self.sources.iter().map(|(source, progress)| (source.as_str(), *progress));
        let is_all = (self.commits, self.events) == (header.commits, header.events)
            && self.explicit == self.sealed.explicit().len()
            && self.sealed.sources() == sources.collect::<Vec<_>>()
            && numbers_of(&self.sealed) == Some(self.numbers);
        (!is_all).then(|| "it says more than the log, or leaves something out".to_owned())
    }
}

/// 1 if the key has this number, or none.
fn has(part: PartRef<'_>, kind: KeyKind, key: &[u8], number: u32) -> Option<u64> {
    let list: List<'_> = part.list(&Probe::new(0, kind, key));
    let below = list.below(number);
    (below < list.len() && list.get(below) == number).then_some(1)
}

/// How many numbers all keys have together; none if one does not ascend.
fn numbers_of(sealed: &Sealed) -> Option<u64> {
    let mut numbers = 0;
    for key in 0..sealed.header.keys {
        let list = sealed.key(key)?.list;
        if list.is_empty() || (1..list.len()).any(|index| list.get(index - 1) >= list.get(index)) {
            return None;
        }
        numbers += list.len() as u64;
    }
    Some(numbers)
}
