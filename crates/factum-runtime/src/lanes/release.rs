//! What waits behind a released command comes again in parts, each one commit of bounded size, in order.
//!
//! A part that is not the last ends with a mark that holds the key: whatever else comes in is set aside, so
//! that nothing overtakes what is still to come. The lane that comes to the mark appends the next part, which
//! begins with a mark that lets the key go on. Only the last part needs that nothing came in meanwhile.

use super::{
    command_log::CommandLog,
    driver::Shared,
    lane::{Halt, PAUSE, halt, may_pass, retrying, wait},
    layout::LaneBounds,
    parked::parking,
    record::{self, HELD, RESUMED, Rest, is_own, is_release, mark},
};
use factum_event::{
    CommandId, Condition, Metadata, NewEvent, Position, Query, QueryItem, RecordedEvent, StreamName,
    limits::{COMMIT_BYTES_MAX, EVENT_BYTES_MAX, EVENTS_PER_COMMIT_MAX},
};
use factum_store::{AppendError, ReadOptions, StoreError};

/// So many events of a key are read at a time.
const PAGE: usize = 256;
/// So often a last part may find that something came in meanwhile. Then it goes without being the last.
const RACES_MAX: u32 = 3;
/// What a commit holds beside those that waited: both marks and the released command.
const BESIDE: usize = 3;

/// How much one part may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartMax {
    pub(crate) commands: usize,
    /// A single command may have more.
    pub(crate) bytes: usize,
}

impl PartMax {
    /// As the application wants it, within what a commit can hold.
    pub(crate) fn new(bounds: LaneBounds) -> Self {
        Self {
            commands: bounds.released_max.clamp(1, EVENTS_PER_COMMIT_MAX - BESIDE),
            bytes: bounds.released_bytes_max.min(COMMIT_BYTES_MAX - 2 * EVENT_BYTES_MAX),
        }
    }
}

/// What comes again next.
#[derive(Debug)]
pub(crate) struct Part {
    /// Commands, as events that come again, in order.
    pub(crate) again: Vec<(CommandId, NewEvent)>,
    /// Up to here the key was read.
    pub(crate) read: Position,
    /// Whether that is all there is.
    pub(crate) is_last: bool,
    /// The last mark of a release that was met after the release began.
    pub(crate) mark: Option<Position>,
}

impl Part {
    /// Reads the key on from where `rest` is, for all that waits and did not come again in this release.
    pub(crate) async fn read(
        shared: &Shared,
        key: &StreamName,
        rest: &Rest,
        max: PartMax,
    ) -> Result<Self, StoreError> {
        let commands = &shared.commands;
        let releases = commands.releases(key).await?;
        let query = Query::from(QueryItem::default().stream(key.clone()));
        let mut part = Self { again: Vec::new(), read: rest.read, is_last: false, mark: None };
        let (mut after, mut bytes, mut came_again) = (rest.read, 0, None);
        loop {
            let options = ReadOptions { after, limit: PAGE, ..ReadOptions::default() };
            let page = commands.store().read(&query, options).await?;
            for event in &page.events {
                let sequence = event.commit.sequence;
                if is_own(event.event_type.as_str()) {
                    if event.position > rest.begun && is_release(event.event_type.as_str()) {
                        (part.mark, came_again) = (Some(event.position), Some(sequence));
                    }
                } else if came_again != Some(sequence)
                    && let Some((id, again)) = waits(shared, key, rest.command, &releases, event).await?
                {
                    bytes += size(&again);
                    let is_full = part.again.len() >= max.commands || bytes > max.bytes;
                    if is_full && !part.again.is_empty() {
                        return Ok(part);
                    }
                    part.again.push((id, again));
                }
                part.read = event.position;
            }
            match page.next {
                Some(next) => after = next,
                None => {
                    part.is_last = true;
                    return Ok(part);
                }
            }
        }
    }

    /// The commands that come again, and their events followed by a mark if more is to come.
    pub(crate) fn events(
        self,
        key: &StreamName,
        rest: &Rest,
        goes_on: bool,
    ) -> (Vec<CommandId>, Vec<NewEvent>) {
        let read = self.read;
        let (ids, mut events): (_, Vec<_>) = self.again.into_iter().unzip();
        if goes_on {
            events.push(mark(HELD, Some(key), &Rest { read, ..rest.clone() }));
        }
        (ids, events)
    }
}

/// Under which the next part is appended. `since`: where the last mark of a release may stand.
pub(crate) fn condition(key: &StreamName, part: &Part, goes_on: bool, since: Position) -> Condition {
    if goes_on {
        // What came in meanwhile is read with the next part.
        return Condition::none().fresh(record::releases_of(key), since);
    }
    // A command that was accepted for the key meanwhile would be left behind.
    Condition::none().fresh(QueryItem::default().stream(key.clone()).into(), part.read)
}

