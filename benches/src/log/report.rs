//! The report that is made of the rows: tables with a column for each system, and in words where a peer
//! is ahead.

use super::{
    measure::Opened,
    row::{Row, grouped},
    work::{Durability, System, Work},
};
use crate::{Failure, machine};
use factum::{Clock, store::SystemClock};
use std::{collections::BTreeMap, fmt::Write};

/// A cell without a row.
const NOTHING: &str = "-";
/// The lock file that this was built with: it tells the versions.
const LOCK: &str = include_str!("../../Cargo.lock");

/// All of a run.
#[derive(Debug)]
pub(crate) struct Report {
    /// In the order of works, then of systems.
    pub(crate) rows: Vec<Row>,
    /// What opening took before a cold read, in the round in the middle.
    pub(crate) opened: BTreeMap<System, Opened>,
    /// What failed, and what was left out.
    pub(crate) notes: Vec<String>,
    pub(crate) rounds: u32,
    pub(crate) plan: String,
    pub(crate) file_system: String,
    /// How many wanted a core, before and after.
    pub(crate) load: String,
}

impl Report {
    pub(crate) fn json(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = serde_json::to_vec_pretty(&self.rows)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The whole page.
    pub(crate) fn markdown(&self) -> String {
        let mut page = String::from("# The log beside its peers\n\n");
        page += "What is measured, and how, stands in [speed](../docs/internals/speed.md). ";
        page += "Absolute figures vary from machine to machine and from hour to hour; ratios are of this one run.\n\n";
        self.header(&mut page);
        self.rates(&mut page);
        self.ahead(&mut page);
        page += "\nMicroseconds of one append, of one stream that is read, or of the whole replay: p50 / p99.\n\n";
        self.table(&mut page, |row| format!("{:.1} / {:.1}", row.p50_us, row.p99_us));
        if self.rows.iter().any(|row| row.bytes_per_event.is_some()) {
            page += "\nBytes that the closed files take of the medium per event, with what is given to them ahead; ";
            page +=
                "where there are fewer than a million events, what is given ahead would be most of it.\n\n";
            self.table(&mut page, |row| row.bytes_per_event.map_or_else(|| NOTHING.to_owned(), grouped));
        }
        if !self.opened.is_empty() {
            page += "\nOpening, with an empty page cache, before `cold-select` and not counted in it, and what stays in ";
            page += "memory of mapped files after it, which no dropping of caches takes away: ";
            let opened = self.opened.iter().map(|(system, Opened { nanos, mapped })| {
                format!("{system} {:.0} ms, {} MiB", machine::seconds(*nanos) * 1e3, mapped >> 20)
            });
            page += &opened.collect::<Vec<_>>().join("; ");
            page += ".\n";
        }
        page
    }

    fn header(&self, page: &mut String) {
        let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = writeln!(page, "- {text}");
        };
        line(format_args!("command: `cargo run --release -- {command}` in `benches/`"));
        line(format_args!("machine: {}, {}; {}", machine::platform(), self.file_system, SystemClock.now()));
        line(format_args!("versions: {}", versions()));
        line(format_args!("wanted a core before and after: {}", self.load));
        line(format_args!("rounds: {}, of each row the one in the middle; {}", self.rounds, self.plan));
        line(format_args!("durability: {}; every append is acknowledged after it", self.durability()));
        for note in &self.notes {
            line(format_args!("**{note}**"));
        }
        page.push('\n');
    }

