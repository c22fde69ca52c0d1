//! The log beside its peers: every work in turn by every system, several rounds, and of each row the round in the
//! middle. All in one run, because a machine is never the same twice. What is done, and how, stands in
//! `docs/internals/speed.md`.

pub(crate) mod engine;
pub(crate) mod events;
pub(crate) mod factum;
mod measure;
pub(crate) mod medium;
mod plan;
pub(crate) mod raw;
mod reads;
pub(crate) mod report;
pub(crate) mod row;
mod sqlite;
mod tephra;
mod umadb;
mod work;
mod writers;

pub(crate) use medium::default_dir;

use crate::{Failure, machine};
use clap::{Args, ValueEnum};
use events::Accounts;
use measure::{Measured, Opened, Run, fill, measure};
use medium::{Medium, allocated, keeps_caches};
use plan::Plan;
use report::Report;
use row::{Row, middle};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};
use work::{System, Work};

/// How much of an error is told: some peers print the event that stood in the way.
const ERROR_CHARACTERS_MAX: usize = 300;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Smaller sizes: a few minutes instead of a quarter of an hour.
    #[arg(long)]
    quick: bool,
    /// The smallest sizes, which show that all is done and nothing of how fast.
    #[arg(long, hide = true, conflicts_with = "quick")]
    smoke: bool,
    /// Writes the rows here, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the report here as well as to stdout.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Only these works.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Work>,
    /// Only these systems.
    #[arg(long, value_enum, value_delimiter = ',')]
    systems: Vec<System>,
    /// How often everything is measured; of each row the round in the middle is shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The folder for the files, on the medium that counts; what is made in it is removed again.
    #[arg(long, default_value_os_t = default_dir())]
    dir: PathBuf,
}

/// Measures, and prints the report.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    // A peer prints to stdout when it is opened; the report alone belongs there.
    let mut stdout = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    let plan = if options.smoke { Plan::SMOKE } else { Plan::FULL };
    let plan = if options.quick { Plan::QUICK } else { plan };
    let before = machine::load();
    let medium = Medium::new(&options.dir, plan.pause, options.smoke)?;
    let mut rounds = Rounds::new(options, plan, medium);
    rounds.writes()?;
    rounds.reads()?;
    let load = format!("{before}, {}", machine::load());
    let file_system = rounds.medium.described.clone();
    let report = Report {
        rows: rounds.rows.into_values().filter_map(middle).collect(),
        opened: rounds
            .opened
            .into_iter()
            .filter_map(|(system, opened)| Some((system, in_the_middle(opened)?)))
            .collect(),
        notes: rounds.notes,
        rounds: options.rounds,
        plan: plan.describe(),
        file_system,
        load,
    };
    let markdown = report.markdown();
    stdout.write_all(markdown.as_bytes())?;
    write(options.markdown.as_deref(), markdown.as_bytes())?;
    write(options.json.as_deref(), &report.json()?)?;
    if rounds.failed.is_empty() { Ok(()) } else { Err("not everything could be measured, see above".into()) }
}

/// By how long it took.
fn in_the_middle(mut opened: Vec<Opened>) -> Option<Opened> {
    opened.sort_unstable();
    opened.get(opened.len() / 2).copied()
}

pub(crate) fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

