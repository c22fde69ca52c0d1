//! What must have happened: the command log walked through once, in order, one command after another.

use super::world::{RELEASED_MAX, World};
use crate::desk::Mood;
use factum::{
    CommandId, CommandPayload, Commit, EventId, LaneLayout, LaneMode, Outcome, Position, RecordedEvent,
    Sequence, Source, StreamName, block_on,
    store::{ReadOptions, Store},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Rest {
    command: CommandId,
    name: String,
}

#[derive(Deserialize)]
struct Verdict {
    command: CommandId,
}

fn commits(world: &World) -> Vec<Commit> {
    let page = block_on(world.events.commits(Default::default(), usize::MAX)).unwrap();
    assert!(page.next.is_none(), "a history fits a page");
    page.commits
}

fn entries(world: &World) -> Vec<RecordedEvent> {
    let page = block_on(world.commands.read(&factum::Query::All, ReadOptions::default())).unwrap();
    assert!(page.next.is_none(), "a history fits a page");
    page.events
}

/// How many commits are about commands, not about the lanes themselves.
pub(super) fn outcomes(world: &World) -> usize {
    commits(world).iter().filter(|commit| !is_mark(commit)).count()
}

fn is_mark(commit: &Commit) -> bool {
    commit.header.command_name.as_str() == "factum.lanes"
}

/// Accepted commands that have no final outcome yet.
pub(super) fn open(world: &World) -> Vec<CommandId> {
    let commits = commits(world);
    let decided: BTreeSet<_> = commits
        .iter()
        .filter(|commit| commit.outcome.is_final())
        .map(|commit| commit.header.command_id)
        .collect();
    let mut open = world.accepted();
    open.retain(|id| !decided.contains(id));
    open
}

/// Where a command stood in the command log when it came to this.
fn place(commit: &Commit) -> Option<Position> {
    match commit.payload {
        CommandPayload::Logged(place) => Some(place),
        _ => None,
    }
}

/// A parked command, or the released one of a release that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    command: CommandId,
    name: String,
    /// It held its key while commands of a key wait whatever their kind: some of another kind may wait behind it,
    /// and so it holds every kind until it is released, whatever the layout is by then.
    every_kind: bool,
}

/// The walk: what was parked when, and what each entry must have led to.
struct Walk<'a> {
    world: &'a World,
    commits: &'a [Commit],
    layout: LaneMode,
    parked: BTreeMap<StreamName, Vec<Holder>>,
    /// The last command of each key that was released.
    released: BTreeMap<StreamName, Holder>,
    ids: BTreeMap<EventId, CommandId>,
    /// Where each command stands, up to here.
    stands: BTreeMap<CommandId, Position>,
    /// Keys that are held until more of a release comes again.
    held: BTreeMap<StreamName, Holder>,
    /// Of the last release of each key: its last commit, and where the last command had stood.
    came_again: BTreeMap<StreamName, (Sequence, Position)>,
    /// That last command.
    last_again: BTreeMap<StreamName, CommandId>,
    /// Under which mode each command was accepted, and its kind.
    accepted: BTreeMap<CommandId, (LaneMode, String)>,
}

pub(super) fn judge(world: &World) {
    let (commits, entries) = (commits(world), entries(world));
    each_has_one_outcome(world, &commits, &entries);
    progress_grows(&commits, &entries);
    watermarks_are_true(&commits, &entries);
    events_are_those_of_outcomes(world, &commits);
    let mut walk = Walk {
        world,
        commits: &commits,
        layout: LaneMode::default(),
        parked: BTreeMap::new(),
        released: BTreeMap::new(),
        ids: BTreeMap::new(),
        stands: BTreeMap::new(),
        held: BTreeMap::new(),
        came_again: BTreeMap::new(),
        last_again: BTreeMap::new(),
        accepted: BTreeMap::new(),
    };
    let first = entries.iter().find(|entry| entry.event_type.as_str() == "factum.lanes-laid-out");
    first.into_iter().for_each(|first| walk.lay_out(first));
    entries.iter().for_each(|entry| walk.entry(entry));
    assert!(walk.parked.values().all(Vec::is_empty), "{:?} hold their keys for ever", walk.parked);
    assert!(walk.held.is_empty(), "{:?} wait for the rest of a release for ever", walk.held);
    releases_are_bounded(&entries);
    keys_are_decided_in_order(&commits, &entries);
}

