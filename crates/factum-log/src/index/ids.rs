//! Which commit or event an id names. Derived event ids are not stored: they keep their command's family,
//! and what the family leaves out is compared in full.

use super::{
    Index, KeyKind,
    active::{BIT_CORRELATED, BIT_FINAL},
    part::{PartRef, Probe},
};
use crate::encode::Prepared;
use factum_event::{CommandId, CorrelationId, EventId, Position, Sequence};

impl Index {
    /// The commits of a command, ascending.
    pub(crate) fn commits_of(&self, command: CommandId) -> impl Iterator<Item = Sequence> {
        let (family, mixed) = (command.family(), command.mixed());
        self.oldest_first().flat_map(move |part| {
            of_command(part, &self.probe(KeyKind::Family, &family), &mixed, Sequence::START, |_| true)
        })
    }

    /// Whether a commit shares its family with a command: if not, the command is not decided, and no id that is
    /// derived from it is taken.
    pub(crate) fn knows_family(&self, command: CommandId) -> bool {
        let family = command.family();
        let probe = self.probe(KeyKind::Family, &family);
        self.newest_first().any(|part| !part.family(&probe).is_empty())
    }

    /// The commit with the final outcome of a command.
    pub(crate) fn decided(&self, command: CommandId) -> Option<Sequence> {
        let (family, mixed) = (command.family(), command.mixed());
        let probe = self.probe(KeyKind::Family, &family);
        self.newest_first().find_map(|part| {
            let decides = |number: &u32| {
                part.commit(*number)
                    .is_some_and(|commit| commit.bits & BIT_FINAL != 0 && commit.mixed == mixed)
            };
            part.family(&probe).into_iter().find(decides).map(|commit| part.sequence(commit))
        })
    }

    /// The commits of a correlation after `after`, ascending: those that were given it, and those of the
    /// command it is the id of, where they were given none.
    pub(crate) fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
    ) -> impl Iterator<Item = Sequence> {
        let own = CommandId::new(correlation.get());
        let id = correlation.get().into_bytes();
        let (family, mixed) = (own.family(), own.mixed());
        let parts =
            self.oldest_first().filter(move |part| part.sequences().end > after.get().saturating_add(1));
        parts.flat_map(move |part| {
            let given = part.list(&self.probe(KeyKind::Correlation, &id));
            let given = given.after(given.below(number_after(part, after)));
            let given = (0..given.len()).map(move |index| part.sequence(given.get(index)));
            let is = |bits: u8| bits & BIT_CORRELATED == 0;
            let by_default = of_command(part, &self.probe(KeyKind::Family, &family), &mixed, after, is);
            merged(given, by_default.into_iter())
        })
    }

    /// Where the event with this id stands.
    pub(crate) fn event(&self, id: EventId) -> Option<Position> {
        let (given, family) = (id.get(), id.family());
        let given = self.probe(KeyKind::Event, given.as_bytes());
        let family = self.probe(KeyKind::Family, &family);
        self.newest_first().find_map(|part| {
            let explicit = if part.has_explicit() { part.list(&given).iter().next() } else { None };
            // An index file may name an event that it does not have.
            let has = |event: &u32| *event < part.events();
            let event = explicit.filter(has).or_else(|| derived(part, &family, id).filter(has))?;
            Some(Position::new(part.base_position() + u64::from(event)))
        })
    }

    /// The first event of `commit` whose id is taken, and by which one. `knows_family` is that of its command.
    pub(crate) fn taken(&self, commit: &Prepared, knows_family: bool) -> Option<(EventId, Position)> {
        let may_be = knows_family
            || commit.events.iter().any(|event| event.id.is_some())
            || self.newest_first().any(PartRef::has_explicit);
        if !may_be {
            return None;
        }
        (0..commit.events.len())
            .map(|index| commit.event_id(index))
            .find_map(|id| Some((id, self.event(id)?)))
    }
}

/// The first number of a part whose commit comes after `after`.
fn number_after(part: PartRef<'_>, after: Sequence) -> u32 {
    u32::try_from(after.get().saturating_add(1).saturating_sub(part.base_sequence())).unwrap_or(u32::MAX)
}

/// The commits of a command after `after` whose bits are `wanted`, ascending.
fn of_command(
    part: PartRef<'_>,
    family: &Probe<'_>,
    mixed: &[u8; 16],
    after: Sequence,
    wanted: impl Fn(u8) -> bool,
) -> Vec<Sequence> {
    let is = |number: &u32| {
        part.commit(*number).is_some_and(|commit| commit.mixed == *mixed && wanted(commit.bits))
    };
    let from = number_after(part, after);
    let commits = part.family(family).into_iter().filter(|number| *number >= from).filter(is);
    commits.map(|commit| part.sequence(commit)).collect()
}

/// Two ascending walks as one.
fn merged(
    one: impl Iterator<Item = Sequence>,
    other: impl Iterator<Item = Sequence>,
) -> impl Iterator<Item = Sequence> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if a < b => one.next(),
        (_, Some(_)) => other.next(),
        (_, None) => one.next(),
    })
}

/// The event whose id was derived and is `id`: which one of its commit follows from the id.
fn derived(part: PartRef<'_>, family: &Probe<'_>, id: EventId) -> Option<u32> {
    part.family(family).into_iter().find_map(|number| {
        let commit = part.commit(number)?;
        let ([.., a, b, c, d], [.., e, f, g, h]) = (id.get().into_bytes(), commit.mixed);
        let index = u32::from_be_bytes([a, b, c, d]) ^ u32::from_be_bytes([e, f, g, h]);
        let event = commit.first.checked_add(index).filter(|event| part.events_of(number).contains(event))?;
        let is_it = !part.is_explicit(event) && EventId::derived(commit.command(), index) == id;
        is_it.then_some(event)
    })
}
