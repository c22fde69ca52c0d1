//! One log that grows, measured at each size: what appends cost beside a raw loop, what reading streams of the same
//! length and opening cost, and what it takes of memory and medium. How, stands in `docs/internals/speed.md`.

mod figure;
mod grown;
mod home;
mod numbered;
mod opens;
mod reads;
mod writes;

use crate::{
    Failure,
    log::{
        engine::Engine,
        factum::Factum,
        medium::{Medium, keeps_caches},
        raw::Raw,
        report::versions,
        write,
    },
    machine::{self, now, seconds},
};
use clap::Args;
use factum::{Clock, store::SystemClock};
use figure::{Figure, Figures, table};
use grown::{Filled, fill, half_fill_last, in_last_segment};
use home::Home;
use numbered::Numbered;
use std::{fmt::Write, path::PathBuf, time::Duration};
use writes::{Counts, appends};

/// What is appended to be measured is numbered from here on.
const PROBES: u64 = 90_000_000;
/// Bytes that the medium must have for each event, and besides.
const EVENT_BYTES: u64 = 500;
const BESIDES_BYTES: u64 = 1 << 30;
/// Streams are of the same length within so many events, unless told otherwise.
const UNIT: u64 = 1_000_000;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The sizes, in millions of events, rising.
    #[arg(long, value_delimiter = ',', default_value = "1,5,20", value_parser = clap::value_parser!(u64).range(1..=80))]
    to: Vec<u64>,
    /// Events instead of a million, a multiple of 10 000: to show that all is done.
    #[arg(long, hide = true, default_value_t = UNIT, value_parser = clap::value_parser!(u64).range(10_000..=UNIT))]
    unit: u64,
    /// The folder for the files, on the medium that counts; what is made in it is removed again.
    #[arg(long, default_value_os_t = crate::log::default_dir())]
    dir: PathBuf,
    /// Writes the figures here, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the report here as well as to stdout.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Measures, and prints the report.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if !options.to.is_sorted_by(|a, b| a < b) || !options.unit.is_multiple_of(10_000) {
        return Err("--to names sizes that rise, and --unit is a multiple of 10 000".into());
    }
    let numbered = Numbered { unit: options.unit, sizes: options.to.clone() };
    let largest = options.to.last().copied().unwrap_or_default() * options.unit;
    let room = rustix::fs::statvfs(&options.dir)
        .map_err(|error| format!("cannot use {}: {error}", options.dir.display()))?;
    let (free, needed) = (room.f_bavail * room.f_frsize, largest * EVENT_BYTES + BESIDES_BYTES);
    if free < needed {
        return Err(
            format!("{} has {free} bytes free, and {needed} are needed", options.dir.display()).into()
        );
    }
    let medium = Medium::new(&options.dir, Duration::ZERO, options.unit < UNIT)?;
    let mut growth = Growth {
        log: Home(medium.make("log")?),
        raw: Raw::open(&medium.make("raw")?)?,
        numbered,
        filled: 0,
        probes: PROBES,
        counts: if options.unit < UNIT {
            Counts { ones: 20, hundreds: 10 }
        } else {
            Counts { ones: 3000, hundreds: 300 }
        },
    };
    let mut loads = vec![machine::load()];
    let mut sizes = Vec::new();
    for units in &options.to {
        sizes.push(growth.measure(units * options.unit)?);
        loads.push(machine::load());
    }
    let mut page = String::new();
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let _ = writeln!(page, "- command: `cargo run --release -- {command}` in `benches/`");
    let _ = writeln!(page, "- machine: {}, {}; {}", machine::platform(), medium.described, SystemClock.now());
    let _ = writeln!(page, "- versions: {}", versions());
    let _ = writeln!(page, "- wanted a core before, and after each size: {}", loads.join(", "));
    if let Some(why) = keeps_caches() {
        let _ = writeln!(page, "- **opening with an empty page cache was NOT MEASURED: {why}**");
    }
    let _ = write!(page, "\n{}", table(&sizes));
    print!("{page}");
    write(options.markdown.as_deref(), page.as_bytes())?;
    let figures: Vec<Figure> = sizes.into_iter().flat_map(|size| size.all).collect();
    write(options.json.as_deref(), &serde_json::to_vec_pretty(&figures)?)
}

