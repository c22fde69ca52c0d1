//! What SQLite in particular must not let through.

use super::{all, keep, opened, plain, tables};
use factum_event::{Value, values};
use factum_sqlite::SqliteReadModels;
use factum_store::{
    CommitError, ErrorKind, Tables, block_on,
    read_models::{Body, Content, Document, Listing, ReadModels, checks},
};
use std::{
    any::Any,
    future::poll_fn,
    sync::{Arc, mpsc},
    task::Poll,
    thread,
    time::Duration,
};

/// What would break the bookkeeping, or outlive the transaction.
const FORBIDDEN: [&str; 34] = [
    "begin",
    "begin immediate",
    "commit",
    "end",
    "rollback",
    "savepoint a",
    "release a",
    "rollback to a",
    "attach ':memory:' as other",
    "detach main",
    "pragma query_only = off",
    "pragma user_version = 7",
    "pragma foreign_keys",
    "vacuum",
    "vacuum into '/nowhere/at.all'",
    "update factum_checkpoint set fence = fence + 1",
    "UPDATE Factum_Checkpoint SET position = 9",
    "update main.\"factum_checkpoint\" set position = 9",
    "delete from factum_parked",
    "insert into factum_documents (key, body, changed_at) values ('x', 'x', 1)",
    "drop table factum_made_for",
    "alter table factum_documents add column x",
    "alter table factum_documents rename to mine",
    "create table factum_mine (x)",
    "create table FACTUM_mine (x)",
    "create view factum_mine as select 1",
    "create index mine on factum_documents (body)",
    "create trigger mine after insert on factum_documents begin delete from seats; end",
    "create table temp.mine (x)",
    "create temp table mine (x)",
    "create virtual table temp.mine using fts5 (x)",
    "create temporary view mine as select 1",
    "update sqlite_schema set sql = ''",
    "with x as (select 1) delete from factum_checkpoint where one in x returning one",
];

#[test]
fn the_bookkeeping_is_out_of_reach() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let fence = block_on(model.claim()).unwrap().fence;
    for sql in FORBIDDEN {
        let mut tx = block_on(model.begin(fence)).unwrap();
        for told in [
            block_on(tx.execute(sql, Vec::new())).map(drop),
            block_on(tx.rows(sql, Vec::new())).map(drop),
            block_on(model.rows(sql, Vec::new())).map(drop),
        ] {
            let told = told.expect_err(sql);
            assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
            assert!(told.to_string().contains(sql.split(' ').next().unwrap()), "{told}");
        }
        assert_eq!(block_on(tx.execute("insert into seats values ('a', 1)", Vec::new())), Ok(1), "{sql}");
    }
    assert_eq!(block_on(model.checkpoint()), Ok(None));
    let trigger = "create trigger mine after insert on seats begin
        update factum_checkpoint set fence = 0; end";
    let mut tx = block_on(model.begin(fence)).unwrap();
    assert_eq!(block_on(tx.execute(trigger, Vec::new())), Ok(0), "a trigger is read when it is used");
    let told = block_on(tx.execute("insert into seats values ('a', 1)", Vec::new())).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
    drop(tx);
    assert_eq!(block_on(model.claim()).unwrap().fence, fence + 1, "the fence is as it was");
}

#[test]
fn the_schema_of_a_projection_does_not_reach_the_bookkeeping() {
    let models = SqliteReadModels::in_memory();
    for schema in [
        "create table a (x); commit; create table b (x)",
        "create table factum_more (x)",
        "create table a (x); drop table factum_checkpoint",
        "create table a (x); pragma user_version = 0",
    ] {
        let told = block_on(models.open(&checks::build(), &Tables::Sql { schema })).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
        assert_eq!(block_on(models.builds("roster")), Ok(Vec::new()), "nothing of it is kept");
    }
}

/// Who may do what is asked when a statement is prepared: one of ours that is kept must not be found by its text.
#[test]
fn a_statement_of_factum_is_not_found_by_its_text() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let mut tx = block_on(async { model.begin(model.claim().await?.fence).await }).unwrap();
    for sql in [
        "/*factum*/ commit",
        " \n/*factum*/ update factum_checkpoint set fence = fence + 1",
        "\u{feff}/*factum*/ commit",
        "\u{c}/*factum*/ commit",
        "\u{a0}/*factum*/ commit",
    ] {
        let told = block_on(tx.execute(sql, Vec::new())).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
        assert_eq!(block_on(tx.rows(sql, Vec::new())).unwrap_err().kind(), ErrorKind::FixInput);
    }
    assert_eq!(block_on(tx.execute("insert into seats values ('a', 1)", Vec::new())), Ok(1));
}

