//! What becomes of files: opened again, cut short, damaged, of another layout, taken away.

use super::{SCHEMA, all, file, keep, opened, plain, tables};
use factum_sqlite::SqliteReadModels;
use factum_store::{
    ErrorKind, ReadModels, Tables, block_on,
    read_models::{CommitError, Listing, checks},
};
use std::{
    fs,
    future::poll_fn,
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    task::Poll,
    thread,
};

#[test]
fn what_was_kept_is_there_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("deep/views");
    let models = SqliteReadModels::at(&made);
    assert_eq!(block_on(models.builds("roster")), Ok(Vec::new()));
    assert_eq!(block_on(models.notes("roster")), Ok(None));
    assert_eq!(block_on(models.remove(&checks::build())), Ok(()));
    assert!(!made.exists(), "looking makes no directory");
    drop(models);
    keep(&*opened(&made), vec![plain("a", 1)], 4).unwrap();
    let models = SqliteReadModels::at(&made);
    block_on(models.note("roster", "noted".into())).unwrap();
    drop(models);
    let files = |dir: &Path| {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(files(&made), ["projections.sqlite", "roster.1.1.sqlite"]);
    let models = SqliteReadModels::at(&made);
    assert_eq!(block_on(models.builds("roster")), Ok(vec![checks::build()]));
    assert_eq!(files(&made), ["projections.sqlite", "roster.1.1.sqlite"], "looking leaves nothing behind");
    assert_eq!(block_on(models.notes("roster")), Ok(Some("noted".into())));
    let found = block_on(models.find(&checks::build())).unwrap().unwrap();
    assert_eq!(all(&*found), (vec!["a".to_owned()], Some(checks::checkpoint(4))));
    block_on(models.remove(&checks::build())).unwrap();
    drop((found, models));
    assert_eq!(files(&made), ["projections.sqlite"], "a build is taken away with all of its files");
}

/// As a process that is killed leaves it: changes that were too many for memory stand in a file already.
#[test]
fn of_a_transaction_that_was_cut_short_nothing_is_there() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let model = opened(dir.path());
    keep(&*model, vec![plain("a", 1)], 4).unwrap();
    let mut tx = block_on(async { model.begin(model.claim().await?.fence).await }).unwrap();
    let large = |number: u64| {
        let body = factum_store::read_models::Body::Stored(vec![7; 1_000_000].into());
        factum_store::read_models::Document { body, ..plain(&number.to_string(), 2) }
    };
    block_on(tx.put((0..40).map(large).collect())).unwrap();
    for ending in ["", "-wal"] {
        let name = format!("roster.1.1.sqlite{ending}");
        fs::copy(dir.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let written = fs::metadata(copy.path().join("roster.1.1.sqlite-wal")).unwrap().len();
    assert!(written > 10_000_000, "changes stand in a file: {written}");
    let killed = opened(copy.path());
    assert_eq!(all(&*killed), (vec!["a".to_owned()], Some(checks::checkpoint(4))));
    keep(&*killed, vec![plain("b", 2)], 5).unwrap();
    drop(tx);
    assert_eq!(all(&*model).0, ["a"]);
}

#[test]
fn a_build_whose_making_was_cut_short_is_none() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(file(dir.path()), b"").unwrap();
    let models = SqliteReadModels::at(dir.path());
    assert_eq!(block_on(models.builds("roster")), Ok(Vec::new()));
    assert!(block_on(models.find(&checks::build())).unwrap().is_none());
    keep(&*opened(dir.path()), vec![plain("a", 1)], 4).unwrap();
    assert_eq!(block_on(models.builds("roster")), Ok(vec![checks::build()]));
}

fn spoil(file: &Path, from: u64, bytes: usize) {
    let mut file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xff; bytes]).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused_as_damaged_and_left() {
    let dir = tempfile::tempdir().unwrap();
    keep(&*opened(dir.path()), vec![plain("a", 1)], 4).unwrap();
    spoil(&file(dir.path()), 0, 64);
    let models = SqliteReadModels::at(dir.path());
    let (build, tables) = (checks::build(), checks::documents());
    for told in
        [block_on(models.open(&build, &tables)).unwrap_err(), block_on(models.find(&build)).unwrap_err()]
    {
        assert_eq!(told.kind(), ErrorKind::RepairData, "{told}");
        for part in ["roster.1.1", &*file(dir.path()).display().to_string(), "make it again"] {
            assert!(told.to_string().contains(part), "{told}");
        }
    }
    assert_eq!(block_on(models.builds("roster")), Ok(vec![build.clone()]), "so that it can be removed");
    block_on(models.remove(&build)).unwrap();
    let again = block_on(models.open(&build, &tables)).unwrap();
    assert_eq!(all(&*again), (Vec::new(), None));
}

