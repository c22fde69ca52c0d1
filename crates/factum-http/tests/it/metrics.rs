//! What is counted, and under which labels.

use crate::{
    boxes::{self, BROKEN},
    memos::{self, FileMemo, JAMMED, MemoId},
    notes::{served, service},
};
use factum::{App, CommandObserver, Status, Timestamp, Uuid, block_on, store::AppendObserver};
use factum_http::Metrics;
use factum_testkit::VirtualClock;
use std::{sync::Arc, time::Duration};

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
        [
            r#"factum_log_head_position{log="events",service="notes"} 1"#,
            r#"factum_log_head_sequence{log="events",service="notes"} 2"#,
        ]
    );
}

#[test]
fn what_a_log_cannot_seal_is_counted_and_shown_while_it_lasts() {
    let dir = tempfile::tempdir().unwrap();
    let metrics = Metrics::default();
    let observer = metrics.service("memos");
    let app =
        App::embedded(dir.path()).observer(Arc::clone(&observer)).commands::<FileMemo>().start().unwrap();
    let page = || {
        let metrics = metrics.clone();
        served(vec![memos::service(app.clone())], metrics, |client| client.get("/metrics").text)
    };
    let shown = |total: [u64; 2], failing: [u64; 2]| {
        let page = page();
        for (family, due) in
            [("factum_log_maintenance_trouble_total", total), ("factum_log_maintenance_failing", failing)]
        {
            let [commands, events] = due;
            let due = [("commands", commands), ("events", events)]
                .map(|(log, due)| format!(r#"{family}{{log="{log}",service="memos"}} {due}"#));
            assert_eq!(lines(&page, family), due);
        }
    };
    shown([0, 0], [0, 0]);
    let commands = CommandObserver::command_log(&*observer).unwrap();
    observer.maintained(Some("cannot seal"));
    observer.maintained(Some("cannot seal"));
    commands.maintained(Some("cannot seal"));
    shown([1, 2], [1, 1]);
    observer.maintained(None);
    shown([1, 2], [1, 0]);
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

#[test]
fn commands_for_later_are_counted_and_what_waits_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let metrics = Metrics::default();
    let clock = Arc::new(VirtualClock::at(Timestamp::EPOCH));
    let app = App::embedded(dir.path())
        .observer(metrics.service("memos"))
        .commands::<FileMemo>()
        .clock(Arc::clone(&clock) as _)
        .start()
        .unwrap();
    let (whole, jammed) = (MemoId(Uuid::from_u128(0x1e7)), MemoId(Uuid::from_u128(0x1e8)));
    let submit = |drawer| block_on(async { app.submit(FileMemo(drawer)).await.unwrap().command_id() });
    let lanes = app.lanes().unwrap();
    let page = || {
        let metrics = metrics.clone();
        served(vec![memos::service(app.clone())], metrics, |client| client.get("/metrics").text)
    };
    let settled = |drawer| block_on(lanes.outcome(submit(drawer))).unwrap().status;
    for family in ["factum_commands_accepted_total{", "factum_logged_command_seconds_count{"] {
        let zero = format!(r#"{family}name="memos.file-memo",service="memos"}} 0"#);
        assert_eq!(lines(&page(), family), [zero]);
    }
    JAMMED.lock().unwrap().insert(jammed.0);
    assert_eq!((settled(whole), settled(jammed)), (Status::Succeeded, Status::Parked));
    let parked = served(vec![memos::service(app.clone())], metrics.clone(), |client| {
        (0..100_000)
            .map(|_| client.get("/metrics").text)
            .find(|page| page.contains("factum_commands_parked{service=\"memos\"} 1\n"))
    });
    let parked = parked.expect("the parked one is shown");
    assert_eq!(lines(&parked, "factum_lane_oldest"), [r#"factum_lane_oldest_seconds{service="memos"} 0"#]);
    block_on(app.stop());
    submit(whole);
    clock.advance(Duration::from_secs(5));
    submit(whole);
    let page = page();
    for (start, line) in [
        ("factum_commands_accepted_total{", r#"{name="memos.file-memo",service="memos"} 4"#),
        ("factum_logged_command_seconds_count{", r#"{name="memos.file-memo",service="memos"} 2"#),
        ("factum_lane_depth{", r#"{service="memos"} 2"#),
        ("factum_lane_oldest_seconds{", r#"{service="memos"} 5"#),
        ("factum_commands_parked{", r#"{service="memos"} 1"#),
    ] {
        assert_eq!(lines(&page, start), [format!("{}{line}", start.trim_end_matches('{'))]);
    }
    // A layout, four commands, and the mark of the one that was parked; then what became of two.
    for (log, appended, position) in [("commands", 6, 6), ("events", 2, 1)] {
        let labels = format!(r#"{{log="{log}",service="memos"}}"#);
        for line in [
            format!("factum_log_append_seconds_count{labels} {appended}"),
            format!("factum_log_sync_seconds_count{labels} {appended}"),
            format!("factum_log_group_commits_sum{labels} {appended}"),
            format!("factum_log_head_position{labels} {position}"),
        ] {
            assert!(page.contains(&format!("\n{line}\n")), "{line}: {page}");
        }
    }
}

#[test]
fn projections_are_shown_as_they_stand() {
    let clock = Arc::new(VirtualClock::at(Timestamp::EPOCH));
    let started = App::in_memory().clock(Arc::clone(&clock) as _);
    let app = started.view::<boxes::Weight>().view::<boxes::Total>().start();
    let metrics = Metrics::default();
    let page = || {
        let metrics = metrics.clone();
        served(vec![boxes::service(app.clone())], metrics, |client| client.get("/metrics").text)
    };
    let put = |box_id, grams| {
        let put = boxes::Put { box_id: boxes::BoxId(box_id), grams };
        block_on(async {
            let position = app.execute(put).await.unwrap().position();
            for name in ["weight", "total"] {
                app.projections().reached(name, position, Duration::from_secs(30)).await.unwrap();
            }
        });
    };
    put(301, 13);
    block_on(app.projections().caught_up("total", Duration::from_secs(30))).unwrap();
    BROKEN.lock().unwrap().insert(301);
    put(301, 13);
    put(301, 1);
    put(302, 1);
    clock.advance(Duration::from_secs(7));
    let shown = page();
    let of = |projection: &str| format!(r#"{{projection="{projection}",service="boxes"}}"#);
    let (total, weight) = (of("total"), of("weight"));
    for line in [
        format!("factum_projection_position{total} 1"),
        format!("factum_projection_position{weight} 4"),
        format!("factum_projection_lag_events{total} 3"),
        format!("factum_projection_lag_events{weight} 0"),
        format!("factum_projection_lag_seconds{total} 7"),
        format!("factum_projection_lag_seconds{weight} 0"),
        format!("factum_projection_parked_events{total} 0"),
        format!("factum_projection_parked_events{weight} 1"),
        format!("factum_projection_waiting_events{weight} 1"),
        format!("factum_projection_stalled{weight} 0"),
    ] {
        assert!(shown.contains(&format!("\n{line}\n")), "{line}: {shown}");
    }
    let states = lines(&shown, "factum_projection_state{");
    assert_eq!(states.len(), 2 * factum::ProjectionState::WORDS.len());
    let is: Vec<_> = states.into_iter().filter(|line| line.ends_with(" 1")).collect();
    assert_eq!(
        is,
        [
            r#"factum_projection_state{projection="total",service="boxes",state="stopped"} 1"#,
            r#"factum_projection_state{projection="weight",service="boxes",state="caught-up"} 1"#,
        ]
    );
}

#[test]
fn a_build_beside_is_shown_as_far_as_it_has_come() {
    let app = App::in_memory().view::<boxes::Total>().start();
    let metrics = Metrics::default();
    let shown = || {
        let metrics = metrics.clone();
        let page = served(vec![boxes::service(app.clone())], metrics, |client| client.get("/metrics").text);
        let shown = lines(&page, "factum_projection_build_position{");
        shown[0].rsplit_once(' ').unwrap().1.to_owned()
    };
    block_on(async {
        for (box_id, grams) in [(303, 5), (304, 13)] {
            let put = boxes::Put { box_id: boxes::BoxId(box_id), grams };
            let position = app.execute(put).await.unwrap().position();
            assert!(app.projections().reached("total", position, Duration::from_secs(30)).await.unwrap());
        }
    });
    assert_eq!(shown(), "0", "none is made");
    BROKEN.lock().unwrap().insert(304);
    block_on(app.projections().rebuild("total")).unwrap();
    assert!((0..100_000).any(|_| shown() == "1"), "it stops at the second event");
    block_on(app.projections().cancel("total")).unwrap();
    assert_eq!(shown(), "0", "it is made no more");
}
