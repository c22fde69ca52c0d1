//! SIGKILL, for real: a child process with senders, projections and rebuilds on embedded files is killed again and
//! again. What it acknowledged is in the log, and what is kept follows from the log.

use super::{
    counters::{Add, KeyId, Ledger, Move, Sum, log},
    desk::{bounds, built, caught_up, holds, holds_entries},
};
use factum::{App, ProjectionError, block_on};
use std::{
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

const DIRECTORY: &str = "FACTUM_RUNTIME_PROJECTIONS_DIR";
type Ledger0 = Ledger<0, 1>;

fn open(dir: &Path) -> App {
    let app = App::embedded(dir).projection_bounds(bounds(7));
    app.view::<Sum<0>>().view::<Sum<1>>().project(Ledger0::default()).start().unwrap()
}

/// In the child process what gets killed; without its directory there is nothing to do.
#[test]
fn a_process_projects_and_rebuilds_until_it_is_killed() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let app = open(Path::new(&dir));
    std::thread::scope(|scope| {
        for sender in 0..3_u32 {
            let app = &app;
            scope.spawn(move || {
                for n in 0_u32.. {
                    let (key, to) = (KeyId((sender + n) % 7), KeyId(n % 5));
                    let done = match n % 2 {
                        0 => block_on(app.execute(Add(key, n.into()))),
                        _ => block_on(app.execute(Move(key, to, n.into()))),
                    };
                    let line = format!("{}\n", done.unwrap().position());
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
        for name in ["sum", "sum-1", "ledger"] {
            let app = &app;
            scope.spawn(move || {
                loop {
                    match block_on(app.projections().rebuild(name)) {
                        Ok(()) | Err(ProjectionError::Conflict { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                    std::thread::yield_now();
                }
            });
        }
    });
}

/// Runs the child until it acknowledged so many, and kills it; gives the furthest that it acknowledged.
fn killed(dir: &Path, after: usize) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "projections::killed::a_process_projects_and_rebuilds_until_it_is_killed",
            "--nocapture",
        ])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let positions = lines.map_while(Result::ok).filter_map(|line| line.parse().ok());
    let acknowledged: Vec<u64> = positions.take(after).collect();
    assert_eq!(acknowledged.len(), after, "it ended by itself: {:?}", child.wait());
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.into_iter().max().unwrap()
}

#[test]
fn after_every_kill_what_is_kept_follows_from_what_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    for after in [1, 60, 9, 140, 35] {
        let furthest = killed(dir.path(), after);
        let app = open(dir.path());
        block_on(async {
            let events = log(&**app.store()).await;
            assert!(events.len() as u64 >= furthest, "one that was acknowledged is not there");
            for name in ["sum", "sum-1", "ledger"] {
                built(app.projections(), name).await;
                caught_up(app.projections(), name).await;
                assert_eq!(app.projections().status(name).await.unwrap().parked, 0);
            }
            holds::<Sum<0>>(&app).await;
            holds::<Sum<1>>(&app).await;
            holds_entries::<Ledger0>(&app).await;
            app.stop().await;
        });
    }
}
