//! Who waits to be written, and who leads. One at a time leads: a blocked caller if one comes first, else
//! the log's own thread. The lead is never dropped while something waits, also when a leader panics.

use crate::{
    encode::Prepared,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, Signal},
};
use factum_store::{AppendError, ErrorKind, StoreError, Verdict};
use std::{
    collections::VecDeque,
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Up to so many requests at a time are led by one of their callers.
const LED_BY_CALLER_MAX: usize = 8;
/// Most callers that one signal wakes.
const SIGNAL_SHARERS_MAX: usize = 256;

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

    /// Tells the verdicts, and hands who is to be woken then to `told`.
    pub(crate) fn complete(mut self, told: &mut Told) {
        self.tell(told);
    }

    fn tell_and_wake(&mut self) {
        let mut told = Told::default();
        self.tell(&mut told);
        told.wake(None);
    }

    fn tell(&mut self, told: &mut Told) {
        let verdicts = std::mem::take(&mut self.verdicts);
        let commits = std::mem::take(&mut self.commits);
        match self.done.take() {
            Some(Done::Caller(waiter)) => {
                waiter.put(Wait::Done(Answer { verdicts, commits }));
                told.callers.push(waiter);
            }
            Some(Done::Future(promise)) => {
                promise.keep(Answer { verdicts, commits });
                told.futures.push(promise);
            }
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
        self.tell_and_wake();
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
            self.tell_and_wake();
        }
    }
}

/// A blocked caller. Those that come one after another share a signal, so that one call wakes them: a call for
/// each is what bounds many threads.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    wait: Mutex<Wait>,
    signal: OnceLock<Arc<Signal>>,
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
    fn put(&self, wait: Wait) {
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = wait;
    }

    fn signal(&self) -> &Arc<Signal> {
        self.signal.get_or_init(Arc::default)
    }

    /// Sleeps until there is something to do.
    pub(crate) fn wait(&self) -> Wait {
        let signal = self.signal();
        loop {
            let count = signal.count();
            let wait = std::mem::take(&mut *self.wait.lock().unwrap_or_else(PoisonError::into_inner));
            if !matches!(wait, Wait::Sleep) {
                return wait;
            }
            signal.wait(count);
        }
    }
}

/// Who has an answer and is to be woken for it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Those that share a signal stand together.
    callers: Vec<Arc<Waiter>>,
    futures: Vec<Arc<Promise>>,
}

impl Told {
    /// Wakes all: the futures by `deliver`, if there is one.
    pub(crate) fn wake(self, deliver: Option<&Deliver>) {
        let Self { callers, futures } = self;
        for sharers in callers.chunk_by(|one, next| Arc::ptr_eq(one.signal(), next.signal())) {
            sharers[0].signal().raise();
        }
        let completions = Completions(futures);
        match deliver {
            Some(deliver) if !completions.0.is_empty() => deliver(completions),
            _ => completions.deliver(),
        }
    }
}

/// Takes the completions of a group to where they are delivered. It must not block.
pub(crate) type Deliver = dyn Fn(Completions) + Send + Sync;

/// Appends of one group that have their verdicts, whose futures are still to be woken. A runtime wakes its own
/// tasks at less than it costs from outside: so hand this to a task as one message, and deliver it there. Worth
/// a few in a hundred appends where hundreds of tasks append; and all of them wait for that task. Dropping it
/// delivers it, too.
#[derive(Debug, Default)]
pub struct Completions(Vec<Arc<Promise>>);

impl Completions {
    /// Wakes the futures.
    pub fn deliver(self) {}
}

impl Drop for Completions {
    fn drop(&mut self) {
        for promise in self.0.drain(..) {
            // A panic is the waker's own: the others are woken all the same.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| promise.wake()));
        }
    }
}

/// Where the answer is left for a future.
#[derive(Debug, Default)]
pub(crate) struct Promise(Mutex<(Option<Answer>, Option<Waker>)>);

impl Promise {
    fn keep(&self, answer: Answer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(answer);
    }

    fn wake(&self) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).1.take();
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
    /// Many came together last time: the log's own thread keeps the lead, and waits for the next ones.
    stands_by: bool,
    closing: bool,
    /// Of the callers that come now, and how many have it.
    signal: Arc<Signal>,
    sharers: usize,
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
        if std::mem::take(&mut state.stands_by) {
            state.writer_leads = true;
            drop(state);
            self.writer.notify_one();
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
        if !std::mem::replace(&mut state.led, true) || std::mem::take(&mut state.stands_by) {
            state.writer_leads = true;
            drop(state);
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

    /// Ends a lead over so many requests: someone who waits leads next. Where few come together that is the
    /// first of them, who is to be woken in any case; where many do, the log's own thread, which need not
    /// wait for a core among them.
    pub(crate) fn hand_over(&self, requests: usize) {
        let mut state = self.lock();
        let many = requests.max(state.waiting.len()) > LED_BY_CALLER_MAX && !state.closing;
        let next = match state.waiting.front().map(|request| &request.done) {
            None => {
                state.led = many;
                state.stands_by = many;
                if state.closing {
                    // It saw that somebody led, and waits for the end of that.
                    self.writer.notify_one();
                }
                return;
            }
            Some(Some(Done::Caller(waiter))) if !many => Some(Arc::clone(waiter)),
            Some(_) => None,
        };
        match next {
            Some(waiter) => {
                drop(state);
                waiter.put(Wait::Lead);
                waiter.signal().raise();
            }
            None => {
                state.writer_leads = true;
                drop(state);
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
            if state.closing && (!state.led || state.stands_by) {
                // Whoever still comes and blocks leads by itself.
                (state.led, state.stands_by) = (false, false);
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
        if let Some(Done::Caller(waiter)) = &request.done {
            if self.sharers == SIGNAL_SHARERS_MAX || self.waiting.is_empty() {
                (self.signal, self.sharers) = (Arc::default(), 0);
            }
            self.sharers += 1;
            let _ = waiter.signal.set(Arc::clone(&self.signal));
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