#[test]
fn a_damaged_page_is_told_of_by_who_meets_it() {
    let dir = tempfile::tempdir().unwrap();
    let model = opened(dir.path());
    keep(&*model, (0..2000).map(|number| plain(&format!("{number:04}"), 1)).collect(), 4).unwrap();
    drop(model);
    let pages = fs::metadata(file(dir.path())).unwrap().len() / 4096;
    spoil(&file(dir.path()), pages / 2 * 4096, 4 * 4096);
    let model = opened(dir.path());
    assert_eq!(block_on(model.checkpoint()), Ok(Some(checks::checkpoint(4))), "what is whole can be read");
    let listing = Listing { limit: usize::MAX, ..Listing::default() };
    let told = block_on(model.documents(&listing)).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::RepairData, "{told}");
    assert!(told.to_string().contains("roster.1.1"), "{told}");
    let query = "select count(*), sum(length(body)), sum(length(i0)) from factum_documents where body <> ''";
    let told = block_on(model.rows(query, Vec::new())).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::RepairData, "{told}");
    let documents = (0..2000).map(|number| plain(&format!("{number:04}"), 2)).collect();
    let Err(CommitError::Store(told)) = keep(&*model, documents, 5) else { panic!("it is damaged") };
    assert_eq!(told.kind(), ErrorKind::RepairData, "{told}");
}

#[test]
fn a_file_of_another_layout_is_refused_and_left() {
    let dir = tempfile::tempdir().unwrap();
    keep(&*opened(dir.path()), vec![plain("a", 1)], 4).unwrap();
    let set = |layout: i64| {
        let connection = rusqlite::Connection::open(file(dir.path())).unwrap();
        connection.pragma_update(None, "user_version", layout).unwrap();
    };
    for other in [2, 0] {
        set(other);
        let models = SqliteReadModels::at(dir.path());
        let (build, tables) = (checks::build(), checks::documents());
        for told in
            [block_on(models.open(&build, &tables)).unwrap_err(), block_on(models.find(&build)).unwrap_err()]
        {
            assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
            assert!(
                told.to_string().contains(&format!("has layout {other}, this is for layout 1")),
                "{told}"
            );
            assert!(told.to_string().contains("rebuild"), "{told}");
        }
    }
    set(1);
    assert_eq!(all(&*opened(dir.path())).0, ["a"]);
}

#[test]
fn where_the_directory_was_taken_away_nothing_is_written_into_the_void() {
    let dir = tempfile::tempdir().unwrap();
    let models = SqliteReadModels::at(dir.path());
    let (build, tables) = (checks::build(), checks::documents());
    let model = block_on(models.open(&build, &tables)).unwrap();
    keep(&*model, vec![plain("a", 1)], 4).unwrap();
    block_on(models.note("roster", "noted".into())).unwrap();
    let fence = block_on(model.claim()).unwrap().fence;
    let tx = block_on(model.begin(fence)).unwrap();
    fs::remove_dir_all(dir.path()).unwrap();
    let Err(CommitError::Store(told)) = block_on(tx.commit(None)) else { panic!("it was committed") };
    assert_eq!(told.kind(), ErrorKind::Reopen, "{told}");
    for told in [block_on(model.claim()).unwrap_err(), block_on(model.begin(fence)).err().unwrap()] {
        assert_eq!(told.kind(), ErrorKind::Reopen, "{told}");
        assert!(told.to_string().contains("open it again"), "{told}");
    }
    assert_eq!(all(&*model).0, ["a"], "who has it open can read on in it");
    assert_eq!(block_on(models.notes("roster")), Ok(None));
    let again = block_on(models.open(&build, &tables)).unwrap();
    keep(&*again, vec![plain("b", 1)], 4).unwrap();
    block_on(models.note("roster", "again".into())).unwrap();
    drop(model);
    assert_eq!(all(&*opened(dir.path())).0, ["b"], "who closes the old one leaves the new one's files");
    drop((again, models));
    assert_eq!(all(&*opened(dir.path())).0, ["b"]);
    let noted = block_on(SqliteReadModels::at(dir.path()).notes("roster"));
    assert_eq!(noted, Ok(Some("again".into())));
}