impl Walk<'_> {
    fn lay_out(&mut self, entry: &RecordedEvent) {
        self.layout = serde_json::from_slice::<LaneLayout>(&entry.payload).unwrap().mode;
        if self.layout != LaneMode::ByCommand {
            let holders = self.parked.values_mut().flatten().chain(self.held.values_mut());
            holders.for_each(|holder| holder.every_kind = true);
        }
    }

    fn entry(&mut self, entry: &RecordedEvent) {
        match entry.event_type.as_str() {
            "factum.lanes-laid-out" => self.lay_out(entry),
            "factum.command-parking" => {}
            "factum.command-redriven" => self.released(entry, false),
            "factum.command-discarded" => self.released(entry, true),
            "factum.release-held" => {
                let Rest { command, name } = serde_json::from_slice(&entry.payload).unwrap();
                let released = &self.released[&entry.stream];
                assert_eq!((released.command, &released.name), (command, &name), "at {}", entry.position);
                let before = self.held.insert(entry.stream.clone(), released.clone());
                assert_eq!(before, None, "at {}: held twice", entry.position);
            }
            "factum.release-resumed" => {
                let Rest { command, name } = serde_json::from_slice(&entry.payload).unwrap();
                let before = self.held.remove(&entry.stream).expect("only what is held goes on");
                assert_eq!((before.command, &before.name), (command, &name), "at {}", entry.position);
                // There may be still more.
                self.released.insert(entry.stream.clone(), before);
                // What comes again from here on goes on where the part before it ended.
                if let Some((release, _)) = self.came_again.get_mut(&entry.stream) {
                    *release = entry.commit.sequence;
                }
            }
            name => self.command(entry, name),
        }
    }

    fn released(&mut self, entry: &RecordedEvent, discarded: bool) {
        let Verdict { command } = serde_json::from_slice(&entry.payload).unwrap();
        assert!(!self.held.contains_key(&entry.stream), "at {}: a release is under way", entry.position);
        let holding = self.parked.get_mut(&entry.stream).expect("only what is parked is released");
        let at = holding.iter().position(|holder| holder.command == command);
        let at = at.unwrap_or_else(|| panic!("at {}: {command} was not parked", entry.position));
        self.released.insert(entry.stream.clone(), holding.remove(at));
        if discarded && !self.decided_otherwise(command, None) {
            let given_up = |commit: &&Commit| {
                commit.header.command_id == command
                    && matches!(commit.outcome, Outcome::Failed { .. })
                    && commit.tracking.as_ref().is_some_and(|t| t.progress == entry.position.get())
            };
            assert!(self.commits.iter().any(|commit| given_up(&commit)), "{command} was not given up");
        }
    }

    /// Whether two commands of a key have an order at all: those of different kinds have none if one of them
    /// was accepted while only those of one kind wait for each other.
    fn wait_for_each_other(&self, one: CommandId, other: CommandId) -> bool {
        let ((mode, name), (other_mode, other_name)) = (&self.accepted[&one], &self.accepted[&other]);
        name == other_name || ![mode, other_mode].contains(&&LaneMode::ByCommand)
    }

    fn command(&mut self, entry: &RecordedEvent, name: &str) {
        let id = match entry.corrects {
            Some(first) => self.ids[&first],
            None => entry.commit.command_id,
        };
        self.ids.insert(entry.id, id);
        self.accepted.entry(id).or_insert_with(|| (self.layout, name.to_owned()));
        let at = entry.position;
        let stood = self.stands.insert(id, at);
        if let Some(stood) = stood {
            let release = entry.commit.sequence;
            let before = self.came_again.insert(entry.stream.clone(), (release, stood));
            let last = self.last_again.insert(entry.stream.clone(), id);
            let in_order = before.is_none_or(|(other, before)| {
                other != release
                    || before < stood
                    || last.is_some_and(|last| !self.wait_for_each_other(last, id))
            });
            assert!(in_order, "{id} came again at {at} after one that had stood behind it");
        }
        let here = |commit: &&Commit| {
            commit.header.command_id == id
                && place(commit) == Some(at)
                && !matches!(commit.outcome, Outcome::Failed { .. })
        };
        let here: Vec<_> = self.commits.iter().filter(here).collect();
        assert!(here.len() <= 1, "{id} was decided {} times at {at}", here.len());
        let passed_over = here.is_empty() && !self.decided_otherwise(id, Some(at));
        let holding = self.parked.entry(entry.stream.clone()).or_default();
        let itself = holding.iter().any(|holder| holder.command == id);
        assert!(!passed_over || itself, "{id} at {at} was passed over");
        let Some(commit) = here.first() else { return };
        assert!(!itself, "{id} at {at} was parked, and not released");
        let holds = |holder: &&Holder| holder.every_kind || holder.name == name;
        let behind = holding.iter().find(holds).or(self.held.get(&entry.stream).filter(holds));
        if let Some(Holder { command: behind, .. }) = behind {
            assert_eq!(commit.outcome, Outcome::SetAside { behind: *behind }, "{id} at {at}");
            return;
        }
        let item = self.world.script[usize::try_from(number(entry)).unwrap()];
        if matches!(commit.outcome, Outcome::Parked { .. }) {
            assert!(item.sign || item.mood.may_be_parked(), "{item:?} at {at}: {:?}", commit.outcome);
            let every_kind = self.layout != LaneMode::ByCommand;
            holding.push(Holder { command: id, name: name.to_owned(), every_kind });
            return;
        }
        assert!(is_outcome_of(item.mood, &commit.outcome), "{item:?} at {at}: {:?}", commit.outcome);
    }

    /// Whether a command came to its outcome at another place, or without one, at once.
    fn decided_otherwise(&self, id: CommandId, at: Option<Position>) -> bool {
        let decided = |commit: &&Commit| {
            commit.header.command_id == id && commit.outcome.is_final() && !is_failed(commit)
        };
        self.commits.iter().filter(decided).any(|commit| place(commit) != at || at.is_none())
            || self.commits.iter().any(|commit| {
                // Given up: that is tracked by the word of the operator, which comes later in the log.
                commit.header.command_id == id && is_failed(commit) && at.is_some()
            })
    }
}

