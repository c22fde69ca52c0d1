//! Which keys wait behind parked commands, and from which place to which place.
//!
//! A parked command holds its key from where it stood until where it was released, and what is asked about is
//! a place: lanes stand at different ones, and a release that one lane has passed is still to come for another.
//!
//! Where commands of different kinds have lanes of their own, a parked command holds those of its own kind. One
//! that was parked before they had holds every kind until it is released, since others of every kind may wait
//! behind it. All lanes have passed the place from which kinds are apart before any goes on after it, so what
//! holds every kind is known to every lane; what holds one kind was done by its own lane.

use super::{
    command_log::{CommandLog, Entry},
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
    keys: BTreeMap<StreamName, Holds>,
    /// Where something ends that holds a key, until all lanes have passed it.
    ends: BTreeMap<Position, StreamName>,
}

/// What holds one key.
#[derive(Debug, Default)]
struct Holds {
    parked: Vec<Hold>,
    /// Releases that are to go on.
    rests: Vec<Hold>,
}

/// What holds a key from one place to another.
#[derive(Debug)]
struct Hold {
    /// The parked, or the released, command.
    command: CommandId,
    name: String,
    /// Where it was parked.
    parked: Position,
    /// What stands after this is held.
    from: Position,
    /// And before this, once it is known.
    until: Option<Position>,
}

impl Hold {
    fn is_at(&self, place: Position) -> bool {
        self.from < place && self.until.is_none_or(|until| place < until)
    }

    /// Ends it at a place, unless it ended before or begins after.
    fn end(&mut self, at: Position) {
        if self.until.is_none() && self.from < at {
            self.until = Some(at);
        }
    }

    fn is_over(&self, done: Position) -> bool {
        self.until.is_some_and(|until| until <= done)
    }
}

impl Parked {
    /// The command that one of this key and name, which stands at `place`, waits behind. `apart_since` is from
    /// where on kinds have lanes of their own.
    pub(crate) fn behind(
        &self,
        apart_since: Position,
        key: &StreamName,
        name: &str,
        place: Position,
    ) -> Option<CommandId> {
        let holds = |hold: &&Hold| hold.is_at(place) && (hold.name == name || hold.parked < apart_since);
        let state = self.lock();
        let Holds { parked, rests } = state.keys.get(key)?;
        parked.iter().find(holds).or_else(|| rests.iter().find(holds)).map(|hold| hold.command)
    }

    /// Whether any parked command holds the key, after all that was read.
    pub(crate) fn is_held(&self, key: &StreamName) -> bool {
        self.lock().keys.get(key).is_some_and(|holds| holds.parked.iter().any(|hold| hold.until.is_none()))
    }

    /// Whether this command is parked where `place` is come to, which may be where it is released.
    pub(crate) fn holds(&self, key: &StreamName, command: CommandId, place: Position) -> bool {
        let is_it = |hold: &Hold| hold.command == command && (hold.is_at(place) || hold.until == Some(place));
        self.lock().keys.get(key).is_some_and(|holds| holds.parked.iter().any(is_it))
    }

    /// Learns from an entry which keys are held after it, before any lane comes to what stands there.
    pub(crate) fn read(&self, position: Position, entry: &Entry) {
        match entry {
            Entry::Released { key, verdict, .. } => self.release(key, verdict.command, position),
            Entry::Held { key, rest } => self.hold(key, rest, position),
            Entry::Resumed { key } => self.resume(key, position),
            Entry::Command(_) | Entry::Layout(_) | Entry::Mark | Entry::Unreadable(_) => {}
        }
    }

    pub(crate) fn park(&self, key: StreamName, place: Position, command: CommandId, name: String) {
        let mut state = self.lock();
        let parked = &mut state.keys.entry(key).or_default().parked;
        let at = parked.partition_point(|hold| hold.from < place);
        parked.insert(at, Hold { command, name, parked: place, from: place, until: None });
    }

    /// Ends what the command holds, as far as it is known: its own lane may still be about to park it, and says
    /// so again when it comes to the release.
    pub(crate) fn release(&self, key: &StreamName, command: CommandId, at: Position) {
        let mut state = self.lock();
        let Some(holds) = state.keys.get_mut(key) else { return };
        holds.parked.iter_mut().filter(|hold| hold.command == command).for_each(|hold| hold.end(at));
        state.ends.insert(at, key.clone());
    }

    /// Holds a key until more comes again of what waited behind a released command: what that held.
    fn hold(&self, key: &StreamName, rest: &Rest, at: Position) {
        let mut state = self.lock();
        let (command, name) = (rest.command, rest.name.clone());
        let hold = Hold { command, name, parked: rest.parked, from: at, until: None };
        state.keys.entry(key.clone()).or_default().rests.push(hold);
    }

