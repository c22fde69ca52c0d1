//! Which commit or event an id names. Derived event ids are not stored: they keep their command's family,
//! and what the family leaves out is compared in full.

use super::{BIT_CORRELATED, BIT_FINAL, BITS_LEFT_OUT, CommitEntry, Index, KeyKind, left_out};
use crate::encode::Prepared;
use factum_event::{CommandId, CorrelationId, EventId, Position, Sequence};

impl Index {
    /// The commits of a command, ascending.
    pub(crate) fn commits_of(&self, command: CommandId) -> impl Iterator<Item = Sequence> {
        let commits = self.postings(KeyKind::Family, &command.family());
        commits.iter().filter(move |commit| self.is_of(**commit, command)).map(|commit| sequence(*commit))
    }

    /// The commit with the final outcome of a command.
    pub(crate) fn decided(&self, command: CommandId) -> Option<Sequence> {
        let commits = self.postings(KeyKind::Family, &command.family());
        let decided = commits.iter().find(|commit| {
            self.commits[**commit as usize].bits & BIT_FINAL != 0 && self.is_of(**commit, command)
        });
        decided.map(|commit| sequence(*commit))
    }

    /// The commits of a correlation after `after`, ascending: those that were given it, and those of the
    /// command it is the id of, where they were given none.
    pub(crate) fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
    ) -> impl Iterator<Item = Sequence> {
        let own = CommandId::new(correlation.get());
        let given = self.postings(KeyKind::Correlation, correlation.get().as_bytes());
        let family = self.postings(KeyKind::Family, &own.family());
        let mut given = given[given.partition_point(|commit| sequence(*commit) <= after)..].iter().peekable();
        let by_default = move |commit: &&u32| {
            self.commits[**commit as usize].bits & BIT_CORRELATED == 0 && self.is_of(**commit, own)
        };
        let start = family.partition_point(|commit| sequence(*commit) <= after);
        let mut family = family[start..].iter().filter(by_default).peekable();
        std::iter::from_fn(move || match (given.peek(), family.peek()) {
            (Some(a), Some(b)) if a < b => given.next(),
            (_, Some(_)) => family.next(),
            (_, None) => given.next(),
        })
        .map(|commit| sequence(*commit))
    }

    /// Where the event with this id stands.
    pub(crate) fn event(&self, id: EventId) -> Option<Position> {
        let given = || self.postings(KeyKind::Event, id.get().as_bytes()).first().copied();
        let event = given().or_else(|| self.derived(id))?;
        Some(Position::new(u64::from(event) + 1))
    }

    /// The first event of `commit` whose id is taken, and by which one.
    pub(crate) fn taken(&self, commit: &Prepared) -> Option<(EventId, Position)> {
        let family = self.postings(KeyKind::Family, &commit.command.family());
        let nothing_given = self.explicit.is_empty() && commit.events.iter().all(|event| event.id.is_none());
        if family.is_empty() && nothing_given {
            return None;
        }
        (0..commit.events.len())
            .map(|index| commit.event_id(index))
            .find_map(|id| Some((id, self.event(id)?)))
    }

    /// The event whose id was derived and is `id`: which one of its commit follows from the id.
    fn derived(&self, id: EventId) -> Option<u32> {
        self.postings(KeyKind::Family, &id.family()).iter().find_map(|commit| {
            let entry = self.commits[*commit as usize];
            let [.., a, b, c, d] = id.get().into_bytes();
            let index = u32::from_be_bytes([a, b, c, d]) ^ u32::from_be_bytes(entry.tail);
            let end =
                self.commits.get(*commit as usize + 1).map_or(self.events.len(), |next| next.first as usize);
            let event = entry.first.checked_add(index).filter(|event| (*event as usize) < end)?;
            let command = command(&entry, id.family());
            let is_derived = self.explicit.binary_search(&event).is_err();
            (is_derived && EventId::derived(command, index) == id).then_some(event)
        })
    }

    fn is_of(&self, commit: u32, command: CommandId) -> bool {
        let entry = &self.commits[commit as usize];
        let mixed = command.mixed();
        mixed[12..] == entry.tail && left_out(&mixed) == entry.bits & BITS_LEFT_OUT
    }
}

/// The id of a commit's command, from its family and its entry.
fn command(entry: &CommitEntry, family: [u8; 12]) -> CommandId {
    let mut mixed = [0; 16];
    mixed[..12].copy_from_slice(&family);
    mixed[6] |= entry.bits & 0xf0;
    mixed[8] |= (entry.bits & 0x0c) << 4;
    mixed[12..].copy_from_slice(&entry.tail);
    CommandId::from_mixed(mixed)
}

fn sequence(commit: u32) -> Sequence {
    Sequence::new(u64::from(commit) + 1)
}
