//! Domain crates take `factum` without its default features. So built it compiles, and sees nothing that
//! does I/O, tells the time, or runs tasks.

use crate::{
    Failure,
    cargo::{cargo, for_each_line, succeeds},
};

/// What a decision must not be able to reach.
const IMPURE: &[&str] = &[
    "factum-log",
    "factum-runtime",
    "factum-sqlite",
    "factum-store",
    "getrandom",
    "mio",
    "rusqlite",
    "socket2",
    "tokio",
];

/// Whether it is so.
pub(crate) fn run() -> Result<bool, Failure> {
    let only = ["-p", "factum", "--no-default-features"];
    let mut seen = Vec::new();
    let mut tree = cargo(&["tree", "--edges", "normal", "--prefix", "none"]);
    let listed = for_each_line(tree.args(only), |line| seen.extend(impure(line).map(str::to_owned)))?;
    for name in &seen {
        println!("`factum` without default features depends on `{name}`: put it behind a feature");
    }
    Ok(succeeds(cargo(&["check"]).args(only))? && listed && seen.is_empty())
}

/// The name that `line` of a tree begins with, if it is one of those.
fn impure(line: &str) -> Option<&str> {
    line.split(' ').next().filter(|name| IMPURE.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_io_is_caught() {
        assert_eq!(impure("tokio v1.54.0 (*)"), Some("tokio"));
        assert_eq!(impure("factum-log v0.1.0 (/work/crates/factum-log)"), Some("factum-log"));
        assert_eq!(impure("factum-domain v0.1.0 (/work/crates/factum-domain)"), None);
        assert_eq!(impure("tokio-less v1.0.0"), None);
    }
}
