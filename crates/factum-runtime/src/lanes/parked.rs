//! Which keys wait behind parked commands, as far as each lane has come.
//!
//! A parked command holds back what shares both its key and its lane: where commands of different kinds
//! have lanes of their own, those of the same kind. So all that a lane must know here, it did itself.

use super::{
    command_log::CommandLog,
    layout::LaneMode,
    record::{DISCARDED, HELD, REDRIVEN, Rest, Verdict, read_mark},
};
use factum_event::{CommandId, CommandPayload, Commit, Outcome, Position, StreamName};
use factum_store::{Store, StoreError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Keys and the commands they wait behind, in the order in which those stand.
#[derive(Debug, Default)]
pub(crate) struct Parked(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    holders: BTreeMap<StreamName, Vec<Holder>>,
    /// Keys of which a release is to go on, with the released command and its name.
    held: BTreeMap<StreamName, (CommandId, String)>,
}

/// A parked command.
#[derive(Debug)]
struct Holder {
    place: Position,
    command: CommandId,
    name: String,
}

impl Parked {
    /// The command that one of this key and name waits behind.
    pub(crate) fn behind(&self, mode: LaneMode, key: &StreamName, name: &str) -> Option<CommandId> {
        let holds = |other: &str| mode != LaneMode::ByCommand || other == name;
        let state = self.lock();
        let holder =
            state.holders.get(key).and_then(|of_key| of_key.iter().find(|holder| holds(&holder.name)));
        let released = || state.held.get(key).filter(|(_, name)| holds(name)).map(|(command, _)| *command);
        holder.map(|holder| holder.command).or_else(released)
    }

    /// Whether any parked command holds the key.
    pub(crate) fn is_held(&self, key: &StreamName) -> bool {
        self.lock().holders.contains_key(key)
    }

    /// Holds a key until more comes again of what waited behind a released command.
    pub(crate) fn hold(&self, key: StreamName, released: CommandId, name: String) {
        self.lock().held.insert(key, (released, name));
    }

    /// More comes again.
    pub(crate) fn resume(&self, key: &StreamName) {
        self.lock().held.remove(key);
    }

    /// Whether this command holds the key.
    pub(crate) fn holds(&self, key: &StreamName, command: CommandId) -> bool {
        self.lock()
            .holders
            .get(key)
            .is_some_and(|holders| holders.iter().any(|holder| holder.command == command))
    }

    pub(crate) fn park(&self, key: StreamName, place: Position, command: CommandId, name: String) {
        let mut state = self.lock();
        let holders = state.holders.entry(key).or_default();
        holders.push(Holder { place, command, name });
        holders.sort_by_key(|holder| holder.place);
    }

    pub(crate) fn release(&self, key: &StreamName, command: CommandId) {
        let mut state = self.lock();
        if let Some(holders) = state.holders.get_mut(key) {
            holders.retain(|holder| holder.command != command);
            if holders.is_empty() {
                state.holders.remove(key);
            }
        }
    }

    /// How many commands are parked.
    pub(crate) fn count(&self) -> usize {
        self.lock().holders.values().map(Vec::len).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was parked when every lane stood where `reached` says. The log of events has the last word on
    /// whether a command was parked, and where; a release beyond a lane's place has not happened for it yet.
    pub(crate) async fn recover(
        &self,
        commands: &CommandLog,
        events: &dyn Store,
        reached: impl Fn(&StreamName, &str) -> Position,
    ) -> Result<(), StoreError> {
        let mut marked: BTreeMap<CommandId, (StreamName, String, Vec<Position>)> = BTreeMap::new();
        for mark in commands.parking_marks().await? {
            let Ok(Verdict { command, name, .. }) = read_mark(&mark) else { continue };
            let (_, _, released) = marked.entry(command).or_insert((mark.stream, name, Vec::new()));
            if matches!(mark.event_type.as_str(), REDRIVEN | DISCARDED) {
                released.push(mark.position);
            }
        }
        let mut holders = Vec::new();
        for (command, (key, name, released)) in marked {
            let passed = reached(&key, &name);
            let commits = events.commits_of(command).await?;
            let Some((place, _)) = parking(&commits) else { continue };
            if !released.iter().any(|released| place < *released && *released <= passed) {
                holders.push((key, place, command, name));
            }
        }
        let mut held = Vec::new();
        for mark in commands.hold_marks().await? {
            let Ok(rest) = read_mark::<Rest>(&mark) else { continue };
            if mark.position <= reached(&mark.stream, &rest.name) {
                held.push((mark.stream, (mark.event_type.as_str() == HELD).then_some(rest)));
            }
        }
        for (key, place, command, name) in holders {
            self.park(key, place, command, name);
        }
        for (key, rest) in held {
            match rest {
                Some(rest) => self.hold(key, rest.command, rest.name),
                None => self.resume(&key),
            }
        }
        Ok(())
    }
}

/// The commit by which a command was parked last, and where in the command log it stood then.
pub(crate) fn parking(commits: &[Commit]) -> Option<(Position, &Commit)> {
    let parked = commits.iter().rfind(|commit| matches!(commit.outcome, Outcome::Parked { .. }))?;
    match parked.payload {
        CommandPayload::Logged(place) => Some((place, parked)),
        _ => None,
    }
}