/// SQLite ends the transaction by itself; what followed would be kept at once, statement by statement.
#[test]
fn after_a_failure_that_ends_the_transaction_nothing_more_is_kept() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let mut tx = block_on(async { model.begin(model.claim().await?.fence).await }).unwrap();
    block_on(tx.execute("insert into seats values ('a', 1)", Vec::new())).unwrap();
    let told = block_on(tx.execute("insert or rollback into seats values ('a', 1)", Vec::new())).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
    let told = block_on(tx.execute("insert into seats values ('b', 1)", Vec::new())).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Retry, "{told}");
    assert_eq!(block_on(tx.put(vec![])).unwrap_err(), told);
    assert_eq!(block_on(tx.park(vec![])).unwrap_err(), told);
    assert_eq!(block_on(tx.commit(Some(checks::checkpoint(3)))), Err(CommitError::Store(told)));
    let reading = block_on(model.rows("select course from seats", Vec::new())).unwrap();
    assert_eq!((reading.value.len(), reading.checkpoint), (0, None));
    let mut tx = block_on(async { model.begin(model.claim().await?.fence).await }).unwrap();
    assert_eq!(block_on(tx.execute("insert into seats values ('b', 1)", Vec::new())), Ok(1));
}

#[test]
fn tables_may_be_changed_and_texts_searched() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let mut tx = block_on(async { model.begin(model.claim().await?.fence).await }).unwrap();
    for sql in [
        "create virtual table words using fts5 (said)",
        "insert into words values ('a seat is free')",
        "alter table seats rename column taken to gone",
        "alter table seats rename to places",
        "create view free as select course from places where gone = 0",
        "create trigger counted after insert on places begin delete from words; end",
        "drop trigger counted",
        "drop view free",
        "reindex",
        "analyze",
    ] {
        let done = block_on(tx.execute(sql, Vec::new()));
        assert!(done.is_ok(), "{sql}: {done:?}");
    }
    block_on(tx.commit(None)).unwrap();
    let found = block_on(model.rows("select said from words where words match $1", values!["seat"])).unwrap();
    assert_eq!(found.value[0].text("said"), Ok("a seat is free"));
}

#[test]
fn only_dollars_and_numbers_are_parameters() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    for (sql, told) in [
        ("select ? as x", "`?` is no parameter"),
        ("select ?1 as x", "`?1` is no parameter"),
        ("select :a as x", "`:a` is no parameter"),
        ("select @a as x", "`@a` is no parameter"),
        ("select $a as x", "`$a` is no parameter"),
        ("select $0 as x", "`$0` is no parameter"),
        ("select $01 as x", "`$01` is no parameter"),
        ("select $1::text as x", "`$1::text` is no parameter"),
        ("select $99999999999999999999 as x", "is no parameter"),
        ("select $2 as x", "up to $2, and there are 1 values"),
    ] {
        let error = block_on(model.rows(sql, values![1])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FixInput, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    let reading = block_on(model.rows("select $3 as x", values![1, 2, 3])).unwrap();
    assert_eq!(reading.value[0].integer("x"), Ok(3), "not every value needs to be used but the last");
}

#[test]
fn names_in_quotes_are_names_and_foreign_keys_hold() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let told = block_on(model.rows("select \"curse\" from seats", Vec::new())).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
    let mut tx = block_on(model.scratch()).unwrap();
    let sql = "create table taken (course text references seats)";
    block_on(tx.execute(sql, Vec::new())).unwrap();
    let told = block_on(tx.execute("insert into taken values ('a')", Vec::new())).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
}

#[test]
fn a_changed_table_is_seen_by_statements_from_before() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let mut tx = block_on(async { model.begin(model.claim().await?.fence).await }).unwrap();
    block_on(tx.execute("insert into seats values ('a', 1)", Vec::new())).unwrap();
    let before = block_on(tx.rows("select * from seats", Vec::new())).unwrap();
    assert_eq!(before[0].values(), values!["a", 1]);
    block_on(tx.execute("alter table seats add column note text default 'x'", Vec::new())).unwrap();
    let after = block_on(tx.rows("select * from seats", Vec::new())).unwrap();
    assert_eq!((after[0].columns().len(), after[0].get("note")), (3, Some(&Value::from("x"))));
}

