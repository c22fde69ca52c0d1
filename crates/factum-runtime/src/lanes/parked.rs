//! Which keys wait behind a parked command, as far as each lane has come.

use super::{
    command_log::CommandLog,
    record::{DISCARDED, PARKING, REDRIVEN, Verdict, read_mark},
};
use factum_event::{CommandId, Outcome, Position, StreamName};
use factum_store::{Store, StoreError};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Keys and the commands they wait behind.
#[derive(Debug, Default)]
pub(crate) struct Parked(Mutex<HashMap<StreamName, CommandId>>);

impl Parked {
    pub(crate) fn behind(&self, key: &StreamName) -> Option<CommandId> {
        self.lock().get(key).copied()
    }

    pub(crate) fn park(&self, key: StreamName, command: CommandId) {
        self.lock().insert(key, command);
    }

    pub(crate) fn release(&self, key: &StreamName) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<StreamName, CommandId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was parked when every lane stood where `reached` says: the log of events has the last word on
    /// whether a command is parked, and a release beyond a lane's place has not happened for it yet.
    pub(crate) async fn recover(
        &self,
        commands: &CommandLog,
        events: &dyn Store,
        reached: impl Fn(&StreamName, &str) -> Position,
    ) -> Result<(), StoreError> {
        let mut last: HashMap<StreamName, (Verdict, Option<Position>)> = HashMap::new();
        for mark in commands.parking_marks().await? {
            let Ok(verdict) = read_mark::<Verdict>(&mark) else { continue };
            match mark.event_type.as_str() {
                PARKING => drop(last.insert(mark.stream, (verdict, None))),
                REDRIVEN | DISCARDED => {
                    if let Some((parked, released)) = last.get_mut(&mark.stream)
                        && parked.command == verdict.command
                    {
                        *released = Some(mark.position);
                    }
                }
                _ => {}
            }
        }
        for (key, (Verdict { command, name, .. }, released)) in last {
            let place = reached(&key, &name);
            if released.is_some_and(|released| released <= place) {
                continue;
            }
            let commits = events.commits_of(command).await?;
            if commits.last().is_some_and(|commit| matches!(commit.outcome, Outcome::Parked { .. })) {
                self.park(key, command);
            }
        }
        Ok(())
    }
}
