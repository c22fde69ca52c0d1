//! How much the lanes have before them: counted from where both logs stood when the driver began, so that
//! it is right after a restart, and right for what waits in the log because memory has no room for it.

use super::{
    Lanes,
    command_log::{CommandLog, Entry},
};
use factum_event::{Position, StreamName, Timestamp};
use factum_store::{ErrorKind, StoreError};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the lanes have before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneLoad {
    /// Commands that were accepted and no lane has come to yet. Those set aside behind a parked one have been
    /// come to; they count again once they come again.
    pub depth: u64,
    /// When the oldest of them was accepted, the first time if it came again.
    pub oldest: Option<Timestamp>,
    /// Parked commands.
    pub parked: u64,
}

/// What the driver tells of itself.
#[derive(Debug, Default)]
pub(crate) struct Load(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    begun: Option<Begun>,
    /// Commands that lanes are done with since.
    done: u64,
    /// Up to here the command log was read.
    read: Position,
    /// When the oldest command that was read and is not done was accepted.
    oldest: Option<Timestamp>,
}

/// Where things stood, at first when the driver began; marks are counted on from there.
#[derive(Clone, Copy, Debug)]
struct Begun {
    /// Commands up to `head` that no lane had come to.
    undecided: u64,
    head: Position,
    /// Marks between `head` and `marks_to`.
    marks: u64,
    marks_to: Position,
}

impl Load {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what no lane has come to: all up to `done` was, of what stands up to `furthest` some was, as
    /// `passed` says of each key and name, and nothing after.
    pub(crate) async fn begin(
        &self,
        commands: &CommandLog,
        done: Position,
        furthest: Position,
        passed: &impl Fn(&StreamName, &str) -> Position,
    ) -> Result<(), StoreError> {
        let head = commands.head().await?.position;
        let (mut undecided, mut read) = (0, done);
        while read < furthest {
            let page = commands.page(read).await?;
            let Some((last, _)) = page.last() else { break };
            read = *last;
            let up_to = page.iter().take_while(|(position, _)| *position <= furthest);
            let is_open = |(position, entry): &&(Position, Entry)| match entry {
                Entry::Command(accepted) => *position > passed(&accepted.key, accepted.command.name.as_str()),
                _ => false,
            };
            undecided += up_to.filter(is_open).map(|_| 1).sum::<u64>();
        }
        let beyond = head.get().saturating_sub(furthest.get());
        undecided += beyond.saturating_sub(commands.marks(furthest, head).await?);
        let mut state = self.lock();
        state.begun = Some(Begun { undecided, head, marks: 0, marks_to: head });
        state.read = state.read.max(done);
        Ok(())
    }

    pub(crate) fn done_one(&self) {
        self.lock().done += 1;
    }

    pub(crate) fn is_at(&self, read: Position, oldest: Option<Timestamp>) {
        let mut state = self.lock();
        (state.read, state.oldest) = (read, oldest);
    }

    /// How many commands no lane has come to; `None` before the driver began.
    async fn depth(&self, commands: &CommandLog) -> Result<Option<u64>, StoreError> {
        let (begun, done) = {
            let state = self.lock();
            (state.begun, state.done)
        };
        let Some(mut begun) = begun else { return Ok(None) };
        // After the look at what is done: a command is accepted before it is done.
        let head = commands.head().await?.position;
        if begun.marks_to < head {
            begun.marks += commands.marks(begun.marks_to, head).await?;
            begun.marks_to = head;
            self.keep(begun);
        }
        let accepted = begun.undecided + (head.get() - begun.head.get()) - begun.marks;
        Ok(Some(accepted.saturating_sub(done)))
    }

    /// Keeps how many marks were counted, unless others counted further.
    fn keep(&self, counted: Begun) {
        let mut state = self.lock();
        if state.begun.is_some_and(|begun| begun.marks_to < counted.marks_to) {
            state.begun = Some(counted);
        }
    }

    /// When the oldest command that no lane has come to was accepted.
    async fn oldest(&self, commands: &CommandLog) -> Result<Option<Timestamp>, StoreError> {
        let (read, oldest) = {
            let state = self.lock();
            (state.read, state.oldest)
        };
        if oldest.is_some() {
            return Ok(oldest);
        }
        // All that was read is done: the next one is the oldest.
        let page = commands.page(read).await?;
        Ok(page.iter().find_map(|(_, entry)| match entry {
            Entry::Command(accepted) => Some(accepted.accepted_at),
            _ => None,
        }))
    }
}

impl Lanes {
    /// What the lanes have before them, whether they run or not.
    ///
    /// # Errors
    /// When the command log cannot be read, or the lanes have not begun: they first learn where they stand.
    pub async fn load(&self) -> Result<LaneLoad, StoreError> {
        let (load, commands) = (&self.shared.load, &self.shared.commands);
        let Some(depth) = load.depth(commands).await? else {
            self.ended()?;
            let what = "the lanes are about to begin: ask again";
            return Err(StoreError::new(ErrorKind::Retry, what));
        };
        let oldest = match depth {
            0 => None,
            _ => load.oldest(commands).await?,
        };
        let parked = u64::try_from(self.shared.parked.count()).unwrap_or(u64::MAX);
        Ok(LaneLoad { depth, oldest, parked })
    }
}
