//! How an engine answers reads.

use super::{
    engine::Engine,
    fault::Fault,
    matching::{Asker, matches},
    state::State,
};
use crate::{CommitPage, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Page, ReadOptions};
use factum_event::{CommandId, Commit, EventId, Position, Query, RecordedEvent, Sequence};

impl Engine {
    pub(super) fn page(&self, query: &Query, options: ReadOptions) -> Page {
        if self.fault != Some(Fault::PagesCached) {
            return self.state().page(self.fault, query, options);
        }
        let key = format!("{query:?} {options:?}");
        let page = || self.state().page(self.fault, query, options);
        self.pages().entry(key).or_insert_with(page).clone()
    }
}

impl State {
    fn page(&self, fault: Option<Fault>, query: &Query, options: ReadOptions) -> Page {
        let head = self.visible.position;
        let seen = if *query == Query::All { head } else { self.indexed.min(head) };
        let last = options.up_to.map_or(seen, |up_to| up_to.min(seen));
        let last = match (fault, options.up_to) {
            (Some(Fault::UpToIsExclusive), Some(up_to)) if up_to <= seen => {
                Position::new(up_to.get().saturating_sub(1))
            }
            _ => last,
        };
        let within = |event: &&RecordedEvent| event.position > options.after && event.position <= last;
        let mut events: Vec<_> = self.events.iter().filter(within).collect();
        if options.backwards {
            events.reverse();
        }
        let limit = options.limit.clamp(1, PAGE_EVENTS_MAX);
        let matching = |event: &RecordedEvent| matches(fault, Asker::Reader, query, event);
        if fault == Some(Fault::LimitBeforeFilter) {
            let full = events.len() > limit;
            events.truncate(limit);
            let next = events.last().map(|last| after(fault, last, options.backwards));
            let events: Vec<_> = events.into_iter().filter(|event| matching(event)).cloned().collect();
            let next = next.filter(|_| full && events.len() == limit);
            return Page { events, head, next };
        }
        let mut page =
            bounded(fault, events.into_iter().filter(|event| matching(event)), limit, options.backwards);
        if fault == Some(Fault::OrderedByEffectiveTime) {
            page.0.sort_by_key(|event| event.effective_at);
        }
        Page { events: page.0, head, next: page.1 }
    }

    pub(super) fn commits(&self, after: Sequence, limit: usize, of: impl Fn(&Commit) -> bool) -> CommitPage {
        let limit = limit.clamp(1, PAGE_EVENTS_MAX);
        let within = |commit: &&Commit| {
            let sequence = commit.header.sequence;
            sequence > after && sequence <= self.visible.sequence && of(commit)
        };
        let mut matching = self.commits.iter().filter(within);
        let commits: Vec<_> = matching.by_ref().take(limit).cloned().collect();
        let next = matching.next().and(commits.last().map(|commit| commit.header.sequence));
        CommitPage { commits, next }
    }

    pub(super) fn commits_of(&self, fault: Option<Fault>, command: CommandId) -> Vec<Commit> {
        let of = |commit: &&Commit| {
            commit.header.command_id == command
                && commit.header.sequence <= self.visible.sequence
                && !(fault == Some(Fault::EmptyNotFound) && commit.events.is_empty())
        };
        let mut commits: Vec<_> = self.commits.iter().filter(of).cloned().collect();
        if fault == Some(Fault::EmptyStandsAtHead) {
            let empty = commits.iter_mut().filter(|commit| commit.events.is_empty());
            empty.for_each(|commit| commit.position = self.visible.position);
        }
        commits
    }

    pub(super) fn event(&self, fault: Option<Fault>, id: EventId) -> Option<RecordedEvent> {
        let found = |event: &&RecordedEvent| match fault {
            Some(Fault::FoundByFamily) => event.id.family() == id.family(),
            Some(Fault::GivenIdsNotFound) => {
                event.id == id && event.id.family() == event.command_id().family()
            }
            _ => event.id == id,
        };
        self.events.iter().filter(|event| event.position <= self.visible.position).find(found).cloned()
    }
}

/// A page of what matches, and where the next one begins.
fn bounded<'a>(
    fault: Option<Fault>,
    mut matching: impl Iterator<Item = &'a RecordedEvent>,
    limit: usize,
    backwards: bool,
) -> (Vec<RecordedEvent>, Option<Position>) {
    let (mut events, mut bytes) = (Vec::new(), 0);
    for event in matching.by_ref() {
        if events.len() == limit || bytes >= PAGE_BYTES_MAX {
            let next = events.last().map(|last| after(fault, last, backwards));
            return (events, next);
        }
        bytes += event.payload.len();
        if fault == Some(Fault::ByteBoundDropsEvent) && bytes > PAGE_BYTES_MAX {
            return (events, matching.next().map(|_| after(fault, event, backwards)));
        }
        events.push(event.clone());
    }
    (events, None)
}

fn after(fault: Option<Fault>, last: &RecordedEvent, backwards: bool) -> Position {
    match (backwards, fault) {
        (false, Some(Fault::NextSkips)) => last.position.next(),
        (false, _) => last.position,
        (true, Some(Fault::NextRepeatsBackwards)) => last.position,
        (true, _) => Position::new(last.position.get() - 1),
    }
}
