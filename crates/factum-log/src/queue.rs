//! Who waits to be written, and who leads. One at a time leads: a blocked caller if one comes first, else
//! the log's own thread. The lead is never dropped while something waits, also when a leader panics.

use crate::{
    encode::Prepared,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, Thread, thread},
};
use factum_store::{AppendError, ErrorKind, StoreError, Verdict};
use std::{
    collections::VecDeque,
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Commits of one append, and who is told.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) commits: Vec<Result<Box<Prepared>, AppendError>>,
    /// Where the leader puts a verdict for each.
    pub(crate) verdicts: Vec<Verdict>,
    bytes: usize,
    /// When it was handed in, by the observer's stopwatch.
    pub(crate) since: Option<Duration>,
    done: Option<Done>,
}

/// What became of a request. The memory of its commits goes back with the verdicts: what one thread allocates
/// and another frees makes the two wait for each other in the allocator, commit by commit.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) verdicts: Vec<Verdict>,
    #[expect(dead_code, reason = "only to be dropped by who is told")]
    commits: Vec<Result<Box<Prepared>, AppendError>>,
}

/// Who is told the verdicts.
pub(crate) enum Done {
    Caller(Arc<Waiter>),
    Future(Arc<Promise>),
    Callback(Box<dyn FnOnce(Vec<Verdict>) + Send>),
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller(_) => "Caller",
            Self::Future(_) => "Future",
            Self::Callback(_) => "Callback",
        })
    }
}

impl Request {
    pub(crate) fn new(
        commits: Vec<Result<Box<Prepared>, AppendError>>,
        since: Option<Duration>,
        done: Done,
    ) -> Self {
        let size = |commit: &Result<Box<Prepared>, _>| commit.as_ref().map_or(0, |commit| commit.frame.len());
        let bytes = commits.iter().map(size).sum();
        let verdicts = Vec::with_capacity(commits.len());
        Self { commits, verdicts, bytes, since, done: Some(done) }
    }

    /// Tells the verdicts.
    pub(crate) fn complete(mut self) {
        self.tell();
    }

    fn tell(&mut self) {
        let verdicts = std::mem::take(&mut self.verdicts);
        let commits = std::mem::take(&mut self.commits);
        match self.done.take() {
            Some(Done::Caller(waiter)) => waiter.set(Wait::Done(Answer { verdicts, commits })),
            Some(Done::Future(promise)) => promise.keep(Answer { verdicts, commits }),
            Some(Done::Callback(callback)) => {
                // Its panic is its own: the leader has others to answer. The panic hook has reported it.
                let _ = panic::catch_unwind(AssertUnwindSafe(|| callback(verdicts)));
            }
            None => {}
        }
    }

    /// The same error for every commit.
    pub(crate) fn refuse(mut self, error: &AppendError) {
        self.refuse_all(error);
        self.tell();
    }

    fn refuse_all(&mut self, error: &AppendError) {
        self.verdicts.clear();
        self.verdicts.resize(self.commits.len(), Err(error.clone()));
    }
}

impl Drop for Request {
    /// A request that its leader dropped, by a panic: whoever waits must not wait for ever.
    fn drop(&mut self) {
        if self.done.is_some() {
            let unknown = AppendError::Unknown { cause: "the writer of the log panicked".to_owned() };
            self.refuse_all(&unknown);
            self.tell();
        }
    }
}

/// A blocked caller.
#[derive(Debug)]
pub(crate) struct Waiter {
    thread: Thread,
    wait: Mutex<Wait>,
}

/// What a blocked caller is to do.
#[derive(Debug, Default)]
pub(crate) enum Wait {
    #[default]
    Sleep,
    Lead,
    Done(Answer),
}

impl Waiter {
    /// For the calling thread.
    pub(crate) fn here() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), wait: Mutex::default() })
    }

    fn set(&self, wait: Wait) {
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = wait;
        self.thread.unpark();
    }

    pub(crate) fn take(&self) -> Wait {
        std::mem::take(&mut *self.wait.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where the answer is left for a future.
#[derive(Debug, Default)]
pub(crate) struct Promise(Mutex<(Option<Answer>, Option<Waker>)>);

impl Promise {
    fn keep(&self, answer: Answer) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.0 = Some(answer);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The answer once it is there; then never again.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.0.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// All who wait.
#[derive(Debug)]
pub(crate) struct Queue {
    bytes_max: usize,
    state: Mutex<State>,
    writer: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Request>,
    bytes: usize,
    led: bool,
    /// The log's own thread has the lead.
    writer_leads: bool,
    closing: bool,
}

impl Queue {
    /// An empty queue, of at most so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: Mutex::default(), writer: Condvar::new() }
    }

    /// Queues a request of a blocked caller. Whether that caller leads now.
    pub(crate) fn push_blocking(&self, request: Request) -> bool {
        let mut state = self.lock();
        if let Err(request) = state.push(request, self.bytes_max) {
            drop(state);
            request.refuse(&full(self.bytes_max));
            return false;
        }
        !std::mem::replace(&mut state.led, true)
    }

    /// Queues a request whose caller goes on; the log's own thread leads if no one does.
    pub(crate) fn push(&self, request: Request) {
        let mut state = self.lock();
        if let Err(request) = state.push(request, self.bytes_max) {
            drop(state);
            return request.refuse(&full(self.bytes_max));
        }
        if !std::mem::replace(&mut state.led, true) {
            state.writer_leads = true;
            self.writer.notify_one();
        }
    }

    /// The requests of the next group: at least one if any waits, then up to the bounds.
    pub(crate) fn take(&self, commits_max: usize, bytes_max: usize) -> Vec<Request> {
        let mut state = self.lock();
        let (mut taken, mut commits, mut bytes) = (Vec::new(), 0, 0);
        while commits < commits_max
            && bytes < bytes_max
            && let Some(request) = state.waiting.pop_front()
        {
            commits += request.commits.len();
            bytes += request.bytes;
            taken.push(request);
        }
        state.bytes -= bytes;
        taken
    }

    /// Ends a lead: someone who waits leads next.
    pub(crate) fn hand_over(&self) {
        let mut state = self.lock();
        let next = match state.waiting.front().map(|request| &request.done) {
            None => {
                state.led = false;
                return;
            }
            Some(Some(Done::Caller(waiter))) => Some(Arc::clone(waiter)),
            Some(_) => None,
        };
        match next {
            Some(waiter) => {
                drop(state);
                waiter.set(Wait::Lead);
            }
            None => {
                state.writer_leads = true;
                self.writer.notify_one();
            }
        }
    }

    /// For the log's own thread: sleeps until it leads. False once the log closes and nothing waits.
    pub(crate) fn until_leading(&self) -> bool {
        let mut state = self.lock();
        loop {
            if std::mem::take(&mut state.writer_leads) {
                return true;
            }
            if state.closing && !state.led {
                return false;
            }
            state = self.writer.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No more requests come.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.writer.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, request: Request, bytes_max: usize) -> Result<(), Request> {
        if self.bytes + request.bytes > bytes_max && !self.waiting.is_empty() {
            return Err(request);
        }
        self.bytes += request.bytes;
        self.waiting.push_back(request);
        Ok(())
    }
}

fn full(bytes_max: usize) -> AppendError {
    let what =
        format!("cannot append: more than {bytes_max} bytes would wait to be written; try again later");
    AppendError::Store(StoreError::new(ErrorKind::Retry, what))
}
