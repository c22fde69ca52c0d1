//! Which keys wait behind parked commands, as far as each lane has come.
//!
//! A parked command holds back what shares both its key and its lane: where commands of different kinds
//! have lanes of their own, those of the same kind. So all that a lane must know here, it did itself.

use super::{
    command_log::CommandLog,
    layout::LaneMode,
    record::{DISCARDED, REDRIVEN, Verdict, read_mark},
};
use factum_event::{CommandId, CommandPayload, Commit, Outcome, Position, StreamName};
use factum_store::{Store, StoreError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Keys and the commands they wait behind, in the order in which those stand.
#[derive(Debug, Default)]
pub(crate) struct Parked(Mutex<BTreeMap<StreamName, Vec<Holder>>>);

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
        let holds = |holder: &&Holder| mode != LaneMode::ByCommand || holder.name == name;
        self.lock().get(key)?.iter().find(holds).map(|holder| holder.command)
    }

    /// Whether any command holds the key.
    pub(crate) fn is_held(&self, key: &StreamName) -> bool {
        self.lock().contains_key(key)
    }

    /// Whether this command holds the key.
    pub(crate) fn holds(&self, key: &StreamName, command: CommandId) -> bool {
        self.lock().get(key).is_some_and(|holders| holders.iter().any(|holder| holder.command == command))
    }

    pub(crate) fn park(&self, key: StreamName, place: Position, command: CommandId, name: String) {
        let mut parked = self.lock();
        let holders = parked.entry(key).or_default();
        holders.push(Holder { place, command, name });
        holders.sort_by_key(|holder| holder.place);
    }

    pub(crate) fn release(&self, key: &StreamName, command: CommandId) {
        let mut parked = self.lock();
        if let Some(holders) = parked.get_mut(key) {
            holders.retain(|holder| holder.command != command);
            if holders.is_empty() {
                parked.remove(key);
            }
        }
    }

    /// How many commands are parked.
    pub(crate) fn count(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, Vec<Holder>>> {
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
        for (key, place, command, name) in holders {
            self.park(key, place, command, name);
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