    /// More comes again.
    fn resume(&self, key: &StreamName, at: Position) {
        let mut state = self.lock();
        let Some(holds) = state.keys.get_mut(key) else { return };
        holds.rests.iter_mut().for_each(|rest| rest.end(at));
        state.ends.insert(at, key.clone());
    }

    /// Forgets what ended up to `done`, which all lanes have passed.
    pub(crate) fn forget(&self, done: Position) {
        let mut state = self.lock();
        while let Some(first) = state.ends.first_entry().filter(|first| *first.key() <= done) {
            let key = first.remove();
            let Some(holds) = state.keys.get_mut(&key) else { continue };
            holds.parked.retain(|hold| !hold.is_over(done));
            holds.rests.retain(|rest| !rest.is_over(done));
            if holds.parked.is_empty() && holds.rests.is_empty() {
                state.keys.remove(&key);
            }
        }
    }

    /// How many commands are parked, after all that was read.
    pub(crate) fn count(&self) -> usize {
        let is_parked = |hold: &&Hold| hold.until.is_none();
        self.lock().keys.values().map(|holds| holds.parked.iter().filter(is_parked).count()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What lanes had learned when all of them had passed `done`, and what those that went further parked. The log
    /// of events has the last word on whether a command was parked, and where.
    pub(crate) async fn recover(
        &self,
        commands: &CommandLog,
        events: &dyn Store,
        done: Position,
    ) -> Result<(), StoreError> {
        let mut marked: BTreeMap<CommandId, (StreamName, String, Position)> = BTreeMap::new();
        for mark in commands.parking_marks().await? {
            let Ok(Verdict { command, name, .. }) = read_mark(&mark) else { continue };
            let (_, _, released) = marked.entry(command).or_insert((mark.stream, name, Position::START));
            if matches!(mark.event_type.as_str(), REDRIVEN | DISCARDED) && mark.position <= done {
                *released = mark.position;
            }
        }
        let mut parked = Vec::new();
        for (command, (key, name, released)) in marked {
            let places = parkings(&events.commits_of(command).await?);
            let open = places.into_iter().filter(|place| *place > released);
            parked.extend(open.map(|place| (key.clone(), place, command, name.clone())));
        }
        let mut rests: BTreeMap<StreamName, Option<(Rest, Position)>> = BTreeMap::new();
        for mark in commands.hold_marks().await?.into_iter().filter(|mark| mark.position <= done) {
            let Ok(rest) = read_mark::<Rest>(&mark) else { continue };
            let goes_on = mark.event_type.as_str() == HELD;
            rests.insert(mark.stream, goes_on.then_some((rest, mark.position)));
        }
        // All is read, so that nothing is learned twice where a read had to be repeated.
        for (key, place, command, name) in parked {
            self.park(key, place, command, name);
        }
        for (key, rest) in rests {
            if let Some((rest, at)) = rest {
                self.hold(&key, &rest, at);
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

/// Everywhere a command was parked in this life of the command log, the last place first. Where a later parking
/// does not stand further on, the one before it was of another life.
fn parkings(commits: &[Commit]) -> Vec<Position> {
    let mut places: Vec<Position> = Vec::new();
    let parked = commits.iter().rev().filter(|commit| matches!(commit.outcome, Outcome::Parked { .. }));
    for commit in parked {
        if let CommandPayload::Logged(place) = commit.payload
            && places.last().is_none_or(|later| place < *later)
        {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: u64) -> Position {
        Position::new(place)
    }

    #[test]
    fn what_ended_is_kept_until_all_lanes_have_passed_its_end_and_no_longer() {
        let (parked, key) = (Parked::default(), StreamName::unchecked("desk-1"));
        let command = CommandId::new(Default::default());
        let rest = Rest {
            command,
            name: "desk.write".to_owned(),
            by: String::new(),
            begun: at(6),
            read: at(6),
            parked: at(3),
        };
        let behind = |place| parked.behind(at(5), &key, "desk.sign", at(place)).is_some();
        parked.park(key.clone(), at(3), command, rest.name.clone());
        parked.release(&key, command, at(7));
        parked.hold(&key, &rest, at(9));
        parked.resume(&key, at(12));
        assert_eq!([4, 6, 8, 10, 13].map(behind), [true, true, false, true, false]);
        parked.forget(at(6));
        assert_eq!([6, 10].map(behind), [true, true]);
        parked.forget(at(7));
        assert_eq!([6, 10].map(behind), [false, true]);
        parked.forget(at(20));
        let state = parked.lock();
        assert!(state.keys.is_empty() && state.ends.is_empty(), "{state:?}");
    }
}
