//! Read models in SQLite, each build in a file of its own. See [`SqliteReadModels`].

mod asked;
mod authority;
mod build;
mod connection;
mod failure;
mod listing;
mod notes;
mod place;
mod readers;
mod statement;
mod tables;
mod threads;
mod tx;
mod writer;

use build::Opened;
use bytes::Bytes;
use connection::Synchronous;
use factum_store::{BoxFuture, Build, ErrorKind, ReadModel, ReadModels, Sql, StoreError, Tables};
use notes::Notes;
use place::Place;
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tempfile::TempDir;
use threads::Threads;

/// SQLite, as the database of projections: `impl SqlProjection<Sqlite> for ..`.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Sql for Sqlite {
    const NAME: &'static str = "SQLite";
}

/// Read models in SQLite: each build in its own file `<projection>.<version>.<number>.sqlite` of a directory, and
/// what is noted of projections in `projections.sqlite`.
///
/// The files are in WAL mode: who reads sees the last commit and never waits for who writes. A commit does not
/// wait for the disk (`synchronous=normal`): a loss of power may take the last ones away, whole, and their
/// checkpoints with them, as these are in the same file; what they held is made again from the log. A note is on
/// stable storage when it is done.
///
/// Statements have `$1`, `$2` for values. Foreign keys hold, and a name in double quotes is never a text. They reach neither what begins with `factum_` nor the transaction they
/// are in. Point reads are done in the thread that asks, as is writing; queries and listings on a few threads of
/// its own; a query that nobody waits for any more is ended. One connection writes; within a process others wait for it without holding a thread, another process
/// is waited for up to 5 s.
///
/// ```
/// use factum_sqlite::SqliteReadModels;
/// use factum_store::{Build, ReadModels, Tables, block_on};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let models = SqliteReadModels::in_memory();
/// let build = Build { projection: "rosters".into(), version: 1, number: 1 };
/// let tables = Tables::Sql { schema: "create table seats (course text primary key, taken integer not null)" };
/// let seats = block_on(async {
///     let model = models.open(&build, &tables).await?;
///     let mut tx = model.begin(model.claim().await?.fence).await?;
///     tx.execute("insert into seats values ($1, $2)", factum_event::values!["c1", 3]).await?;
///     tx.commit(None).await?;
///     let reading = model.rows("select taken from seats where course = $1", vec!["c1".into()]).await?;
///     Ok::<_, Box<dyn std::error::Error>>(reading.value[0].integer("taken")?)
/// })?;
/// assert_eq!(seats, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteReadModels {
    store: Arc<Store>,
    threads: Arc<Threads>,
}

#[derive(Debug)]
struct Store {
    kept: Kept,
    threads: Arc<Threads>,
    /// Who opens a build a second time gets the same connections.
    open: Mutex<HashMap<Build, Weak<Opened>>>,
    notes: Mutex<Option<Notes>>,
}

/// Where files are kept.
#[derive(Debug)]
enum Kept {
    Dir(PathBuf),
    /// Made when it is needed.
    Temporary(Mutex<Option<Arc<TempDir>>>),
}