#[test]
fn texts_that_are_none_and_values_that_are_no_numbers_are_refused() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let told = block_on(model.rows("select cast(x'ff' as text) as odd", Vec::new())).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
    assert!(told.to_string().contains("`odd`"), "{told}");
    let told = block_on(model.rows("select $1 as x", values![f64::NAN])).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
    assert!(told.to_string().contains("$1") && told.to_string().contains("NaN"), "{told}");
}

#[derive(Debug)]
struct Unstorable;

impl Content for Unstorable {
    fn encode(&self, _: &mut Vec<u8>) -> Result<(), String> {
        Err("a map has no text for keys".to_owned())
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

#[test]
fn documents_that_cannot_be_kept_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let model = opened(dir.path());
    let with = |body, indexed| Document { body, indexed, ..plain("ann", 1) };
    let small = || Body::Stored("x".into());
    let large = Body::Stored(vec![0; 16 * 1024 * 1024 + 1].into());
    for (document, told) in [
        (with(Body::Held(Arc::new(Unstorable)), values![1, 2]), "a map has no text for keys"),
        (with(large, values![1, 2]), "16777217 bytes, 16777216 are allowed"),
        (with(small(), values![1]), "1 values for indexes, the build has 2"),
        (with(small(), values![1, f64::NAN]), "index 1 is not a number"),
        (Document { key: "ann".repeat(700).into(), ..plain("ann", 1) }, "2100 bytes, 2048 are allowed"),
    ] {
        let Err(CommitError::Store(error)) = keep(&*model, vec![plain("bob", 1), document], 2) else {
            panic!("it was kept: {told}");
        };
        assert_eq!(error.kind(), ErrorKind::FixInput, "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(error.to_string().contains("`ann"), "{error}");
    }
    assert_eq!(all(&*model), (Vec::new(), None));
    for listing in [
        Listing { order: Some(2), limit: 1, ..Listing::default() },
        Listing { equal: vec![(9, Value::Null)], limit: 1, ..Listing::default() },
    ] {
        let told = block_on(model.documents(&listing)).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
        assert!(told.to_string().contains("there is no index"), "{told}");
    }
}

#[test]
fn queries_that_nobody_waits_for_do_not_keep_others_waiting() {
    let models = SqliteReadModels::in_memory();
    let model = tables(&models);
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..3 {
            let mut running: Vec<_> = (0..3).map(|_| model.rows(endless, Vec::new())).collect();
            for running in &mut running {
                let waits = poll_fn(|context| Poll::Ready(running.as_mut().poll(context).is_pending()));
                assert!(block_on(waits));
            }
            // Behind the others, so that they were begun when it is answered.
            tell.send(block_on(model.rows("select 1 as x", Vec::new()))).unwrap();
        }
    });
    for _ in 0..3 {
        let reading = told.recv_timeout(Duration::from_secs(60)).expect("it does not wait for ever").unwrap();
        assert_eq!(reading.value[0].integer("x"), Ok(1));
    }
}

#[test]
fn a_listing_by_an_index_walks_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let model = opened(dir.path());
    for (condition, order) in [
        ("(d.i0, d.key) > ('x', 'k')", "d.i0 asc, d.key asc"),
        ("(d.i0, d.key) < ('x', 'k')", "d.i0 desc, d.key desc"),
        ("d.i0 is null and d.key > 'k'", "d.i0 asc, d.key asc"),
        ("d.i0 is not null", "d.i0 asc, d.key asc"),
    ] {
        let sql = format!(
            "explain query plan select d.body from factum_documents d where {condition} order by {order} limit 9"
        );
        let plan = block_on(model.rows(&sql, Vec::new())).unwrap().value;
        let plan: Vec<_> = plan.iter().map(|row| row.text("detail").unwrap().to_owned()).collect();
        assert_eq!(plan.len(), 1, "nothing is sorted: {plan:?}");
        assert!(plan[0].starts_with("SEARCH") && plan[0].contains("factum_documents_by_0"), "{plan:?}");
    }
}
