//! SQL tables: portable statements of projections and queries, in our transactions.

use super::{Check, build, checkpoint, documents, refused};
use crate::{
    ErrorKind, block_on,
    read_models::{Build, BuildTx, ROWS_MAX, ReadModel, ReadModels, Row, Tables},
};
use factum_event::{Value, values};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

pub(super) const CHECKS: [Check; 8] = [
    |models| Box::pin(values_are_given_back_as_they_were_kept(models)),
    |models| Box::pin(parameters_are_what_they_are_called(models)),
    |models| Box::pin(a_statement_tells_how_many_rows_it_changed(models)),
    |models| Box::pin(a_wrong_statement_is_refused_and_told(models)),
    |models| Box::pin(a_statement_does_not_reach_its_transaction(models)),
    |models| Box::pin(tables_and_checkpoint_are_kept_together_or_not_at_all(models)),
    |models| Box::pin(a_query_reads_and_is_bounded(models)),
    |models| Box::pin(tables_are_refused_for_another_schema(models)),
];

const SCHEMA: &str = "
    create table seats (course text primary key, taken integer not null check (taken >= 0), note text);
    create index seats_by_taken on seats (taken);";

/// Longer than anything takes that does not wait for ever.
const NEVER: Duration = Duration::from_secs(60);

async fn opened(models: &dyn ReadModels) -> Arc<dyn ReadModel> {
    models.open(&build(), &Tables::Sql { schema: SCHEMA }).await.expect("a build is made where there is none")
}

async fn begun(model: &dyn ReadModel) -> Box<dyn BuildTx> {
    super::begun(model).await
}

/// A transaction that is not kept, as some databases end one at the first wrong statement.
async fn scratch(model: &dyn ReadModel) -> Box<dyn BuildTx> {
    model.scratch().await.expect("a scratch can be begun")
}

fn found(rows: &[Row]) -> Vec<Vec<Value>> {
    rows.iter().map(|row| row.values().to_vec()).collect()
}

/// All seats, and how far the build has come.
async fn all(model: &dyn ReadModel) -> (Vec<Vec<Value>>, Option<u64>) {
    let reading = model.rows("select course, taken from seats order by course", Vec::new()).await;
    let reading = reading.expect("tables can be read");
    (found(&reading.value), reading.checkpoint.map(|checkpoint| checkpoint.position.get()))
}

async fn values_are_given_back_as_they_were_kept(models: Arc<dyn ReadModels>) {
    let schema =
        "create table kept (number bigint primary key, whole bigint, part double precision, said text)";
    let model = models.open(&build(), &Tables::Sql { schema }).await.expect("a build is made");
    let rows = [
        values![1, Value::Null, Value::Null, Value::Null],
        values![2, i64::MIN, -0.5, ""],
        values![3, i64::MAX, 1e300, "it's \"$1\" ? :a -- \u{1f9fa}\n"],
    ];
    let mut tx = begun(&*model).await;
    for row in &rows {
        let changed = tx.execute("insert into kept values ($1, $2, $3, $4)", row.clone()).await;
        assert_eq!(changed, Ok(1), "a row can be kept");
    }
    let select = "select number, whole, part, said from kept order by number";
    let seen = tx.rows(select, Vec::new()).await.expect("a transaction can read");
    assert_eq!(found(&seen), rows, "a transaction sees what it changed");
    tx.commit(None).await.expect("a transaction is kept");
    let reading = model.rows(select, Vec::new()).await.expect("tables can be read");
    assert_eq!(found(&reading.value), rows, "values are given back as they were kept");
    assert_eq!(reading.value[0].columns(), ["number", "whole", "part", "said"], "columns have their names");
    let none = model.rows("select said from kept where number = $1", values![4]).await;
    assert_eq!(none.map(|reading| reading.value), Ok(Vec::new()), "a query may find nothing");
}