/// What was named, or all, in the order of the report.
fn chosen<T: ValueEnum + Ord + Copy>(named: &[T]) -> Vec<T> {
    let named = if named.is_empty() { T::value_variants() } else { named };
    named.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// A run under way.
struct Rounds {
    count: u32,
    plan: Plan,
    accounts: Accounts,
    works: Vec<Work>,
    systems: Vec<System>,
    medium: Medium,
    rows: BTreeMap<(Work, System), Vec<Row>>,
    /// What opening took, cold, in each round.
    opened: BTreeMap<System, Vec<Opened>>,
    /// What is not tried again.
    failed: BTreeSet<(Work, System)>,
    /// What is to be said besides the rows.
    notes: Vec<String>,
}

impl Rounds {
    fn new(options: &Options, plan: Plan, medium: Medium) -> Self {
        Self {
            count: options.rounds,
            accounts: Accounts::new(plan.accounts),
            plan,
            works: chosen(&options.only),
            systems: chosen(&options.systems),
            medium,
            rows: BTreeMap::new(),
            opened: BTreeMap::new(),
            failed: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    /// What begins with an empty folder each time.
    fn writes(&mut self) -> Result<(), Failure> {
        let works: Vec<_> = self.works.iter().copied().filter(|work| !work.reads()).collect();
        for round in 1..=self.count {
            for (work, system) in self.pairs(&works) {
                let dir = self.medium.make("run")?;
                self.measure(round, work, system, &dir);
                self.medium.remove(&dir)?;
            }
        }
        Ok(())
    }

    /// What reads a log that is filled once, and filled further for what is read cold.
    fn reads(&mut self) -> Result<(), Failure> {
        let mut works: Vec<_> = self.works.iter().copied().filter(|work| work.reads()).collect();
        if self.plan.drops_caches
            && works.contains(&Work::ColdSelect)
            && let Some(why) = keeps_caches()
        {
            works.retain(|work| *work != Work::ColdSelect);
            self.note(format!("`{}` was NOT MEASURED: {why}", Work::ColdSelect));
        }
        let mut dirs: BTreeMap<System, (PathBuf, u64)> = BTreeMap::new();
        let sizes: BTreeSet<u64> = works.iter().map(|work| self.plan.filled(*work)).collect();
        for size in sizes {
            let works: Vec<_> =
                works.iter().copied().filter(|work| self.plan.filled(*work) == size).collect();
            for (work, system) in self.pairs(&works) {
                let (dir, filled) = match dirs.get(&system) {
                    Some(filled) => filled.clone(),
                    None => (self.medium.make(&system.to_string())?, 0),
                };
                if filled < size {
                    eprintln!("filling {system} up to {size} events");
                    if let Err(error) = fill(system, &dir, &self.accounts, filled, size, self.plan.fill) {
                        self.fail(work, system, &error);
                    }
                }
                dirs.insert(system, (dir, size));
            }
            rustix::fs::sync();
            for round in 1..=self.count {
                for (work, system) in self.pairs(&works) {
                    if let Some((dir, _)) = dirs.get(&system) {
                        self.measure(round, work, system, dir);
                    }
                }
            }
        }
        Ok(())
    }

    /// Work by work, the systems in turn.
    fn pairs(&self, works: &[Work]) -> Vec<(Work, System)> {
        let pairs = works.iter().flat_map(|work| self.systems.iter().map(|system| (*work, *system)));
        pairs.filter(|(work, system)| work.is_done_by(*system)).collect()
    }

    /// A run that is not as it should be is no row.
    fn measure(&mut self, round: u32, work: Work, system: System, dir: &Path) {
        if self.failed.contains(&(work, system)) {
            return;
        }
        let run = Run { work, plan: &self.plan, accounts: &self.accounts, dir };
        match measure(system, run).and_then(|measured| self.row(work, system, dir, &measured)) {
            Ok(row) => {
                eprintln!("round {round} of {}: {}", self.count, row.in_words());
                self.rows.entry((work, system)).or_default().push(row);
            }
            Err(error) => self.fail(work, system, &error),
        }
    }

    fn row(&mut self, work: Work, system: System, dir: &Path, measured: &Measured) -> Result<Row, Failure> {
        if let Some(opened) = measured.opened {
            self.opened.entry(system).or_default().push(opened);
        }
        if measured.held < self.plan.sized_events {
            return Ok(Row::new(work, system, measured, None));
        }
        // What was written late counts with what was synced.
        rustix::fs::sync();
        Ok(Row::new(work, system, measured, Some(allocated(dir)?)))
    }

    fn fail(&mut self, work: Work, system: System, error: &Failure) {
        let error = error.to_string();
        let error = error.char_indices().nth(ERROR_CHARACTERS_MAX).map_or(&*error, |(end, _)| &error[..end]);
        self.note(format!("`{work}` of {system} FAILED: {error}"));
        self.failed.insert((work, system));
        self.rows.remove(&(work, system));
    }

    fn note(&mut self, note: String) {
        eprintln!("factum-bench: {note}");
        self.notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Arguments {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn what_fails_is_no_row_and_is_told() {
        let arguments = ["bench", "--only", "append-1,threads-64", "--systems", "factum", "--rounds", "2"];
        let options = Arguments::parse_from(arguments).options;
        let mut plan = Plan::SMOKE;
        // Fewer than writers: two of them get in each other's way.
        plan.accounts = 50;
        let medium = Medium::new(&default_dir(), plan.pause, true).unwrap();
        let mut rounds = Rounds::new(&options, plan, medium);
        rounds.writes().unwrap();
        assert_eq!(rounds.rows.keys().collect::<Vec<_>>(), [&(Work::Append1, System::Factum)]);
        assert_eq!(rounds.rows[&(Work::Append1, System::Factum)].len(), 2, "one for each round");
        assert_eq!(rounds.failed.into_iter().collect::<Vec<_>>(), [(Work::Threads64, System::Factum)]);
        assert!(rounds.notes[0].starts_with("`threads-64` of factum FAILED: "), "{:?}", rounds.notes);
    }
}
