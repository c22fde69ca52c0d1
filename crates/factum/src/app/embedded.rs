//! Applications on a log in a directory, with all that is kept beside it.

use super::{App, Builder, InMemory, On};
use factum_log::{Log, OpenError, OpenReport, Options};
use factum_runtime::Projections;
use factum_sqlite::{Sqlite, SqliteReadModels, SqliteSnapshots};
use factum_store::{ReadModels, Sql, Store};
use std::{path::PathBuf, sync::Arc};

/// Where an application keeps its log of events, below its directory.
const EVENTS: &str = "events";
/// Where it keeps its log of accepted commands.
const COMMANDS: &str = "commands";
/// Where it keeps the states of models that ask for it. The file is made by the first one, and may be deleted
/// between two starts.
const SNAPSHOTS: &str = "snapshots.sqlite";
/// Where it keeps its read models, a file for each build.
const VIEWS: &str = "views";

/// On a log in a directory.
#[derive(Clone, Debug)]
pub struct Embedded {
    directory: PathBuf,
    options: Options,
}

impl Embedded {
    pub(super) fn at(directory: PathBuf) -> Self {
        Self { directory, options: Options::default() }
    }
}

/// What an application can be started on, and the database that its SQL tables are in.
pub trait Backend {
    /// The database.
    type Db: Sql;
}

impl Backend for InMemory {
    type Db = Sqlite;
}

impl Backend for On {
    type Db = Sqlite;
}

impl Backend for Embedded {
    type Db = Sqlite;
}

impl Builder<Embedded> {
    /// With these options of the log; its ports are the application's.
    pub fn options(mut self, options: Options) -> Self {
        self.backend.options = options;
        self
    }

    /// Opens the log and starts. What recovery cut off, and what it could not check, is logged as a warning.
    ///
    /// # Errors
    /// When the directory cannot be used, another process has it, or acknowledged data is damaged.
    pub fn start(self) -> Result<App, OpenError> {
        let directory = self.backend.directory.display().to_string();
        let (app, report) = self.start_reporting()?;
        warn(&directory, &report);
        Ok(app)
    }

    /// Opens the log and starts, and tells what opening the log of events found. What is to be said of the
    /// command log is logged.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_reporting(mut self) -> Result<(App, OpenReport), OpenError> {
        let (events, report) = self.open_events()?;
        let (commands, models) = (self.open_commands()?, self.read_models());
        let snapshots = self.backend.directory.join(SNAPSHOTS);
        self.snapshots = Some(Arc::new(SqliteSnapshots::at(snapshots)));
        Ok((self.over(events, commands, models), report))
    }

    /// Opens the application to look at how its projections and commands stand, and to say what is to become of them
    /// from the next start on: nothing is applied, and accepted commands are not decided.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_at_rest(mut self) -> Result<App, OpenError> {
        let (events, report) = self.open_events()?;
        warn(&self.backend.directory.display().to_string(), &report);
        let (commands, models) = (self.open_commands()?, self.read_models());
        self.decides = false;
        let (set, ports) = (std::mem::take(&mut self.projections), self.ports.clone());
        let app = self.over(Arc::clone(&events), commands, Arc::clone(&models));
        Ok(App { projections: Projections::at_rest(events, ports, models, set).await, ..app })
    }

    fn log_options(&self) -> Options {
        let mut options = self.backend.options.clone();
        options.clock = Arc::clone(&self.ports.clock);
        options.entropy = Arc::clone(&self.ports.entropy);
        options.observer = self.appends.clone().or(options.observer);
        options
    }

    fn open_events(&self) -> Result<(Arc<dyn Store>, OpenReport), OpenError> {
        let directory = self.backend.directory.join(EVENTS);
        let (events, report) = Log::open(directory, self.log_options())?;
        Ok((Arc::new(events), report))
    }

    /// The command log, if there is anything to submit.
    fn open_commands(&self) -> Result<Option<Arc<dyn Store>>, OpenError> {
        if !self.submits() {
            return Ok(None);
        }
        let observer = self.ports.observer.as_ref().and_then(|observer| observer.command_log());
        let options = Options { observer, ..self.log_options() };
        let directory = self.backend.directory.join(COMMANDS);
        let (commands, report) = Log::open(&directory, options)?;
        warn(&directory.display().to_string(), &report);
        Ok(Some(Arc::new(commands)))
    }

    fn read_models(&self) -> Arc<dyn ReadModels> {
        Arc::new(SqliteReadModels::at(self.backend.directory.join(VIEWS)))
    }
}

fn warn(directory: &str, report: &OpenReport) {
    for warning in report.warnings() {
        tracing::warn!(directory, "{warning}");
    }
}