async fn parameters_are_what_they_are_called(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    let mut tx = begun(&*model).await;
    let given = (1..=11).map(|number| Value::from(format!("v{number}"))).collect::<Vec<_>>();
    let columns = [10, 1, 11, 2, 10, 3, 4, 5, 6, 7, 8, 9];
    let sql = columns.map(|number| format!("cast(${number} as text)")).join(" || ' ' || ");
    let rows = tx.rows(&format!("select {sql} as v"), given).await.expect("a parameter may be used twice");
    let expected = columns.map(|number| format!("v{number}")).join(" ");
    assert_eq!(rows[0].text("v"), Ok(&*expected), "a parameter is what it is called");
    let sql = "select '$1' as a, '$2 it''s $3' as b, cast($1 as text) as c -- $4\n, 1 as \"$5\" /* $6 */";
    let rows = tx.rows(sql, values!["x"]).await.expect("a parameter in a text or a comment is none");
    assert_eq!(rows[0].columns(), ["a", "b", "c", "$5"], "a parameter in a name is none");
    assert_eq!(found(&rows), [values!["$1", "$2 it's $3", "x", 1]], "a parameter in a text is none");
}

async fn a_statement_tells_how_many_rows_it_changed(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    let mut tx = begun(&*model).await;
    let statements = [
        ("insert into seats (course, taken) values ('a', 1), ('b', 2), ('c', 2)", 3),
        ("create table more (x integer)", 0),
        ("update seats set note = 'x' where taken = 2", 2),
        ("insert into seats (course, taken) values ('a', 5) on conflict (course) do update set taken = 5", 1),
        ("insert into seats (course, taken) values ('a', 9) on conflict (course) do nothing", 0),
        ("delete from seats where taken > 100", 0),
        ("delete from seats", 3),
    ];
    for (sql, expected) in statements {
        assert_eq!(
            tx.execute(sql, Vec::new()).await,
            Ok(expected),
            "a statement tells what it changed: {sql}"
        );
    }
    tx.commit(None).await.expect("a transaction is kept");
    let more = model.rows("select x from more", Vec::new()).await;
    assert!(more.is_ok(), "a projection may make tables: {more:?}");
}

async fn a_wrong_statement_is_refused_and_told(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    let wrong = [
        ("insert into seats values ('a', -1, null)", values![]),
        ("insert into seats (course) values ('a')", values![]),
        ("insert into seats (course, taken) values ('a', 1), ('a', 2)", values![]),
        ("insert into seatz values ('a', 1, null)", values![]),
        ("update seats set token = 1", values![]),
        ("insert insert", values![]),
        ("update seats set taken = $1", values![]),
        ("update seats set taken = $1", values![1, 2]),
        ("update seats set taken = $2", values![1]),
        ("update seats set taken = 1", values![1]),
        ("delete from seats; delete from seats", values![]),
        ("select 1 as x", values![]),
        ("", values![]),
    ];
    for (sql, given) in wrong {
        let told = refused(scratch(&*model).await.execute(sql, given).await, &format!("`{sql}`"));
        assert!(told.contains(sql.split(' ').next().expect("a word")), "its first words are told: {told}");
        assert!(told.contains("roster.1.1"), "the build is told: {told}");
    }
    for (sql, given) in [
        ("select course from seatz", values![]),
        ("select curse from seats", values![]),
        ("select course from seats where taken = $1", values![]),
        ("select course from seats", values![1]),
        ("select 1; select 2", values![]),
        ("selct 1", values![]),
    ] {
        refused(model.rows(sql, given.clone()).await, &format!("`{sql}`"));
        refused(scratch(&*model).await.rows(sql, given).await, &format!("`{sql}` in a transaction"));
    }
    assert_eq!(all(&*model).await, (Vec::new(), None), "a wrong statement changes nothing");
}

async fn a_statement_does_not_reach_its_transaction(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    let statements = ["begin", "commit", "rollback", "savepoint a", "release a", "end", "COMMIT -- now"];
    for sql in statements {
        let mut tx = begun(&*model).await;
        tx.execute("insert into seats values ('a', 1, null)", Vec::new()).await.expect("a row is kept");
        refused(tx.execute(sql, Vec::new()).await, &format!("`{sql}`"));
        refused(tx.execute(sql, Vec::new()).await, &format!("`{sql}`, again"));
        drop(tx);
        refused(scratch(&*model).await.rows(sql, Vec::new()).await, &format!("`{sql}`, as a query"));
        refused(model.rows(sql, Vec::new()).await, &format!("`{sql}`, outside"));
        assert_eq!(all(&*model).await, (Vec::new(), None), "`{sql}` does not reach the transaction");
    }
}

