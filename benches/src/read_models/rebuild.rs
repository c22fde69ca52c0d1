//! A rebuild beside the view that is read, from the first event to the switch.

use super::{
    Options,
    balances::{Balance, commit, payment},
    bare_sqlite,
};
use crate::{Failure, machine};
use factum::{
    App, View,
    log::{Log, Options as LogOptions},
    store::{Store, SystemClock, SystemEntropy},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Events of one commit.
const EVENTS_PER_COMMIT: u64 = 10;
/// Commits of one append.
const COMMITS_PER_APPEND: u64 = 200;

/// The logs that are rebuilt from, made once.
pub(super) struct Prepared {
    directory: PathBuf,
    pages: Vec<Vec<(String, Vec<u8>, i64)>>,
}

/// Nanoseconds of one round.
pub(super) struct Round {
    bare: u64,
    sqlite: u64,
    memory: u64,
    events: u64,
}

pub(super) fn prepare(options: &Options, dir: &Path) -> Result<Prepared, Failure> {
    let directory = dir.join("app");
    let (log, _) = Log::open(directory.join("events"), LogOptions::default())?;
    fill(options, &log)?;
    drop(log);
    Ok(Prepared { directory, pages: bare_sqlite::pages(options)? })
}

fn fill(options: &Options, store: &dyn Store) -> Result<(), Failure> {
    let mut number = 0;
    while number < options.events {
        let mut batch = Vec::new();
        for _ in 0..COMMITS_PER_APPEND {
            let end = (number + EVENTS_PER_COMMIT).min(options.events);
            if number < end {
                let id = factum::store::fresh_command_id(&SystemClock, &SystemEntropy);
                batch.push(commit(id, (number..end).map(|number| payment(number, options.documents))));
            }
            number = end;
        }
        for verdict in factum::block_on(store.append(batch)) {
            verdict?;
        }
    }
    Ok(())
}

pub(super) fn round(options: &Options, dir: &Path, log: &Prepared) -> Result<Round, Failure> {
    let bare = bare_sqlite::write(&tempfile::tempdir_in(dir)?.keep().join("bare.sqlite"), &log.pages)?;
    let sqlite = {
        let app = App::embedded(&log.directory).view::<Balance>().start()?;
        rebuilt(&app)?
    };
    let memory = {
        let (log, _) = Log::open(log.directory.join("events"), LogOptions::default())?;
        rebuilt(&App::on(Arc::new(log)).view::<Balance>().start())?
    };
    Ok(Round { bare, sqlite, memory, events: options.events })
}

/// Nanoseconds from being asked for a rebuild to the switch.
fn rebuilt(app: &App) -> Result<u64, Failure> {
    factum::block_on(async {
        let projections = app.projections();
        let long = Duration::from_secs(3600);
        if !projections.caught_up(Balance::NAME, long).await? {
            return Err(format!("it did not catch up: {:?}", projections.statuses().await?).into());
        }
        let began = machine::now();
        projections.rebuild(Balance::NAME).await?;
        loop {
            let status = projections.status(Balance::NAME).await?;
            if status.building.is_none() {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let took = machine::now() - began;
        app.stop().await;
        Ok(took)
    })
}

pub(super) fn print(rounds: Vec<Round>) {
    let events = rounds.first().map_or(0, |round| round.events);
    let middle = |of: fn(&Round) -> u64| {
        let mut all: Vec<_> = rounds.iter().map(of).collect();
        all.sort_unstable();
        machine::seconds(all.get(all.len() / 2).copied().unwrap_or(0))
    };
    let (bare, sqlite, memory) =
        (middle(|round| round.bare), middle(|round| round.sqlite), middle(|round| round.memory));
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let per_second = |seconds: f64| events as f64 / seconds;
    println!("| rebuild | seconds | events/s | beside the bare loop |");
    println!("|---|---:|---:|---:|");
    println!("| bare loop, the same writes | {bare:.2} | {:.0} | 1.00 |", per_second(bare));
    println!(
        "| view on SQLite, from the log | {sqlite:.2} | {:.0} | {:.2} |",
        per_second(sqlite),
        bare / sqlite
    );
    println!("| view in memory, from the log | {memory:.2} | {:.0} | - |", per_second(memory));
    println!();
}