impl SqliteReadModels {
    /// In the directory at `dir`, which is made by the first build or note. Opens nothing yet.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self::kept(Kept::Dir(dir.into()))
    }

    /// As long as this value, or a build that was opened with it, lives: for applications whose log is in memory,
    /// and for tests.
    ///
    /// These are files as well, in a temporary directory of their own and never waited for: of SQLite's
    /// databases only those in files let reads go on beside a transaction. One that is shared by connections in
    /// memory locks whole tables. What a process leaves behind that is killed is the system's to clear.
    pub fn in_memory() -> Self {
        Self::kept(Kept::Temporary(Mutex::default()))
    }

    /// What is noted of every projection, by its name: all that is kept here and does not follow from the log.
    ///
    /// # Errors
    /// When the file of notes cannot be read.
    pub async fn all_notes(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        let all = self.run(|store| store.with_notes(Notes::all)).await?;
        Ok(all.into_iter().map(|(name, notes)| (name, Bytes::from(notes))).collect())
    }

    fn kept(kept: Kept) -> Self {
        let threads = Arc::<Threads>::default();
        let (open, notes) = (Mutex::default(), Mutex::default());
        Self { store: Arc::new(Store { kept, threads: Arc::clone(&threads), open, notes }), threads }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        self.threads.run(move || work(&store)).await
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreachable_dir(dir: &Path, cause: &io::Error) -> StoreError {
    StoreError::new(
        ErrorKind::Retry,
        format!("reach the directory of read models {}: {cause}", dir.display()),
    )
}

impl Kept {
    /// The directory, made if it is not there.
    fn made(&self) -> Result<(PathBuf, Option<Arc<TempDir>>), StoreError> {
        match self {
            Self::Dir(dir) => {
                fs::create_dir_all(dir).map_err(|cause| unreachable_dir(dir, &cause))?;
                Ok((dir.clone(), None))
            }
            Self::Temporary(temporary) => {
                let mut temporary = lock(temporary);
                let temporary = match &mut *temporary {
                    Some(temporary) => temporary,
                    none => {
                        let made = tempfile::Builder::new().prefix("factum-read-models-").tempdir();
                        let made = made.map_err(|cause| unreachable_dir(&std::env::temp_dir(), &cause))?;
                        none.insert(Arc::new(made))
                    }
                };
                Ok((temporary.path().to_owned(), Some(Arc::clone(temporary))))
            }
        }
    }

    /// How sure a commit of a build is.
    fn synchronous(&self) -> Synchronous {
        match self {
            Self::Dir(_) => Synchronous::Normal,
            Self::Temporary(_) => Synchronous::Off,
        }
    }
}

impl Store {
    fn place(&self, build: &Build) -> Result<Place, StoreError> {
        let (dir, temporary) = match &self.kept {
            Kept::Dir(dir) => (dir.clone(), None),
            temporary => temporary.made()?,
        };
        Place::new(build, &dir, self.kept.synchronous(), temporary)
    }

    fn open(&self, build: &Build, tables: Option<&Tables>) -> Result<Option<Arc<dyn ReadModel>>, StoreError> {
        let mut open = lock(&self.open);
        open.retain(|_, opened| opened.strong_count() > 0);
        if let Some(opened) = open.get(build).and_then(Weak::upgrade) {
            if opened.place().is_there() {
                return given(&opened, tables);
            }
            open.remove(build);
        }
        let place = self.place(build)?;
        if tables.is_some() {
            self.kept.made()?;
        }
        let Some(opened) = Opened::open(place, Arc::clone(&self.threads), tables)? else { return Ok(None) };
        let given = given(&opened, tables)?;
        open.insert(build.clone(), Arc::downgrade(&opened));
        Ok(given)
    }

    fn remove(&self, build: &Build) -> Result<(), StoreError> {
        let mut open = lock(&self.open);
        if let Some(opened) = open.remove(build).and_then(|opened| opened.upgrade()) {
            opened.place().is_given_up();
        }
        self.place(build)?.remove()
    }

    fn builds(&self, projection: &str) -> Result<Vec<Build>, StoreError> {
        let dir = match &self.kept {
            Kept::Dir(dir) => dir.clone(),
            Kept::Temporary(temporary) => match &*lock(temporary) {
                Some(temporary) => temporary.path().to_owned(),
                None => return Ok(Vec::new()),
            },
        };
        let unreachable = |cause: io::Error| unreachable_dir(&dir, &cause);
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(unreachable(cause)),
        };
        let mut builds = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreachable)?;
            let build = entry.file_name().to_str().and_then(|name| place::build_of(name, projection));
            let Some(build) = build else { continue };
            if is_made(&entry.path()) {
                builds.push(build);
            }
        }
        builds.sort_by_key(|build| build.number);
        Ok(builds)
    }

    fn with_notes<T>(&self, work: impl FnOnce(&Notes) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut notes = lock(&self.notes);
        let notes = match &mut *notes {
            Some(notes) => notes,
            none => {
                let synchronous = match self.kept.synchronous() {
                    Synchronous::Off => Synchronous::Off,
                    _ => Synchronous::Full,
                };
                let dir = match &self.kept {
                    Kept::Dir(dir) => dir.clone(),
                    temporary => temporary.made()?.0,
                };
                none.insert(Notes::in_dir(&dir, synchronous))
            }
        };
        work(notes)
    }
}

/// Whether the file has tables: one whose making was cut short has none. One that cannot be read is a build, so
/// that it can be told of, and removed.
fn is_made(file: &Path) -> bool {
    let layout = connection::Conn::reader(file).and_then(|conn| tables::layout(&conn));
    !matches!(layout, Ok(None))
}

/// An open build, to who opens it for these tables.
fn given(opened: &Arc<Opened>, tables: Option<&Tables>) -> Result<Option<Arc<dyn ReadModel>>, StoreError> {
    match tables {
        Some(tables) if !opened.is_for(tables) => Err(opened.place().build.other_tables()),
        _ => Ok(Some(opened.shared())),
    }
}

impl ReadModels for SqliteReadModels {
    fn builds<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Vec<Build>, StoreError>> {
        let projection = projection.to_owned();
        Box::pin(self.run(move |store| store.builds(&projection)))
    }

    fn open<'a>(
        &'a self,
        build: &'a Build,
        tables: &'a Tables,
    ) -> BoxFuture<'a, Result<Arc<dyn ReadModel>, StoreError>> {
        let (build, tables) = (build.clone(), tables.clone());
        Box::pin(self.run(move |store| {
            let opened = store.open(&build, Some(&tables))?;
            opened.ok_or_else(|| {
                let what = format!("open build {build}: it was not made");
                StoreError::new(ErrorKind::ReportBug, what)
            })
        }))
    }

    fn find<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<Option<Arc<dyn ReadModel>>, StoreError>> {
        let build = build.clone();
        Box::pin(self.run(move |store| store.open(&build, None)))
    }

    fn remove<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<(), StoreError>> {
        let build = build.clone();
        Box::pin(self.run(move |store| store.remove(&build)))
    }

    fn notes<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        let projection = projection.to_owned();
        Box::pin(
            self.run(move |store| store.with_notes(|notes| Ok(notes.get(&projection)?.map(Bytes::from)))),
        )
    }

    fn note<'a>(&'a self, projection: &'a str, notes: Bytes) -> BoxFuture<'a, Result<(), StoreError>> {
        let projection = projection.to_owned();
        Box::pin(self.run(move |store| {
            store.kept.made()?;
            store.with_notes(|kept| kept.put(&projection, &notes))
        }))
    }
}