async fn tables_and_checkpoint_are_kept_together_or_not_at_all(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    let insert = "insert into seats (course, taken) values ($1, $2)";
    let mut tx = begun(&*model).await;
    tx.execute(insert, values!["a", 1]).await.expect("a row is kept");
    tx.commit(Some(checkpoint(3))).await.expect("a transaction is kept");
    let expected = (vec![values!["a", 1]], Some(3));
    assert_eq!(all(&*model).await, expected, "tables are kept with the checkpoint");
    let mut tx = begun(&*model).await;
    tx.execute(insert, values!["b", 2]).await.expect("a row is kept");
    tx.execute("create table more (x integer)", Vec::new()).await.expect("a table is made");
    let (tell, told) = mpsc::channel();
    let reads = Arc::clone(&model);
    thread::spawn(move || {
        // Who waited for it has given up.
        let _ = tell.send(block_on(all(&*reads)));
    });
    let read = told.recv_timeout(NEVER).expect("who reads does not wait for who writes");
    assert_eq!(read, expected, "who reads sees the last commit");
    drop(tx);
    assert_eq!(all(&*model).await, expected, "nothing is kept of what is not committed");
    refused(model.rows("select x from more", Vec::new()).await, "a table that is not kept is not there");
    let mut tx = scratch(&*model).await;
    tx.execute(insert, values!["b", 2]).await.expect("a row is kept");
    assert!(tx.commit(Some(checkpoint(4))).await.is_err(), "the commit of a scratch is refused");
    assert_eq!(all(&*model).await, expected, "nothing of a scratch is kept");
}

async fn a_query_reads_and_is_bounded(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    let mut tx = begun(&*model).await;
    tx.execute("insert into seats values ('a', 1, null)", Vec::new()).await.expect("a row is kept");
    tx.commit(Some(checkpoint(3))).await.expect("a transaction is kept");
    for sql in [
        "insert into seats values ('b', 1, null)",
        "update seats set taken = 2 returning course",
        "delete from seats",
        "drop table seats",
        "create table more (x integer)",
    ] {
        refused(model.rows(sql, Vec::new()).await, &format!("a query cannot write: `{sql}`"));
    }
    assert_eq!(all(&*model).await, (vec![values!["a", 1]], Some(3)), "a query cannot write");
    let sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select i from n";
    let most = Value::from(u64::try_from(ROWS_MAX).unwrap_or(0));
    let rows = model.rows(sql, vec![most.clone()]).await.expect("so many rows are allowed").value;
    assert_eq!(rows.len(), ROWS_MAX, "so many rows are allowed");
    let more = most.as_integer().map(|most| most + 1);
    let claim = "more rows are refused";
    let told = refused(model.rows(sql, values![more]).await, claim);
    assert!(told.contains(&ROWS_MAX.to_string()), "the bound is told: {told}");
    refused(scratch(&*model).await.rows(sql, values![more]).await, claim);
}

async fn tables_are_refused_for_another_schema(models: Arc<dyn ReadModels>) {
    drop(opened(&*models).await);
    let other = Tables::Sql { schema: "create table seats (course text primary key)" };
    for other in [&other, &documents()] {
        let told = refused(models.open(&build(), other).await, "a build is refused for another schema");
        assert!(told.contains("roster.1.1") && told.contains("raise the version"), "{told}");
    }
    let found = models.find(&build()).await.expect("a build is looked for").expect("it is there");
    assert_eq!(all(&*found).await, (Vec::new(), None), "who looks for a build finds it");
    let second = Build { number: 2, ..build() };
    let wrong = Tables::Sql { schema: "create table a (x integer); create tabel b (x integer)" };
    let told = models.open(&second, &wrong).await.expect_err("a wrong schema is refused");
    assert_eq!(told.kind(), ErrorKind::FixInput, "{told}");
    assert_eq!(models.builds("roster").await, Ok(vec![build()]), "a build is made whole or not at all");
    let right = Tables::Sql { schema: "create table a (x integer)" };
    assert!(models.open(&second, &right).await.is_ok(), "a build is made whole or not at all");
    let documents = models.open(&Build { number: 3, ..build() }, &documents()).await;
    assert!(documents.is_ok(), "documents are kept beside tables");
}