#[test]
fn a_file_of_the_same_name_is_not_taken_for_the_one_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let old = opened(dir.path());
    keep(&*old, vec![plain("a", 1)], 4).unwrap();
    fs::remove_dir_all(dir.path()).unwrap();
    let new = opened(dir.path());
    let told = block_on(old.claim()).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Reopen, "{told}");
    keep(&*new, vec![plain("b", 1)], 4).unwrap();
    assert_eq!((all(&*old).0, all(&*new).0), (vec!["a".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn who_has_a_build_open_that_was_taken_away_never_reads_another() {
    let dir = tempfile::tempdir().unwrap();
    let models = SqliteReadModels::at(dir.path());
    let (build, tables) = (checks::build(), checks::documents());
    let old = block_on(models.open(&build, &tables)).unwrap();
    keep(&*old, vec![plain("a", 1)], 4).unwrap();
    block_on(models.remove(&build)).unwrap();
    let new = block_on(models.open(&build, &tables)).unwrap();
    keep(&*new, vec![plain("b", 1)], 4).unwrap();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let reads = Arc::clone(&old);
    let mut running = old.rows(endless, Vec::new());
    block_on(poll_fn(|context| Poll::Ready(running.as_mut().poll(context).is_pending())));
    // Behind the other, which so has the one connection that there is to the old file.
    assert_eq!(all(&*new).0, ["b"]);
    let reading = thread::spawn(move || all(&*reads).0);
    assert_eq!(all(&*new).0, ["b"]);
    drop(running);
    assert_eq!(reading.join().unwrap(), ["a"]);
}

#[test]
fn notes_are_read_from_the_file_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (SqliteReadModels::at(dir.path()), SqliteReadModels::at(dir.path()));
    for (round, looks) in [("1", false), ("2", true)] {
        block_on(one.note("roster", round.into())).unwrap();
        assert_eq!(block_on(other.notes("roster")), Ok(Some(round.into())));
        fs::remove_dir_all(dir.path()).unwrap();
        if looks {
            assert_eq!(block_on(other.notes("roster")), Ok(None));
            let third = SqliteReadModels::at(dir.path());
            block_on(third.note("roster", "third".into())).unwrap();
            assert_eq!(block_on(other.notes("roster")), Ok(Some("third".into())));
        }
    }
}

#[test]
fn where_there_can_be_no_directory_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("views"), b"").unwrap();
    let models = SqliteReadModels::at(dir.path().join("views"));
    for told in [
        block_on(models.open(&checks::build(), &checks::documents())).unwrap_err(),
        block_on(models.note("roster", "noted".into())).unwrap_err(),
        block_on(models.builds("roster")).unwrap_err(),
    ] {
        assert_eq!(told.kind(), ErrorKind::Retry, "{told}");
        assert!(told.to_string().contains("views"), "{told}");
    }
}

#[test]
fn damaged_notes_are_told_of() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("projections.sqlite"), [7; 5000]).unwrap();
    let models = SqliteReadModels::at(dir.path());
    for told in [
        block_on(models.notes("roster")).unwrap_err(),
        block_on(models.note("roster", "noted".into())).unwrap_err(),
    ] {
        assert_eq!(told.kind(), ErrorKind::RepairData, "{told}");
        assert!(told.to_string().contains("projections.sqlite"), "{told}");
    }
    assert!(block_on(models.open(&checks::build(), &checks::documents())).is_ok(), "builds are not");
}

#[test]
fn a_projection_whose_name_is_no_file_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let models = SqliteReadModels::at(dir.path().join("views"));
    for name in ["", "..", "../roster", "a/b", "Roster", "a.1", "\u{e9}"] {
        let build = factum_store::Build { projection: name.into(), ..checks::build() };
        let told = block_on(models.open(&build, &Tables::Sql { schema: SCHEMA })).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
        assert!(block_on(models.find(&build)).is_err() && block_on(models.remove(&build)).is_err(), "{name}");
    }
    assert!(!dir.path().join("views").exists());
}

#[test]
fn what_is_in_memory_lasts_as_long_as_anyone_has_it() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    assert_eq!(block_on(models.builds("roster")), Ok(vec![checks::build()]));
    assert_eq!(block_on(SqliteReadModels::in_memory().builds("roster")), Ok(Vec::new()));
    drop(models);
    let counted = block_on(model.rows("select count(*) as n from seats", Vec::new())).unwrap();
    assert_eq!(counted.value[0].integer("n"), Ok(0));
}