fn is_failed(commit: &Commit) -> bool {
    matches!(commit.outcome, Outcome::Failed { .. })
}

fn number(entry: &RecordedEvent) -> u64 {
    serde_json::from_slice::<serde_json::Value>(&entry.payload).unwrap()["number"].as_u64().unwrap()
}

fn is_outcome_of(mood: Mood, outcome: &Outcome) -> bool {
    match mood {
        Mood::Refused => matches!(outcome, Outcome::Rejected(_)),
        Mood::Idle => *outcome == Outcome::Nothing,
        _ => *outcome == Outcome::Succeeded,
    }
}

fn each_has_one_outcome(world: &World, commits: &[Commit], entries: &[RecordedEvent]) {
    let mut decided: BTreeMap<CommandId, usize> = BTreeMap::new();
    for commit in commits.iter().filter(|commit| commit.outcome.is_final() && !is_mark(commit)) {
        *decided.entry(commit.header.command_id).or_default() += 1;
    }
    let stood: BTreeSet<_> = entries.iter().map(|entry| entry.commit.command_id).collect();
    // One that was decided at once under its id before need not stand there.
    let at_once: BTreeSet<_> = commits
        .iter()
        .filter(|commit| matches!(commit.payload, CommandPayload::Inline { .. }))
        .map(|commit| commit.header.command_id)
        .collect();
    for id in world.accepted() {
        let stands = stood.contains(&id) || at_once.contains(&id);
        assert!(stands, "{id} was accepted, and is not in the command log");
        assert_eq!(decided.get(&id), Some(&1), "{id} was accepted, and has not one outcome");
    }
    for id in world.executed() {
        assert_eq!(decided.get(&id), Some(&1), "{id} was answered, and has not one outcome");
    }
    assert!(decided.values().all(|count| *count == 1), "{decided:?}");
}

/// Each commit of a lane tells its place, and no place comes before one that was told. No lane of a layout
/// that took over begins before the watermark says that all before it is done.
fn progress_grows(commits: &[Commit], entries: &[RecordedEvent]) {
    let first = entries.iter().find(|entry| entry.event_type.as_str() == "factum.lanes-laid-out");
    let first = first.map_or(0, |first| first.position.get());
    let mut reached: BTreeMap<&Source, u64> = BTreeMap::new();
    for commit in commits {
        let Some(tracking) = &commit.tracking else {
            assert_eq!(place(commit), None, "a lane's commit without its place: {commit:?}");
            continue;
        };
        if !is_failed(commit) && !is_mark(commit) {
            assert_eq!(place(commit).map(Position::get), Some(tracking.progress), "{commit:?}");
        }
        if let Some(("lane", lane)) = tracking.source.as_str().split_once('/') {
            let begins: u64 = lane.split('/').nth(1).unwrap().parse().unwrap();
            let done = reached
                .iter()
                .find(|(source, _)| source.as_str().starts_with("lanes/"))
                .map_or(0, |(_, done)| *done);
            assert!(begins == first || begins <= done, "the layout at {begins} came in force at {done}");
        }
        let before = reached.insert(&tracking.source, tracking.progress);
        assert!(before < Some(tracking.progress), "{} ran backwards from {before:?}", tracking.source);
    }
}