/// The command of an event and how it comes again, if it waits: undecided, standing nowhere further on, and
/// not parked itself, since a parked one waits for its own release.
async fn waits(
    shared: &Shared,
    key: &StreamName,
    released: CommandId,
    releases: &[(Position, CommandId)],
    event: &RecordedEvent,
) -> Result<Option<(CommandId, NewEvent)>, StoreError> {
    let commands = &shared.commands;
    let original = match event.corrects {
        Some(first) => commands.store().event(first).await?,
        None => None,
    };
    let original = original.as_ref().unwrap_or(event);
    let accepted = record::from_event(event, original);
    let id = accepted.command.id;
    if id == released {
        return Ok(None);
    }
    let commits = shared.engine.store().commits_of(id).await?;
    let is_parked = parking(&commits).is_some_and(|(place, _)| !is_released(releases, id, place));
    if is_parked || commits.iter().any(|commit| commit.outcome.is_final()) {
        return Ok(None);
    }
    if commands.came_again(key, id, event.position).await? {
        return Ok(None);
    }
    Ok(Some((id, record::to_event(&accepted.command, key, Some(original)))))
}

/// Whether a command that was parked at a place was released since.
pub(crate) fn is_released(releases: &[(Position, CommandId)], command: CommandId, parked: Position) -> bool {
    releases.iter().any(|(place, released)| *released == command && *place > parked)
}

fn size(event: &NewEvent) -> usize {
    let tags: usize = event.tags.iter().map(|tag| tag.as_str().len()).sum();
    event.payload.len() + tags + event.stream.as_str().len() + event.event_type.as_str().len()
}

/// Appends the part that comes after the mark at `at`, unless that was done before.
pub(crate) async fn go_on(shared: &Shared, key: &StreamName, rest: &Rest, at: Position) -> Result<(), Halt> {
    let max = PartMax::new(shared.bounds);
    let (mut pause, mut races) = (PAUSE, 0);
    loop {
        if retrying(shared, || shared.commands.is_released_since(key, at)).await? {
            return Ok(());
        }
        let part = retrying(shared, || Part::read(shared, key, rest, max)).await?;
        if part.mark.is_some_and(|mark| mark > at) {
            return Ok(());
        }
        // A key that is sent to without a pause would never be found at rest.
        let goes_on = !part.is_last || races >= RACES_MAX && !part.again.is_empty();
        let condition = condition(key, &part, goes_on, at);
        let mut events = vec![mark(RESUMED, Some(key), rest)];
        events.extend(part.events(key, rest, goes_on).1);
        let metadata = Metadata { actor: Some(rest.by.as_str().into()), ..Metadata::default() };
        let (id, now) = (shared.engine.fresh_command_id(), shared.engine.now());
        match shared.commands.mark(id, now, metadata, events, condition).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Stale { .. }) => races += 1,
            Err(AppendError::Store(cause)) if may_pass(&cause) => wait(shared, &mut pause).await,
            Err(cause) => return Err(halt("the command log", &cause)),
        }
    }
}

impl CommandLog {
    /// Whether a command stands further on in its key as well.
    async fn came_again(
        &self,
        key: &StreamName,
        command: CommandId,
        after: Position,
    ) -> Result<bool, StoreError> {
        let item = QueryItem::default().stream(key.clone()).tag(record::command_tag(command));
        self.is_any(item.into(), after).await
    }

    /// Whether a mark of a release of this key stands after a place.
    async fn is_released_since(&self, key: &StreamName, after: Position) -> Result<bool, StoreError> {
        self.is_any(record::releases_of(key), after).await
    }

    async fn is_any(&self, query: Query, mut after: Position) -> Result<bool, StoreError> {
        loop {
            let options = ReadOptions { after, limit: 1, ..ReadOptions::default() };
            let page = self.store().read(&query, options).await?;
            match page.next {
                _ if !page.events.is_empty() => return Ok(true),
                Some(next) => after = next,
                None => return Ok(false),
            }
        }
    }

    /// Whether more of a release of this key is still to come again.
    pub(crate) async fn is_releasing(&self, key: &StreamName) -> Result<bool, StoreError> {
        let query = record::releases_of(key);
        let mut options = ReadOptions { backwards: true, limit: 1, ..ReadOptions::default() };
        loop {
            let page = self.store().read(&query, options).await?;
            match (page.events.first(), page.next) {
                (Some(last), _) => return Ok(last.event_type.as_str() == HELD),
                (None, Some(next)) => options.up_to = Some(next),
                (None, None) => return Ok(false),
            }
        }
    }
}
