//! What happens between two looks at two logs: causes are told before what they caused, and nothing is left
//! between them.

use super::played::{by_command, drained};
use factum::{
    CommandId, CommandName, CommandPayload, CommandPlace, CommandRecord, Commit, Condition, CorrelationId,
    EventId, EventType, Feeds, LogIdentity, NewCommit, NewEvent, Outcome, Position, Query, RecordedEvent,
    Revision, Sequence, Source, Status, StoreError, StreamName, Tag, Timestamp, block_on,
    store::{Append, BoxFuture, CommitPage, Families, Head, MemoryStore, Page, ReadOptions, Store, Verdict},
};
use std::{
    fmt,
    sync::{Arc, Mutex},
};

/// What is done just before the log is looked at.
type Deed = Box<dyn FnOnce() + Send>;

/// A log to which something happens just before it is looked at.
struct Meddled {
    inner: Arc<MemoryStore>,
    before_commits: Mutex<Option<Deed>>,
    before_head: Mutex<Option<Deed>>,
}

impl Meddled {
    fn new() -> Arc<Self> {
        let inner = Arc::new(MemoryStore::new());
        Arc::new(Self { inner, before_commits: Mutex::default(), before_head: Mutex::default() })
    }
}

fn happen(deed: &Mutex<Option<Deed>>) {
    let deed = deed.lock().unwrap().take();
    deed.into_iter().for_each(|deed| deed());
}

impl fmt::Debug for Meddled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddled")
    }
}

impl Store for Meddled {
    fn identity(&self) -> LogIdentity {
        self.inner.identity()
    }
    fn families(&self) -> Families {
        self.inner.families()
    }
    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        self.inner.append(batch)
    }
    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        happen(&self.before_head);
        self.inner.head()
    }
    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        self.inner.read(query, options)
    }
    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>> {
        self.inner.revision(stream, at)
    }
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>> {
        self.inner.event(id)
    }
    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        happen(&self.before_commits);
        self.inner.commits(after, limit)
    }
    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>> {
        self.inner.commits_of(command)
    }
    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        self.inner.correlated(correlation, after, limit)
    }
    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        self.inner.progress(source)
    }
    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>> {
        self.inner.appended(after)
    }
}

const KEY: &str = "account-1";

fn id(number: u128) -> CommandId {
    CommandId::new(factum::Uuid::from_u128(number))
}

fn append(
    store: &MemoryStore,
    id: CommandId,
    payload: CommandPayload,
    outcome: Outcome,
    events: Vec<NewEvent>,
) {
    let name = CommandName::unchecked("bank.machine");
    let command =
        CommandRecord { id, name, payload, issued_at: Timestamp::EPOCH, metadata: Default::default() };
    let commit = NewCommit { command, outcome, events };
    let verdicts = block_on(store.append(vec![Append { commit, condition: Condition::none() }]));
    assert!(verdicts[0].is_ok(), "{verdicts:?}");
}

fn event(kind: &'static str, payload: String) -> NewEvent {
    NewEvent::json(StreamName::unchecked(KEY), EventType::unchecked(kind), payload)
}

fn accept(commands: &MemoryStore, number: u128) {
    let events = vec![event("bank.machine", "{}".to_owned())];
    append(commands, id(number), CommandPayload::None, Outcome::Succeeded, events);
}

fn decide(events: &MemoryStore, number: u128, place: u64, outcome: Outcome) {
    append(events, id(number), CommandPayload::Logged(Position::new(place)), outcome, Vec::new());
}