/// The log, as far as it has grown.
struct Growth {
    log: Home,
    raw: Raw,
    numbered: Numbered,
    /// Events that it was filled with.
    filled: u64,
    /// The number of what is appended next to be measured.
    probes: u64,
    counts: Counts,
}

impl Growth {
    /// Grows it to so many events and measures all.
    #[expect(clippy::cast_precision_loss, reason = "counts and sizes are far below 2^52")]
    fn measure(&mut self, events: u64) -> Result<Figures, Failure> {
        let mut figures = Figures { events, all: Vec::new() };
        let before = machine::anonymous();
        let factum = Factum::open(&self.log.0)?;
        let filled = fill(&factum, &self.log, &self.numbered, self.filled, events)?;
        self.filled = events;
        eprintln!("filled to {events}: {filled:?}");
        self.appends(&factum, &mut figures)?;
        eprintln!("appends at {events} are measured");
        reads::reads(&factum, &self.numbered, events, &mut figures)?;
        eprintln!("reads at {events} are measured");
        self.filled = half_fill_last(&factum, &self.log, &self.numbered, self.filled)?;
        let mebibytes = |bytes: u64| bytes as f64 / (1 << 20) as f64;
        figures.number("memory of its own, log open", "MiB", mebibytes(machine::anonymous()));
        figures.number("of that before the log was opened", "MiB", mebibytes(before));
        figures.number("memory that is mapped files, log open", "MiB", mebibytes(machine::mapped()));
        let held = factum.log.published().position.get();
        let in_last = in_last_segment(&factum, &self.log)?.unwrap_or(held);
        let killed = self.log.as_killed(self.log.0.with_extension("killed"))?;
        let began = now();
        factum.close()?;
        figures.number("closing", "ms", seconds(now() - began) * 1e3);
        opens::opens(&self.log, &killed, held, &mut figures)?;
        std::fs::remove_dir_all(&killed.0)?;
        let files = self.log.files()?;
        figures.number("events in the log when it is opened", "", held as f64);
        figures.number("events in its last segment, which is not sealed", "", in_last as f64);
        let each = |bytes: u64| bytes as f64 / held as f64;
        figures.number("segments", "", files.segments as f64);
        figures.number("index files", "", files.indexes as f64);
        figures.number("segments, of an event", "bytes", each(files.segment_bytes));
        figures.number(
            "index files, of an event that is sealed",
            "bytes",
            files.index_bytes as f64 / (held - in_last).max(1) as f64,
        );
        sealing(&filled, &mut figures);
        Ok(figures)
    }

    fn appends(&mut self, factum: &Factum, figures: &mut Figures) -> Result<(), Failure> {
        // Spread over all that the log has.
        let step = (self.filled / 1000).max(1);
        let numbers = (0..1000).map(|nth| nth * step % self.filled);
        let existing: Vec<_> = numbers.map(|number| self.numbered.whose(number).account()).collect();
        appends(factum, &self.raw, self.counts, &mut self.probes, &existing, figures)
    }
}

/// How filling up to a size went, and how far behind sealing was.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn sealing(filled: &Filled, figures: &mut Figures) {
    let nanos = filled.nanos.max(1);
    figures.number(
        "filling since the size before, 1000 in a commit",
        "events/s",
        filled.events as f64 / seconds(nanos),
    );
    figures.number("segments that waited to be sealed, at most", "", filled.unsealed_max as f64);
    figures.number("part of the time that some waited", "%", filled.behind as f64 * 100.0 / nanos as f64);
    figures.number("sealing and merging after the last append", "ms", seconds(filled.caught_up) * 1e3);
}
