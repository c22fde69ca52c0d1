//! SIGKILL, for real: a child process with lanes on embedded logs is killed while it parks, sets aside and is
//! told by an operator, again and again, and the next one goes on.

use crate::desk::{DeskId, Mood, Sign, Write};
use factum::{
    App, CommandId, LaneBounds, LaneLayout, LaneMode, OperateError, Outcome, Query, Status, block_on,
};
use std::{
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

const DIRECTORY: &str = "FACTUM_RUNTIME_KILL_DIR";
const DESKS: u64 = 7;
const COMMANDS: u64 = 280;
/// So many to one that the child does not know.
const SIGNED_ONE_IN: u64 = 10;
const BOUNDS: LaneBounds =
    LaneBounds { queued_max: 64, watermark_every: 5, released_max: 3, released_bytes_max: 1 << 20 };
const LAYOUT: LaneLayout = LaneLayout { mode: LaneMode::ByKey, count: 3 };

/// An application that knows both kinds of command.
fn whole(dir: &Path) -> App {
    App::embedded(dir).commands::<(Write, Sign)>().lanes(LAYOUT).lane_bounds(BOUNDS).start().unwrap()
}

/// In the child process what gets killed; without its directory there is nothing to do.
#[test]
fn a_process_parks_and_is_told_to_drive_again_until_it_is_killed() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let app = App::embedded(dir).commands::<Write>().lanes(LAYOUT).lane_bounds(BOUNDS).start().unwrap();
    let lanes = app.lanes().unwrap();
    block_on(async {
        loop {
            for parking in lanes.parked().await.unwrap() {
                match lanes.redrive(parking.command, "olga").await {
                    Ok(_) => std::io::stdout().write_all(b"driven again\n").unwrap(),
                    Err(OperateError::Conflict { .. } | OperateError::NotParked { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        }
    });
}

/// Runs the child until an operator has acted so often, and kills it.
fn killed(dir: &Path, after: usize) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::a_process_parks_and_is_told_to_drive_again_until_it_is_killed",
            "--nocapture",
        ])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acted = lines.map_while(Result::ok).filter(|line| line == "driven again").take(after).count();
    assert_eq!(acted, after, "it ended by itself: {:?}", child.wait());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn parked_commands_and_those_behind_them_survive_the_kill_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut ids: Vec<CommandId> = Vec::new();
    let app = whole(dir.path());
    block_on(async {
        app.stop().await;
        for number in 0..COMMANDS {
            let (desk, mood) = (DeskId(number % DESKS), Mood::Once);
            let id = match number % SIGNED_ONE_IN {
                0 => app.submit(Sign { desk, number, mood }).await.unwrap().command_id(),
                _ => app.submit(Write { desk, number, mood }).await.unwrap().command_id(),
            };
            ids.push(id);
        }
    });
    drop(app);
    for after in [1, 9, 3, 20, 14] {
        killed(dir.path(), after);
    }
    let app = whole(dir.path());
    block_on(async {
        let lanes = app.lanes().unwrap();
        for id in &ids {
            // Whatever is parked by now goes on; what it is that holds a key becomes clear one by one.
            while !app.status(*id).await.unwrap().unwrap().status.is_final() {
                for parking in lanes.parked().await.unwrap() {
                    let _ = lanes.redrive(parking.command, "olga").await;
                }
                std::thread::yield_now();
            }
            assert_eq!(app.status(*id).await.unwrap().unwrap().status, Status::Succeeded);
            let commits = app.store().commits_of(*id).await.unwrap();
            let decided = commits.iter().filter(|commit| commit.outcome.is_final());
            assert_eq!(decided.count(), 1, "{id}");
            assert!(commits.iter().rev().skip(1).all(|commit| {
                matches!(commit.outcome, Outcome::Parked { .. } | Outcome::SetAside { .. })
            }));
        }
        let written = app.store().read(&Query::All, Default::default()).await.unwrap().events;
        assert_eq!(written.len(), ids.len());
        for desk in 0..DESKS {
            let stream = format!("desk-{desk}");
            let own = written.iter().filter(|event| event.stream.as_str() == stream);
            let number = |event: &factum::RecordedEvent| {
                serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap()["number"]
                    .as_u64()
                    .unwrap()
            };
            let numbers: Vec<u64> = own.map(number).collect();
            let in_order = (0..COMMANDS).filter(|number| number % DESKS == desk);
            assert_eq!(numbers, in_order.collect::<Vec<_>>(), "on desk {desk}");
        }
    });
}