/// Drives a command again, and another that waits behind it.
fn redrive(commands: &MemoryStore, number: u128, waiting: Option<u128>) {
    let command = id(number);
    let verdict =
        format!(r#"{{"command": "{command}", "name": "bank.machine", "by": "olga", "cause": "-"}}"#);
    let again = |number| {
        let tag = Tag::unchecked(format!("command:{}", id(number)));
        event("bank.machine", "{}".to_owned()).tag(tag)
    };
    let mut events = vec![event("factum.command-redriven", verdict), again(number)];
    events.extend(waiting.map(again));
    append(commands, id(number + 1000), CommandPayload::None, Outcome::Succeeded, events);
}

fn parked() -> Outcome {
    Outcome::Parked { cause: "out of order".to_owned() }
}

#[test]
fn a_command_is_told_as_parked_before_it_is_told_as_driven_again() {
    block_on(async {
        let (events, commands) = (Arc::new(MemoryStore::new()), Meddled::new());
        accept(&commands.inner, 1);
        let mut updates =
            Feeds::new(events.clone(), Some(commands.clone())).command_updates(CommandPlace::default());
        assert_eq!(updates.next_now().await.unwrap().unwrap().status.status, Status::Accepted);
        // The log of events was just found to be at its end; the command log is about to be read.
        let (into_events, into_commands) = (Arc::clone(&events), Arc::clone(&commands.inner));
        *commands.before_commits.lock().unwrap() = Some(Box::new(move || {
            decide(&into_events, 1, 1, parked());
            redrive(&into_commands, 1, None);
        }));
        let told = drained(&mut updates).await;
        assert_eq!(by_command(&told)[&id(1)], [Status::Parked, Status::Accepted]);
    });
}

#[test]
fn a_parked_command_that_comes_again_behind_another_waits_for_its_own_release() {
    block_on(async {
        let (events, commands) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let feeds = Feeds::new(events.clone(), Some(commands.clone()));
        for number in 1..=2 {
            accept(&commands, number);
            decide(&events, number, u64::try_from(number).unwrap(), parked());
        }
        let statuses = async |number| {
            let mut history = feeds.command_history(id(number), CommandPlace::default());
            let mut statuses = Vec::new();
            while let Some(update) = history.next_now().await.unwrap() {
                statuses.push(update.status.status);
            }
            assert_eq!(feeds.status(id(number)).await.unwrap().unwrap().status, *statuses.last().unwrap());
            statuses
        };
        redrive(&commands, 1, Some(2));
        use Status::{Accepted, Parked};
        assert_eq!(statuses(1).await, [Accepted, Parked, Accepted]);
        assert_eq!(statuses(2).await, [Accepted, Parked]);
        // More releases of others than are read at once.
        for number in 3..203 {
            redrive(&commands, number, None);
        }
        redrive(&commands, 2, None);
        assert_eq!(statuses(2).await, [Accepted, Parked, Accepted]);
        let told = drained(&mut feeds.command_updates(CommandPlace::default())).await;
        assert_eq!(by_command(&told)[&id(2)], [Accepted, Parked, Accepted]);
    });
}

#[test]
fn an_outcome_waits_for_its_command() {
    block_on(async {
        let (events, commands) = (Meddled::new(), Arc::new(MemoryStore::new()));
        let feeds = Feeds::new(events.clone(), Some(commands.clone()));
        let (into_events, into_commands) = (Arc::clone(&events.inner), Arc::clone(&commands));
        *events.before_commits.lock().unwrap() = Some(Box::new(move || {
            for number in 1..=200 {
                accept(&into_commands, number);
            }
            for number in 1..=200 {
                decide(&into_events, 201 - number, u64::try_from(201 - number).unwrap(), Outcome::Nothing);
            }
        }));
        let told = drained(&mut feeds.command_updates(CommandPlace::default())).await;
        assert_eq!(told.len(), 400);
        assert!(by_command(&told).values().all(|told| *told == [Status::Accepted, Status::Succeeded]));
        for (number, update) in told.iter().enumerate() {
            assert_eq!(drained(&mut feeds.command_updates(update.place)).await, told[number + 1..]);
        }
    });
}

#[test]
fn whoever_begins_now_is_told_what_becomes_of_all_that_they_are_told_is_accepted() {
    block_on(async {
        let (events, commands) = (Meddled::new(), Arc::new(MemoryStore::new()));
        let feeds = Feeds::new(events.clone(), Some(commands.clone()));
        let (into_events, into_commands) = (Arc::clone(&events.inner), Arc::clone(&commands));
        *events.before_head.lock().unwrap() = Some(Box::new(move || {
            accept(&into_commands, 1);
            decide(&into_events, 1, 1, parked());
        }));
        let now = feeds.now().await.unwrap();
        let told = drained(&mut feeds.command_updates(now)).await;
        assert!(told.is_empty() || by_command(&told)[&id(1)].last() == Some(&Status::Parked), "{told:?}");
    });
}

#[test]
fn outcomes_of_another_command_log_are_told_without_waiting_for_it() {
    block_on(async {
        let (events, commands) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        decide(&events, 7, 70, Outcome::Nothing);
        accept(&commands, 1);
        decide(&events, 8, 80, parked());
        let told =
            drained(&mut Feeds::new(events, Some(commands)).command_updates(CommandPlace::default())).await;
        let told: Vec<_> =
            told.iter().map(|update| (update.status.command_id, update.status.status)).collect();
        assert_eq!(told, [(id(1), Status::Accepted), (id(7), Status::Succeeded), (id(8), Status::Parked)]);
    });
}
