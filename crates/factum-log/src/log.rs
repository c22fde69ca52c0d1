//! The handle of an open log. Opening, appending from a thread, closing; reading is in `store`.

use crate::{
    ahead::Ahead,
    encode::Prepared,
    engine::Engine,
    error::OpenError,
    follower::Follower,
    format::{EventView, SEGMENT_HEADER_BYTES},
    limits::SEGMENT_BYTES_FILLED_MIN,
    maintenance::{Care, Maintenance},
    options::Options,
    queue::{Done, Queue, Request},
    recovery::{OpenReport, Recovered, check_medium, load, recover},
    storage::{FileStorage, OpenMode, Storage, StorageLock},
    view::CommitView,
    watermark::Watermark,
    window::Residence,
    writer::{Group, Writer},
};
use factum_event::{Query, Sequence};
use factum_store::{Append, AppendError, ErrorKind, Head, HeadWatch, ReadOptions, StoreError, Verdict};
use std::{
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    thread::{self, JoinHandle},
};

/// An append-only log of commits in one directory.
///
/// One writer has the directory at a time; any number of readers look on. Appends may come from any thread:
/// those that come together share one sync. A commit is durable before its verdict is given.
///
/// ```
/// use factum_log::{Log, Options};
/// use factum_event::{Query, Sequence};
/// # let dir = tempfile::tempdir().unwrap();
/// # let dir = dir.path().join("events");
/// let (log, report) = Log::open(&dir, Options::default()).unwrap();
/// assert!(report.created);
/// assert_eq!(log.published().sequence, Sequence::START);
/// assert!(Log::open(&dir, Options::default()).is_err(), "it is open already");
/// ```
#[derive(Debug)]
pub struct Log {
    pub(crate) engine: Arc<Engine>,
    /// Of a log that is open for reading only.
    pub(crate) follower: Option<Arc<Follower>>,
    /// The one that leads for those who do not block, the one that fills the next segment, the one that seals.
    threads: Vec<JoinHandle<()>>,
    /// Held as long as the log is open for writing.
    _lock: Option<Arc<dyn StorageLock>>,
}