    fn durability(&self) -> String {
        let by: BTreeMap<System, Durability> =
            self.rows.iter().map(|row| (row.system, row.durability)).collect();
        let one = |(system, durability): (&System, &Durability)| {
            let call = if *durability == Durability::Fsync { "fsync" } else { "fdatasync" };
            format!("{system} `{call}`")
        };
        by.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Events per second, with the ratios.
    fn rates(&self, page: &mut String) {
        let systems = self.systems();
        let names = systems.iter().map(|system| format!(" {system} |")).collect::<String>();
        let _ =
            writeln!(page, "Events per second, and Factum's ratio to the raw loop and to the best peer.\n");
        let _ = writeln!(page, "| work |{names} factum / raw | factum / best peer |");
        let _ = writeln!(page, "|---|{}", "---:|".repeat(systems.len() + 2));
        for work in self.works() {
            let rate = |system| self.rate(work, system);
            let cell = |system: &System| rate(*system).map_or_else(|| NOTHING.to_owned(), grouped);
            let cells = systems.iter().map(|system| format!(" {} |", cell(system))).collect::<String>();
            let ours = rate(System::Factum);
            let raw = ours.zip(rate(System::Raw)).map(|(ours, raw)| format!("{:.2}", ours / raw));
            let peer = ours.zip(self.best_peer(work)).map(|(ours, (peer, rate))| {
                let (mark, ratio) = (if rate > ours { "**" } else { "" }, ours / rate);
                format!("{mark}{ratio:.2} x {peer}{mark}")
            });
            let or_nothing = |cell: Option<String>| cell.unwrap_or_else(|| NOTHING.to_owned());
            let _ = writeln!(page, "| {work} |{cells} {} | {} |", or_nothing(raw), or_nothing(peer));
        }
    }

    /// In words who wins what.
    fn ahead(&self, page: &mut String) {
        let lost: Vec<_> = self.works().into_iter().filter_map(|work| self.lost(work)).collect();
        page.push('\n');
        if self
            .works()
            .iter()
            .all(|work| self.rate(*work, System::Factum).is_none() || self.best_peer(*work).is_none())
        {
            page.push_str("No row has both Factum and a peer.\n");
        } else if lost.is_empty() {
            page.push_str("No peer wins a row.\n");
        }
        lost.iter().for_each(|sentence| page.push_str(sentence));
    }

    fn lost(&self, work: Work) -> Option<String> {
        let (ours, (peer, rate)) = self.rate(work, System::Factum).zip(self.best_peer(work))?;
        let ahead = rate / ours;
        (rate > ours).then(|| format!("**{peer} wins `{work}`**: {ahead:.2} times as fast as factum.\n"))
    }

    fn table(&self, page: &mut String, cell: impl Fn(&Row) -> String) {
        let systems = self.systems();
        let names = systems.iter().map(|system| format!(" {system} |")).collect::<String>();
        let _ = writeln!(page, "| work |{names}\n|---|{}", "---:|".repeat(systems.len()));
        for work in self.works() {
            let cell = |system: &System| self.row(work, *system).map_or_else(|| NOTHING.to_owned(), &cell);
            let cells = systems.iter().map(|system| format!(" {} |", cell(system))).collect::<String>();
            let _ = writeln!(page, "| {work} |{cells}");
        }
    }

    fn systems(&self) -> Vec<System> {
        let mut systems: Vec<_> = self.rows.iter().map(|row| row.system).collect();
        systems.sort();
        systems.dedup();
        systems
    }

    fn works(&self) -> Vec<Work> {
        let mut works: Vec<_> = self.rows.iter().map(|row| row.work).collect();
        works.dedup();
        works
    }

    fn row(&self, work: Work, system: System) -> Option<&Row> {
        self.rows.iter().find(|row| row.work == work && row.system == system)
    }

    fn rate(&self, work: Work, system: System) -> Option<f64> {
        self.row(work, system).map(|row| row.per_second)
    }

    fn best_peer(&self, work: Work) -> Option<(System, f64)> {
        let peers = self.rows.iter().filter(|row| row.work == work && row.system.is_peer());
        peers.map(|row| (row.system, row.per_second)).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// What was measured, by version.
pub(crate) fn versions() -> String {
    let of = |name: &str| locked(LOCK, name).unwrap_or("unknown");
    format!(
        "factum {}, tephra {}, umadb-core {}, rusqlite {} with SQLite {}",
        of("factum"),
        of("tephra"),
        of("umadb-core"),
        of("rusqlite"),
        rusqlite::version()
    )
}

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::row::tests::row;

    fn report(rows: Vec<Row>) -> Report {
        let text = String::new;
        let notes = vec!["`cold-select` was NOT MEASURED: no".to_owned()];
        Report {
            rows,
            opened: BTreeMap::new(),
            notes,
            rounds: 3,
            plan: text(),
            file_system: text(),
            load: text(),
        }
    }

    #[test]
    fn a_row_says_who_is_ahead_and_so_do_the_words() {
        let rows = vec![
            row(Work::Append1, System::Raw, 20_000.0),
            row(Work::Append1, System::Factum, 25_000.0),
            row(Work::Append1, System::Tephra, 12_500.0),
            row(Work::Replay, System::Factum, 1_000_000.0),
            row(Work::Replay, System::Tephra, 900_000.0),
            row(Work::Replay, System::Sqlite, 2_000_000.0),
        ];
        let page = report(rows.clone()).markdown();
        assert!(
            page.contains("| append-1 | 20 000 | 25 000 | 12 500 | - | 1.25 | 2.00 x tephra |"),
            "{page}"
        );
        assert!(
            page.contains("| replay | - | 1 000 000 | 900 000 | 2 000 000 | - | **0.50 x sqlite** |"),
            "{page}"
        );
        assert!(page.contains("**sqlite wins `replay`**: 2.00 times as fast as factum."), "{page}");
        assert!(page.contains("- **`cold-select` was NOT MEASURED: no**"), "{page}");
        assert!(report(rows[..3].to_vec()).markdown().contains("No peer wins a row."));
    }

    #[test]
    fn versions_are_those_of_the_lock_file() {
        for name in ["factum", "tephra", "umadb-core", "rusqlite"] {
            assert!(locked(LOCK, name).is_some(), "{name}");
        }
        assert_eq!(locked(LOCK, "tephr"), None);
    }
}
