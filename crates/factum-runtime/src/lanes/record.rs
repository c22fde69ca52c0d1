//! What the command log holds: accepted commands, and what operators decided about parked ones.
//!
//! A command is an event whose type is the command's name and whose stream is its key, so that all that
//! waits behind one key is one stream. Names that begin with `factum.` are the platform's own.

use factum_domain::Boundary;
use factum_event::{
    Codec, CommandId, CommandName, CommandPayload, CommandRecord, EventType, NewEvent, Position, Query,
    QueryItem, RecordedEvent, StreamFilter, StreamName, Tag, Timestamp, limits::STREAM_NAME_BYTES_MAX,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What the names of the platform's own begin with.
pub(crate) const OWN: &str = "factum.";
/// How lanes are laid out from here on.
pub(crate) const LAYOUT: &str = "factum.lanes-laid-out";
/// A command is about to be parked.
pub(crate) const PARKING: &str = "factum.command-parking";
/// A parked command and what waited behind it come again.
pub(crate) const REDRIVEN: &str = "factum.command-redriven";
/// A parked command is given up; what waited behind it comes again.
pub(crate) const DISCARDED: &str = "factum.command-discarded";
/// What else waits behind a released command is still to come again: its key is held from here on.
pub(crate) const HELD: &str = "factum.release-held";
/// More of what waited behind a released command comes again: its key is held no more.
pub(crate) const RESUMED: &str = "factum.release-resumed";
/// All marks: what is not a command.
pub(crate) const MARKS: [&str; 6] = [LAYOUT, PARKING, REDRIVEN, DISCARDED, HELD, RESUMED];
/// The marks that a release consists of.
const RELEASES: [&str; 4] = [REDRIVEN, DISCARDED, HELD, RESUMED];
/// The home of what concerns all lanes.
const HOME: &str = "factum";
/// The keys of commands without one begin so: each is a key of its own, and waits for nobody.
const UNKEYED: &str = "unkeyed";

/// A command as it stands in the command log.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) position: Position,
    pub(crate) command: CommandRecord,
    pub(crate) key: StreamName,
    /// When it was accepted, the first time.
    pub(crate) accepted_at: Timestamp,
}

/// What a lane is told by an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// The parked command.
    pub(crate) command: CommandId,
    /// Its stored name.
    pub(crate) name: String,
    /// Who said so.
    pub(crate) by: String,
    /// Why.
    pub(crate) cause: String,
}

/// How far the release of a command has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rest {
    /// The released command.
    pub(crate) command: CommandId,
    /// Its stored name.
    pub(crate) name: String,
    /// Who released it.
    pub(crate) by: String,
    /// Where the command log ended when the release began: its marks stand after that.
    pub(crate) begun: Position,
    /// Up to here the key was read for what comes again.
    pub(crate) read: Position,
    /// Where the command was parked: what it held follows from that. A mark that does not say it holds at least
    /// as much as any other.
    #[serde(default)]
    pub(crate) parked: Position,
}

/// The key of a command that draws these boundaries: its first one's.
pub(crate) fn key_of(command: CommandId, boundaries: &[Boundary]) -> StreamName {
    let unkeyed = || StreamName::unchecked(format!("{UNKEYED}-{command}"));
    let Some(first) = boundaries.first() else { return unkeyed() };
    if let Some(home) = &first.home {
        return home.clone();
    }
    let item = &first.item;
    let mut parts: Vec<&str> = item.tags.iter().map(Tag::as_str).collect();
    if let Some(StreamFilter::Name(stream)) = &item.stream {
        parts.push(stream.as_str());
    }
    if parts.is_empty() {
        parts.extend(item.types.iter().map(EventType::as_str));
    }
    let mut key = parts.join("+");
    while key.len() > STREAM_NAME_BYTES_MAX {
        key.pop();
    }
    if key.is_empty() { unkeyed() } else { StreamName::unchecked(key) }
}

/// The event that a command becomes. `again` is the one it was at first, when it comes again.
pub(crate) fn to_event(command: &CommandRecord, key: &StreamName, again: Option<&RecordedEvent>) -> NewEvent {
    let (codec, version, payload) = match &command.payload {
        CommandPayload::Inline { codec, version, data } => (*codec, *version, data.clone()),
        CommandPayload::None | CommandPayload::Logged(_) => (Codec::RAW, 1, Default::default()),
    };
    let name = EventType::unchecked(command.name.as_str());
    let mut event = NewEvent { version, codec, ..NewEvent::json(key.clone(), name, payload) };
    if let Some(first) = again {
        event.corrects = Some(first.id);
        event = event.tag(command_tag(command.id));
    }
    event
}

/// Whether the platform speaks in its own name: of commands that it sends itself, and of marks.
pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with(OWN)
}

/// Whether a mark of this type belongs to a release.
pub(crate) fn is_release(name: &str) -> bool {
    RELEASES.contains(&name)
}

/// Every mark of a release of this key.
pub(crate) fn releases_of(key: &StreamName) -> Query {
    let types = RELEASES.map(EventType::unchecked).into();
    Query::from(QueryItem { types, ..QueryItem::default() }.stream(key.clone()))
}

/// What finds every time a command came again.
pub(crate) fn command_tag(command: CommandId) -> Tag {
    Tag::unchecked(format!("command:{command}"))
}

/// The command that an event of the command log is, taken from `first` when it came again.
pub(crate) fn from_event(event: &RecordedEvent, first: &RecordedEvent) -> Accepted {
    let header = &first.commit;
    let command = CommandRecord {
        id: header.command_id,
        name: CommandName::unchecked(event.event_type.as_str()),
        payload: CommandPayload::Inline {
            codec: event.codec,
            version: event.version,
            data: event.payload.clone(),
        },
        issued_at: header.issued_at,
        metadata: header.metadata.clone(),
    };
    Accepted { position: event.position, command, key: event.stream.clone(), accepted_at: header.recorded_at }
}

/// A mark of the platform's own in the command log.
pub(crate) fn mark(kind: &'static str, stream: Option<&StreamName>, content: &impl Serialize) -> NewEvent {
    let home = stream.cloned().unwrap_or_else(|| StreamName::unchecked(HOME));
    let payload = serde_json::to_vec(content).expect("a mark is plain data");
    NewEvent::json(home, EventType::unchecked(kind), payload)
}

/// What a mark says.
pub(crate) fn read_mark<T: DeserializeOwned>(event: &RecordedEvent) -> Result<T, String> {
    serde_json::from_slice(&event.payload)
        .map_err(|cause| format!("{} at {} of the command log: {cause}", event.event_type, event.position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_does_not_say_where_the_command_was_parked_is_read() {
        let id = CommandId::new(Default::default());
        let told = format!(r#"{{"command":"{id}","name":"desk.write","by":"olga","begun":21,"read":14}}"#);
        let rest: Rest = serde_json::from_str(&told).unwrap();
        assert_eq!((rest.begun, rest.parked), (Position::new(21), Position::START));
    }
}