impl Log {
    /// Opens the log in `dir` for reading and writing, or makes it.
    ///
    /// A torn tail, which a crash leaves, is cut off and reported.
    ///
    /// # Errors
    /// When another writer has the directory, when acknowledged data is damaged, when the directory is on a network
    /// file system and [`Options::network_file_systems`] does not allow that, or as the file system says.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, OpenReport), OpenError> {
        Self::open_on(Arc::new(FileStorage::new(dir.as_ref())), options)
    }

    /// As [`Self::open`], on any storage.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_on(storage: Arc<dyn Storage>, options: Options) -> Result<(Self, OpenReport), OpenError> {
        options.check()?;
        check_medium(&*storage, &options)?;
        let dir = storage.describe();
        let lock = storage.lock().map_err(OpenError::io(&dir, "take the lock"))?;
        let lock: Arc<dyn StorageLock> = lock.ok_or_else(|| OpenError::Locked { dir: dir.clone() })?.into();
        let (recovered, watermark) = recover(&*storage, &options)?;
        let writer = writer(&recovered, watermark, Arc::downgrade(&lock));
        let (engine, report) = Self::engine(storage, options, recovered, Some(writer));
        let leading = Arc::clone(&engine);
        let run = move || {
            while leading.queue.until_leading() {
                // Whoever is about to append, and wants a core, gets into the group; else this costs nothing.
                thread::yield_now();
                // After a panic the log has failed, and every later append must be told so.
                let _ = panic::catch_unwind(AssertUnwindSafe(|| leading.lead()));
            }
        };
        let thread = thread::Builder::new().name("factum-log".to_owned()).spawn(run);
        let mut log = Self { engine, follower: None, threads: Vec::new(), _lock: Some(lock) };
        log.threads.push(thread.map_err(OpenError::io(&dir, "start the writer"))?);
        if let Some(ahead) = &log.engine.ahead {
            log.threads.push(ahead.run().map_err(OpenError::io(&dir, "start who fills segments"))?);
        }
        log.begin_care().map_err(OpenError::io(&dir, "start the maintenance"))?;
        Ok((log, report))
    }

    /// Opens the log in `dir` for reading only: beside its writer, or damaged. Takes no lock and changes nothing.
    ///
    /// It is read up to the durable head that the watermark names, never beyond, for what stands there may be lost
    /// yet; as far as it is whole where the watermark is lost, which the report tells; up to the damage where there
    /// is some. What is appended later is seen after [`Self::refresh`], and by whoever waits for it with
    /// [`factum_store::Store::appended`], no later than [`Options::follow_every`].
    ///
    /// # Errors
    /// When there is no log, or as the file system says. Damage is not an error here: the report tells.
    pub fn open_read_only(dir: impl AsRef<Path>, options: Options) -> Result<(Self, OpenReport), OpenError> {
        Self::open_read_only_on(Arc::new(FileStorage::new(dir.as_ref())), options)
    }

    /// As [`Self::open_read_only`], on any storage.
    ///
    /// # Errors
    /// As [`Self::open_read_only`].
    pub fn open_read_only_on(
        storage: Arc<dyn Storage>,
        options: Options,
    ) -> Result<(Self, OpenReport), OpenError> {
        let recovered = load(&*storage, &options, OpenMode::Read)?;
        let (engine, report) = Self::engine(storage, options, recovered, None);
        let follower = Some(Follower::new(Arc::clone(&engine), report.damage.is_some()));
        Ok((Self { engine, follower, threads: Vec::new(), _lock: None }, report))
    }

    /// Takes in what its writer has added since, of a log that is open for reading only: every commit that was
    /// acknowledged before is there afterwards. Gives the head; of a log that is open for writing the published one.
    ///
    /// # Errors
    /// [`ErrorKind::RepairData`] when what follows is damaged, [`ErrorKind::Reopen`] when another log, or another
    /// life of it without what was read, stands there now: what was read stays readable.
    pub fn refresh(&self) -> Result<Head, StoreError> {
        self.follower.as_ref().map_or_else(|| Ok(self.published()), |follower| follower.refresh())
    }

    /// Seals what is not sealed, and goes on doing so.
    fn begin_care(&mut self) -> std::io::Result<()> {
        if self.engine.options.background {
            let engine = Arc::clone(&self.engine);
            let run = move || engine.care();
            self.threads.push(thread::Builder::new().name("factum-log-care".to_owned()).spawn(run)?);
        }
        self.engine.segment_ended();
        Ok(())
    }

    /// How far segments are sealed and their index is in files, and what hinders it.
    pub fn maintenance(&self) -> Maintenance {
        self.engine.maintenance()
    }

    fn engine(
        storage: Arc<dyn Storage>,
        options: Options,
        recovered: Recovered,
        writer: Option<Writer>,
    ) -> (Arc<Engine>, OpenReport) {
        let Recovered { identity, index, report, .. } = recovered;
        let queue = Queue::new(options.queue_bytes);
        let fills = writer.is_some() && options.room_ahead && options.background;
        let ahead = (fills && options.segment_bytes >= SEGMENT_BYTES_FILLED_MIN)
            .then(|| Ahead::new(Arc::clone(&storage), options.segment_bytes));
        let engine = Engine {
            storage,
            options,
            identity,
            index: RwLock::new(index),
            watch: HeadWatch::new(report.head),
            residence: Residence::default(),
            queue,
            ahead,
            care: Care::default(),
            writer: writer.map(Mutex::new),
        };
        (Arc::new(engine), report)
    }

    /// Appends each commit if its condition holds, in order, and gives a verdict for each. The calling
    /// thread sleeps, or writes for all who wait, until its commits are durable.
    pub fn append(&self, batch: Vec<Append>) -> Vec<Verdict> {
        if batch.is_empty() {
            return Vec::new();
        }
        let since = self.engine.options.stopwatch();
        match self.prepare(batch) {
            Ok(commits) => self.engine.append_blocking(|done| Request::new(commits, since, done)),
            Err(refused) => refused,
        }
    }

    /// As [`Self::append`], without waiting: `done` is called with the verdicts, from the thread that wrote.
    /// It must not block.
    pub fn submit(&self, batch: Vec<Append>, done: impl FnOnce(Vec<Verdict>) + Send + 'static) {
        let mut done = Some(done);
        let callback = || Done::Callback(Box::new(done.take().expect("asked for once")));
        if let Err(refused) = self.queue(batch, callback)
            && let Some(done) = done
        {
            done(refused);
        }
    }

    /// Queues a batch for whom `done` names; an error is the verdicts, if there is nothing to wait for.
    pub(crate) fn queue(&self, batch: Vec<Append>, done: impl FnOnce() -> Done) -> Result<(), Vec<Verdict>> {
        if batch.is_empty() {
            return Err(Vec::new());
        }
        let since = self.engine.options.stopwatch();
        let commits = self.prepare(batch)?;
        self.engine.queue.push(Request::new(commits, since, done()));
        Ok(())
    }

    /// The head as last published: every commit up to it is durable.
    pub fn published(&self) -> Head {
        self.engine.watch.head()
    }

    /// Visits every commit after `after`, in order, up to the head of this moment. Nothing is allocated for
    /// a commit or an event; every checksum is verified before a commit is visited.
    ///
    /// # Errors
    /// When the bytes are not what was written, or cannot be read.
    pub fn scan(
        &self,
        after: Sequence,
        mut visit: impl FnMut(&CommitView<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.engine.scan(after, &mut visit)
    }

    /// Visits every event that `query` selects, in order, forwards or backwards, up to the head of this
    /// moment, which is returned. Nothing is allocated for an event; each is verified by its own checksum
    /// before it is visited. Events that are appended meanwhile are not visited, and appending does not wait
    /// for the visitor.
    ///
    /// Of `options`, `limit` is not bounded as that of a page is: `usize::MAX` means all, and 0 counts as 1.
    ///
    /// ```
    /// use factum_event::{Query, QueryItem, StreamName};
    /// use factum_log::{Log, Options};
    /// use factum_store::ReadOptions;
    /// use std::ops::ControlFlow;
    /// # use factum_event::*;
    /// # use factum_store::Append;
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let deposit = |to: &StreamName, amount: &str| {
    /// #     let kind = EventType::new("deposited").unwrap();
    /// #     NewEvent::json(to.clone(), kind, amount.as_bytes().to_vec())
    /// # };
    /// let (log, _) = Log::open(dir.path(), Options::default()).unwrap();
    /// let (ada, bob) = (StreamName::new("account-ada").unwrap(), StreamName::new("account-bob").unwrap());
    /// let events = vec![deposit(&ada, "7"), deposit(&bob, "8"), deposit(&ada, "9")];
    /// # let command = CommandRecord {
    /// #     id: CommandId::new(uuid::Uuid::from_u128(1)),
    /// #     name: CommandName::new("deposit").unwrap(),
    /// #     payload: CommandPayload::None,
    /// #     issued_at: Timestamp::from_micros(0),
    /// #     metadata: Metadata::default(),
    /// # };
    /// # let commit = NewCommit { command, outcome: Outcome::Succeeded, events };
    /// # log.append(vec![Append { commit, condition: Condition::none() }]).pop().unwrap().unwrap();
    ///
    /// let query = Query::from(QueryItem::default().stream(ada));
    /// let mut amounts = Vec::new();
    /// let all = ReadOptions { limit: usize::MAX, ..ReadOptions::default() };
    /// let head = log.select(&query, all, |event| {
    ///     amounts.push((event.position.get(), event.payload.to_vec()));
    ///     ControlFlow::Continue(())
    /// });
    /// assert_eq!(amounts, [(1, b"7".to_vec()), (3, b"9".to_vec())]);
    /// assert_eq!(head.unwrap(), log.published());
    /// ```
    ///
    /// # Errors
    /// When the bytes are not what was written, or cannot be read. What was visited before stands.
    pub fn select(
        &self,
        query: &Query,
        options: ReadOptions,
        mut visit: impl FnMut(&EventView<'_>) -> ControlFlow<()>,
    ) -> Result<Head, StoreError> {
        self.engine.select(query, options, &mut visit)
    }

    fn prepare(&self, batch: Vec<Append>) -> Result<Vec<Result<Box<Prepared>, AppendError>>, Vec<Verdict>> {
        if let Err(error) = Append::check_batch(batch.len()) {
            return Err(vec![Err(error); batch.len()]);
        }
        if self.engine.writer.is_none() {
            let what = format!(
                "cannot append to the log in {}: it is open for reading only; open it for writing",
                self.engine.storage.describe()
            );
            let error = AppendError::Store(StoreError::new(ErrorKind::Reopen, what));
            return Err(vec![Err(error); batch.len()]);
        }
        let seed = self.engine.index().seed();
        let prepare = |Append { commit, condition }: Append| {
            // The commit before its condition: the order that every store keeps.
            let prepared = Prepared::new(&commit, condition, seed)?;
            prepared.condition.check().map_err(AppendError::InvalidCondition)?;
            Ok(Box::new(prepared))
        };
        Ok(batch.into_iter().map(prepare).collect())
    }
}

fn writer(recovered: &Recovered, watermark: Watermark, lock: Weak<dyn StorageLock>) -> Writer {
    let last = recovered.scanned.segments.last();
    Writer {
        segment: last.map(|(segment, _)| segment.clone()),
        end: last.map_or(SEGMENT_HEADER_BYTES as u64, |(_, end)| *end),
        room: 0,
        head: recovered.report.head,
        recorded_at: recovered.scanned.recorded_at,
        watermark,
        lags: false,
        rolling: false,
        lock,
        failed: None,
        group: Group::default(),
    }
}

impl Drop for Log {
    /// Writes what still waits, makes the watermark durable, then lets the next writer in.
    fn drop(&mut self) {
        self.engine.queue.close();
        if let Some(follower) = &self.follower {
            follower.close();
        }
        if let Some(ahead) = &self.engine.ahead {
            ahead.close();
        }
        self.engine.care.close();
        for thread in self.threads.drain(..) {
            // A panic of that thread was told to those who waited for it.
            let _ = thread.join();
        }
        if let Some(writer) = &self.engine.writer {
            let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            if writer.failed.is_none() {
                // Without this sync the watermark may lag after power loss, as it may while the log is open; and
                // room that is not given back is no harm.
                let _ = match &writer.segment {
                    Some(segment) => writer.end_segment(segment),
                    None => writer.watermark.sync(),
                };
            }
        }
    }
}