/// Below a watermark everything is done when it is written.
fn watermarks_are_true(commits: &[Commit], entries: &[RecordedEvent]) {
    let mut first: BTreeMap<EventId, CommandId> = BTreeMap::new();
    let mut standing: Vec<(Position, CommandId)> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.event_type.as_str().starts_with("factum.")) {
        let id = entry.corrects.map_or(entry.commit.command_id, |before| first[&before]);
        first.insert(entry.id, id);
        standing.push((entry.position, id));
    }
    for (at, mark) in commits.iter().enumerate().filter(|(_, commit)| is_mark(commit)) {
        let done = mark.tracking.as_ref().expect("a watermark tells how far").progress;
        for (position, id) in standing.iter().filter(|(position, _)| position.get() <= done) {
            let is_done = |commit: &Commit| {
                commit.header.command_id == *id
                    && (commit.outcome.is_final()
                        || place(commit) == Some(*position)
                        // It came again while it was parked: that is passed over.
                        || matches!(commit.outcome, Outcome::Parked { .. }) && place(commit) < Some(*position))
            };
            assert!(commits[..at].iter().any(is_done), "{id} at {position} is open below watermark {done}");
        }
    }
}

/// Beside the released command no commit of a release lets more come again than a bound allows.
fn releases_are_bounded(entries: &[RecordedEvent]) {
    let mut again: BTreeMap<Sequence, u64> = BTreeMap::new();
    for entry in entries {
        *again.entry(entry.commit.sequence).or_default() += u64::from(entry.corrects.is_some());
    }
    assert!(again.values().all(|again| *again <= 1 + RELEASED_MAX), "{again:?}");
}

fn events_are_those_of_outcomes(world: &World, commits: &[Commit]) {
    let items: BTreeMap<CommandId, usize> = world.sent();
    let mut seen: BTreeMap<&StreamName, u64> = BTreeMap::new();
    for commit in commits {
        let expected = match items.get(&commit.header.command_id) {
            Some(item) if commit.outcome == Outcome::Succeeded => world.script[*item].mood.events(),
            // Its sender never heard of it, but it stands in a log.
            None if commit.outcome == Outcome::Succeeded => commit.events.len() as u64,
            _ => 0,
        };
        assert_eq!(commit.events.len() as u64, expected, "{commit:?}");
        for event in &commit.events {
            let data: serde_json::Value = serde_json::from_slice(&event.payload).unwrap();
            let before = seen.entry(&event.stream).or_default();
            assert_eq!(data["seen"].as_u64(), Some(*before), "decided on a state that was not: {event:?}");
            *before += 1;
        }
    }
}

/// Those of a key (and of a kind, while kinds are the lanes) are decided in the order in which they stand.
fn keys_are_decided_in_order(commits: &[Commit], entries: &[RecordedEvent]) {
    let layouts = entries.iter().filter(|entry| entry.event_type.as_str() == "factum.lanes-laid-out");
    let layouts: Vec<(Position, LaneMode)> = layouts
        .map(|entry| (entry.position, serde_json::from_slice::<LaneLayout>(&entry.payload).unwrap().mode))
        .collect();
    // The number of the layout that a place falls under: the first one covers what stood before it as well.
    let under = |place: Position| layouts.iter().rposition(|(begins, _)| *begins <= place).unwrap_or(0);
    let keys: BTreeMap<Position, &StreamName> =
        entries.iter().map(|entry| (entry.position, &entry.stream)).collect();
    let mut last: BTreeMap<&StreamName, Vec<(Position, &str)>> = BTreeMap::new();
    for commit in commits.iter().filter(|commit| !is_failed(commit)) {
        let Some(at) = place(commit) else { continue };
        let name = commit.header.command_name.as_str();
        let before = last.entry(keys[&at]).or_default();
        for (earlier, kind) in before.iter() {
            let side_by_side =
                under(*earlier) == under(at) && layouts[under(at)].1 == LaneMode::ByCommand && *kind != name;
            assert!(*earlier < at || side_by_side, "what stands at {at} came after {earlier}: {commit:?}");
        }
        before.push((at, name));
    }
}
