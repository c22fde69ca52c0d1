//! Tells how builds go, on standard error: with bars where somebody looks, else with a line for each tenth.

use super::shown;
use crate::{
    admin::wire::Building,
    say::{note, say},
    table::plain,
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
    collections::HashMap,
    io::{IsTerminal, stderr},
};

pub(super) struct Progress {
    /// None where nobody looks.
    bars: Option<MultiProgress>,
    of: HashMap<String, One>,
}

struct One {
    bar: ProgressBar,
    /// The last tenth that was told.
    tenth: Option<u64>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { bars: stderr().is_terminal().then(MultiProgress::new), of: HashMap::new() }
    }

    /// A build has come so far.
    pub(super) fn moved(&mut self, name: &str, building: &Building) {
        let bars = self.bars.as_ref();
        let one = self.of.entry(name.to_owned()).or_insert_with(|| One { bar: bar(bars, name), tenth: None });
        let tenth = building.position.saturating_mul(10).checked_div(building.head);
        one.bar.set_length(building.head);
        one.bar.set_position(building.position);
        one.bar.set_message(pace(building));
        if bars.is_none() && one.tenth != tenth {
            one.tenth = tenth;
            note(&format!("{name}: {}", shown::progress(building)));
        }
    }

    /// No more is to be told of it than `told`, on standard output.
    pub(super) fn ended(&mut self, name: &str, told: &str) {
        if let Some(One { bar, .. }) = self.of.remove(name) {
            bar.finish_and_clear();
        }
        match &self.bars {
            // Not in the middle of the other bars.
            Some(bars) => bars.suspend(|| say(told)),
            None => say(told),
        }
    }
}

fn bar(bars: Option<&MultiProgress>, name: &str) -> ProgressBar {
    let bar = bars.map_or_else(ProgressBar::hidden, |bars| bars.add(ProgressBar::new(0)));
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}");
    bar.set_style(style.expect("the template is right").progress_chars("=> "));
    bar.with_prefix(name.to_owned())
}

fn pace(building: &Building) -> String {
    match (&*building.status, building.seconds_left) {
        ("retrying", _) => {
            format!("tries again: {}", plain(building.cause.as_deref().unwrap_or_default()))
        }
        (_, Some(left)) => format!("{:.0} events/s, {left:.0} s left", building.events_per_second),
        (_, None) => String::new(),
    }
}
