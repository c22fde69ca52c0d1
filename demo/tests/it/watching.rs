//! Watching the process: its measures, its health, its lines.

use crate::server::{Server, factum};
use std::collections::BTreeMap;

/// A page in the text format of Prometheus: the kind of each family, and the value of each series.
#[derive(Debug, Default)]
struct Page {
    kinds: BTreeMap<String, String>,
    series: BTreeMap<String, f64>,
}

impl Page {
    /// Panics at the first line that is not as the format wants it.
    fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends");
        let mut page = Self::default();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let [what, family, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                    panic!("{line}")
                };
                match what {
                    "HELP" => assert!(!rest.is_empty(), "{line}"),
                    "TYPE" => assert!(page.kinds.insert(family.to_owned(), rest.to_owned()).is_none()),
                    other => panic!("{other} in {line}"),
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value = if value == "+Inf" { f64::INFINITY } else { value.parse().unwrap() };
            page.check_series(series);
            assert!(page.series.insert(series.to_owned(), value).is_none(), "twice: {line}");
        }
        page
    }

    /// `name{label="value",...}`, of a family whose kind came before.
    fn check_series(&self, series: &str) {
        let labelled = series.strip_suffix('}').map(|series| series.split_once('{').unwrap());
        let (name, labels) = labelled.unwrap_or((series, ""));
        let suffixes = ["", "_bucket", "_sum", "_count"];
        let families = suffixes.iter().filter_map(|suffix| name.strip_suffix(suffix));
        assert!(families.into_iter().any(|family| self.kinds.contains_key(family)), "{series}");
        for label in labels.split("\",").filter(|label| !label.is_empty()) {
            let (label, value) = label.split_once("=\"").unwrap();
            assert!(label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{series}");
            assert!(!value.trim_end_matches('"').contains(['"', '\\']), "{series}");
        }
    }

    fn read(server: &Server) -> Self {
        let answer = server.get("/metrics");
        assert_eq!((answer.status, &*answer.content_type), (200, "text/plain; version=0.0.4"));
        Self::parse(answer.body.as_str().unwrap())
    }

    fn value(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("no {series} in {:#?}", self.series))
    }
}

#[test]
fn after_a_session_the_page_counts_exactly_what_happened() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(2.0);
    // One after another, so that each has a sync of its own.
    assert_eq!(server.value(&id), 2.0);
    server.update(&id, "ADD", 2.0);
    assert_eq!(server.value(&id), 4.0);
    server.outcome(&server.update("ffffffff-ffff-ffff-ffff-ffffffffffff", "ADD", 2.0));
    let page = Page::read(&server);
    let commands: Vec<_> =
        page.series.iter().filter(|(series, _)| series.starts_with("factum_commands_total")).collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    for (name, outcome) in
        [("create-value", "succeeded"), ("update-value", "succeeded"), ("update-value", "rejected")]
    {
        let labels = format!(r#"name="calculator.{name}",outcome="{outcome}",service="calculator""#);
        assert_eq!(page.value(&format!("factum_commands_total{{{labels}}}")), 1.0);
    }
    let (service, events) = (r#"{service="calculator"}"#, r#"{log="events",service="calculator"}"#);
    for (name, value) in [
        ("factum_log_append_seconds_count", 3.0),
        ("factum_log_sync_seconds_count", 3.0),
        ("factum_log_group_commits_sum", 3.0),
        ("factum_log_head_position", 2.0),
        ("factum_log_head_sequence", 3.0),
        ("factum_conflicts_total", 0.0),
    ] {
        let labels = if name.starts_with("factum_log_") { events } else { service };
        assert_eq!(page.value(&format!("{name}{labels}")), value, "{name}");
    }
    let routes =
        [("POST", "/values", 202, 1.0), ("PUT", "/values/{id}", 202, 2.0), ("GET", "/values/{id}", 200, 2.0)];
    for (method, route, status, count) in routes {
        let labels = format!(r#"method="{method}",route="{route}",status="{status}""#);
        assert_eq!(page.value(&format!("factum_http_requests_total{{{labels}}}")), count);
    }
    let spent = r#"factum_command_seconds_sum{name="calculator.create-value",service="calculator"}"#;
    assert!(page.value(spent) > 0.0, "time is measured");
}

#[test]
fn the_guide_lists_the_families_of_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(2.0);
    assert_eq!(server.value(&id), 2.0);
    let guide = include_str!("../../../docs/guide/src/operations.md");
    let kinds = Page::read(&server).kinds;
    assert_eq!(guide.matches("\n| `factum_").count(), kinds.len(), "{kinds:?}");
    for (family, kind) in kinds {
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{family}` ")));
        assert!(row.is_some_and(|row| row.contains(&format!("| {kind} |"))), "{family} is a {kind}: {row:?}");
    }
}

#[test]
fn a_running_service_is_live_and_ready() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(2.0);
    assert_eq!(server.value(&id), 2.0);
    for path in ["/health", "/health/live"] {
        assert_eq!(server.get(path).body, serde_json::json!({"status": "up"}));
    }
    let ready = server.get("/health/ready");
    assert_eq!(ready.status, 200);
    assert_eq!(ready.body["status"], "ready");
    let services = &ready.body["services"];
    // The lanes' layout, and the command.
    let commands = serde_json::json!({"position": 2, "sequence": 2});
    let calculator =
        serde_json::json!({"status": "ready", "position": 1, "sequence": 1, "commands": commands});
    assert_eq!(services["calculator"], calculator);
    let tracker = &services["issue-tracker"];
    assert_eq!((&tracker["status"], &tracker["position"]), (&"ready".into(), &0.into()));
    let counted = factum(&["inspect", "--json", dir.path().to_str().unwrap()]);
    let counted: serde_json::Value = serde_json::from_slice(&counted.stdout).unwrap();
    assert_eq!(counted["commits"], 1, "asking stores nothing");
}

#[test]
fn a_command_is_found_by_its_id_in_the_lines_of_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start_telling(dir.path(), "info");
    let id = server.create(2.0);
    let command = server.update(&id, "ADD", 2.0);
    server.outcome(&command);
    let lines = server.stop_and_read();
    let told: Vec<_> = lines.lines().filter(|line| line.contains(&command)).collect();
    assert_eq!(told.len(), 2, "{lines}");
    let home = format!("value-{id}");
    for part in ["command accepted", "calculator.update-value", "demo", "/values/{id}", "trace_id", &home] {
        assert!(told[0].contains(part), "no {part} in {}", told[0]);
    }
    for part in ["command ended", "calculator.update-value", "demo", "succeeded", &home] {
        assert!(told[1].contains(part), "no {part} in {}", told[1]);
    }
}
