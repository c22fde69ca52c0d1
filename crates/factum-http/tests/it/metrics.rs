//! What is counted, and under which labels.

use crate::notes::{served, service};
use factum::App;
use factum_http::Metrics;

/// The lines of a page that begin so.
fn lines<'a>(page: &'a str, start: &str) -> Vec<&'a str> {
    page.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn commands_are_counted_by_name_and_outcome_and_requests_by_declared_route() {
    let metrics = Metrics::default();
    let app = App::in_memory().observer(metrics.service("notes")).start();
    let page = served(vec![service(app)], metrics, |client| {
        let key = [("Idempotency-Key", "k")];
        let statuses = [
            client.write(3, &key).status,
            client.write(3, &key).status,
            client.write(4, &key).status,
            client.write(300, &[]).status,
        ];
        assert_eq!(statuses, [201, 201, 422, 409]);
        client.get("/notes/seven");
        client.get("/commands/seven");
        client.get("/made-up-1");
        client.get("/made-up-2");
        client.method("DELETE", "/notes");
        client.method("MADEUP", "/notes");
        client.get("/metrics")
    });
    assert_eq!((page.status, &*page.content_type), (200, "text/plain; version=0.0.4"));
    let page = page.text;
    assert_eq!(
        lines(&page, "factum_commands_total{"),
        [
            r#"factum_commands_total{name="notes.write",outcome="key-reused",service="notes"} 1"#,
            r#"factum_commands_total{name="notes.write",outcome="rejected",service="notes"} 1"#,
            r#"factum_commands_total{name="notes.write",outcome="replayed",service="notes"} 1"#,
            r#"factum_commands_total{name="notes.write",outcome="succeeded",service="notes"} 1"#,
        ]
    );
    assert_eq!(
        lines(&page, "factum_http_requests_total{"),
        [
            r#"factum_http_requests_total{method="DELETE",route="/notes",status="405"} 1"#,
            r#"factum_http_requests_total{method="GET",route="/commands/{id}",status="400"} 1"#,
            r#"factum_http_requests_total{method="GET",route="/notes/{id}",status="400"} 1"#,
            r#"factum_http_requests_total{method="GET",route="unmatched",status="404"} 2"#,
            r#"factum_http_requests_total{method="POST",route="/notes",status="201"} 2"#,
            r#"factum_http_requests_total{method="POST",route="/notes",status="409"} 1"#,
            r#"factum_http_requests_total{method="POST",route="/notes",status="422"} 1"#,
            r#"factum_http_requests_total{method="other",route="/notes",status="405"} 1"#,
        ]
    );
    assert_eq!(
        lines(&page, "factum_command_seconds_count"),
        [r#"factum_command_seconds_count{name="notes.write",service="notes"} 4"#]
    );
    assert_eq!(lines(&page, "factum_conflicts_total"), [r#"factum_conflicts_total{service="notes"} 0"#]);
    assert_eq!(
        lines(&page, "factum_log_head"),
        [r#"factum_log_head_position{service="notes"} 1"#, r#"factum_log_head_sequence{service="notes"} 2"#,]
    );
}

#[test]
fn two_servers_count_apart() {
    let count = || {
        let metrics = Metrics::default();
        let app = App::in_memory().observer(metrics.service("notes")).start();
        served(vec![service(app)], metrics, |client| {
            client.write(3, &[]);
            client.get("/metrics").text
        })
    };
    for page in [count(), count()] {
        let counted = lines(&page, "factum_commands_total{")[0].to_owned();
        assert!(counted.ends_with(" 1"), "{counted}");
    }
}
