//! What is read: accounts, histories, statements, and that all of them follow from the same events.

use crate::served::{Answer, Served};
use bank::{Account, AccountId, History, Statement};
use factum::{Mode, Projection as _, View as _, block_on};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// An id that nothing has.
const NOBODY: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

fn read(bank: &Served, path: &str) -> Answer {
    let answer = bank.get(path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer
}

fn balance(bank: &Served, account: &str) -> Value {
    read(bank, &format!("/accounts/{account}")).body["balance"].clone()
}

fn statement(bank: &Served, account: &str, month: &str) -> Value {
    read(bank, &format!("/accounts/{account}/statements/{month}")).body
}

/// Opening balance, what came in, what went out, closing balance.
fn totals(statement: &Value) -> [i64; 4] {
    ["opening_balance", "credited", "debited", "closing_balance"]
        .map(|name| statement[name].as_i64().unwrap())
}

/// One field of each of these.
fn told<'a>(entries: &'a Value, field: &str) -> Vec<&'a Value> {
    entries.as_array().unwrap().iter().map(|entry| &entry[field]).collect()
}

/// Ann's account: +10 in October, -3 in November; then, late, +4 in October.
fn golden(bank: &Served) -> String {
    let account = bank.open();
    bank.deposit(&account, &json!({"amount": 10, "effective_at": "2026-10-30T12:00:00Z"}));
    let out = json!({"amount": 3, "effective_at": "2026-11-02T12:00:00Z", "reference": "rent"});
    assert_eq!(bank.withdraw(&account, &out).status, 200);
    assert_eq!(balance(bank, &account), 7);
    bank.deposit(&account, &json!({"amount": 4, "effective_at": "2026-10-31T23:59:59.999999Z"}));
    account
}

#[test]
fn an_account_is_read_with_its_revision_as_its_tag() {
    let bank = Served::start();
    let account = bank.open();
    bank.deposit(&account, &json!({"amount": 10}));
    let path = format!("/accounts/{account}");
    let answer = read(&bank, &path);
    assert_eq!(answer.body, json!({"account_id": account, "owner": "ann", "balance": 10, "revision": 1}));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(bank.get_with(&path, &[("If-None-Match", "\"1\"")]).status, 304);
    bank.deposit(&account, &json!({"amount": 1}));
    assert_eq!(bank.get_with(&path, &[("If-None-Match", "\"1\"")]).status, 200);
    let changed =
        bank.post_with(&format!("{path}/deposits"), &[("If-Match", "\"1\"")], &json!({"amount": 1}));
    assert_eq!(changed.status, 412, "the tag is that of the stream");
}

#[test]
fn what_is_not_there_is_404_and_what_is_no_id_or_month_is_400() {
    let bank = Served::start();
    let account = bank.open();
    for path in ["", "/history", "/statements/2026-11"] {
        assert_eq!(bank.get(&format!("/accounts/{NOBODY}{path}")).status, 404, "{path}");
        let answer = bank.get(&format!("/accounts/ann{path}"));
        assert_eq!((answer.status, answer.fields()), (400, vec!["id"]), "{path}");
    }
    for month in ["2026-13", "2026-1", "2026", "november", "2026-11-01", "2026-11%20"] {
        let answer = bank.get(&format!("/accounts/{account}/statements/{month}"));
        assert_eq!((answer.status, answer.fields()), (400, vec!["month"]), "{month}");
    }
    for query in ["cursor=x", "cursor=-1", "cursor=0", "cursor=%2B1", "limit=0", "sort=up"] {
        assert_eq!(bank.get(&format!("/accounts/{account}/history?{query}")).status, 400, "{query}");
    }
}

#[test]
fn s1_12_s1_13_plus_10_minus_3_is_7_and_late_plus_4_is_11() {
    let bank = Served::start();
    let account = golden(&bank);
    assert_eq!(balance(&bank, &account), 11);
    let history = read(&bank, &format!("/accounts/{account}/history")).body;
    let moved: Vec<_> = told(&history, "data").into_iter().skip(1).map(|data| &data["amount"]).collect();
    assert_eq!(moved, [10, 3, 4], "stored as they arrived");
    assert_eq!(told(&history, "revision"), [0, 1, 2, 3]);
    let months = ["2026-10", "2026-11"].map(|month| totals(&statement(&bank, &account, month)));
    assert_eq!(months, [[0, 14, 0, 14], [14, 0, 3, 11]], "the late one is in its month, and before the next");
}

#[test]
fn s1_15_every_event_is_told_whole_with_who_when_and_from_which_command() {
    let bank = Served::start();
    let account = golden(&bank);
    let sent = bank.deposit(&account, &json!({"amount": 5, "reference": "gift"}));
    let history = read(&bank, &format!("/accounts/{account}/history")).body;
    let last = &history[4];
    let event = &sent.body["events"][0];
    for field in ["id", "type", "position", "revision"] {
        assert_eq!(last[field], event[field], "{field}");
    }
    assert_eq!((&last["command_id"], &last["actor"]), (&sent.body["command_id"], &json!("demo")));
    assert_eq!(last["data"], json!({"account": account, "amount": 5, "reference": "gift"}));
    assert_eq!(last["effective_at"], last["recorded_at"], "where nothing else was said");
    assert_eq!(history[3]["effective_at"], "2026-10-31T23:59:59.999999Z");
    let types = ["account-opened", "deposited", "withdrawn", "deposited", "deposited"];
    assert_eq!(
        told(&history, "type"),
        types.map(|name| json!(format!("bank.{name}"))).iter().collect::<Vec<_>>()
    );
    let names: Vec<_> = last.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["actor", "command_id", "data", "effective_at", "id", "position", "recorded_at", "revision", "type"];
    assert_eq!(names, expected);
}

#[test]
fn a_history_is_read_page_by_page_to_its_end() {
    let bank = Served::start();
    let account = bank.open();
    for _ in 0..204 {
        bank.deposit(&account, &json!({"amount": 1}));
    }
    let mut path = Some(format!("/accounts/{account}/history"));
    let (mut revisions, mut pages) = (Vec::new(), Vec::new());
    while let Some(next) = path {
        let page = read(&bank, &next);
        pages.push(page.body.as_array().unwrap().len());
        revisions.extend(told(&page.body, "revision").into_iter().map(|revision| revision.as_u64().unwrap()));
        let link = page.header("link").map(|link| {
            let (path, rel) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!(rel, r#"; rel="next""#);
            path.to_owned()
        });
        path = link;
    }
    assert_eq!(pages, [100, 100, 5]);
    assert_eq!(revisions, (0..205).collect::<Vec<_>>());
}

#[test]
fn s4_21_a_statement_is_opening_balance_entries_totals_and_closing_balance() {
    let bank = Served::start();
    let (account, other) = (golden(&bank), bank.open());
    let november = statement(&bank, &account, "2026-11");
    assert_eq!((&november["account_id"], &november["month"]), (&json!(account), &json!("2026-11")));
    assert_eq!(totals(&november), [14, 0, 3, 11]);
    assert_eq!(november["entry_count"], 1);
    let entry = &november["entries"][0];
    assert_eq!((&entry["amount"], &entry["reference"]), (&json!(-3), &json!("rent")));
    assert_eq!(entry["effective_at"], "2026-11-02T12:00:00.000000Z");
    let october = statement(&bank, &account, "2026-10");
    assert_eq!(told(&october["entries"], "amount"), [10, 4], "in the order in which they were true");
    for (month, stands) in [("2026-09", 0), ("1900-01", 0), ("9999-12", 11)] {
        let still = statement(&bank, &account, month);
        assert_eq!(totals(&still), [stands, 0, 0, stands], "{month}");
        assert_eq!((&still["entries"], &still["entry_count"]), (&json!([]), &json!(0)), "{month}");
    }
    assert_eq!(totals(&statement(&bank, &other, "2026-11")), [0; 4], "an account without any money");
}

#[test]
fn s4_21_a_late_event_is_in_its_month_and_later_months_begin_with_it() {
    let bank = Served::start();
    let account = bank.open();
    let deposit =
        |amount: u64, at: &str| bank.deposit(&account, &json!({"amount": amount, "effective_at": at}));
    for (amount, at) in
        [(100, "2026-03-05T00:00:00Z"), (10, "2026-01-31T23:59:59Z"), (1, "2025-12-31T23:00:00-01:00")]
    {
        deposit(amount, at);
    }
    let months = ["2025-12", "2026-01", "2026-02", "2026-03"];
    let balances = || {
        months.map(|month| {
            let [opening, _, _, closing] = totals(&statement(&bank, &account, month));
            (opening, closing)
        })
    };
    assert_eq!(balances(), [(0, 0), (0, 11), (11, 11), (11, 111)], "a month is one of UTC");
    deposit(1000, "2025-12-24T18:00:00Z");
    assert_eq!(balances(), [(0, 1000), (1000, 1011), (1011, 1011), (1011, 1111)]);
    assert_eq!(balance(&bank, &account), 1111, "and the balance is of the same events");
}

#[test]
fn s4_21_a_transfer_is_in_the_statements_of_both() {
    let bank = Served::start();
    let (from, to) = (bank.open(), bank.open());
    bank.deposit(&from, &json!({"amount": 10}));
    let sent = bank.transfer(&from, &to, 4);
    let history = read(&bank, &format!("/accounts/{to}/history")).body;
    let month = &history[1]["effective_at"].as_str().unwrap()[..7];
    let entry = |account: &str, nth: usize| {
        let entry = &statement(&bank, account, month)["entries"][nth];
        (entry["amount"].as_i64().unwrap(), entry["counterparty"].as_str().unwrap().to_owned())
    };
    assert_eq!((entry(&from, 1), entry(&to, 0)), ((-4, to.clone()), (4, from.clone())));
    assert_eq!([balance(&bank, &from), balance(&bank, &to)], [6, 4]);
    assert_eq!(history[1]["data"]["transfer"], sent.body["transfer_id"]);
}

#[test]
fn who_was_answered_that_money_moved_sees_it_wherever_it_is_read() {
    let bank = Served::start();
    for name in [History::NAME, Statement::NAME] {
        assert_eq!(block_on(bank.app.projections().status(name)).unwrap().mode, Mode::Wait, "{name}");
    }
    let account = bank.open();
    for nth in 1..=50_usize {
        let month = "2026-10-01T00:00:00Z";
        bank.deposit(&account, &json!({"amount": 2, "effective_at": month}));
        assert_eq!(statement(&bank, &account, "2026-10")["entry_count"], nth);
        let history = read(&bank, &format!("/accounts/{account}/history")).body;
        assert_eq!(history.as_array().unwrap().len(), nth + 1);
        assert_eq!(balance(&bank, &account), 2 * nth);
    }
}

#[test]
fn a_balance_is_that_of_now_also_while_its_read_model_is_not_kept_up() {
    let bank = Served::start();
    let account = bank.open();
    block_on(bank.app.projections().pause(Account::NAME)).unwrap();
    bank.deposit(&account, &json!({"amount": 5}));
    let other = bank.open();
    bank.transfer(&account, &other, 2);
    assert_eq!([balance(&bank, &account), balance(&bank, &other)], [3, 2]);
}

#[test]
fn a_reader_is_told_where_an_answer_holds_and_whether_it_shows_what_they_saw() {
    let bank = Served::start();
    let account = bank.open();
    let paths = ["", "/history", "/statements/2026-10"].map(|path| format!("/accounts/{account}{path}"));
    for name in [History::NAME, Statement::NAME] {
        block_on(bank.app.projections().pause(name)).unwrap();
    }
    let seen = bank.deposit(&account, &json!({"amount": 5}));
    let since = seen.header("factum-position").unwrap();
    let told = |path: &String| {
        let answer = bank.get_with(path, &[("Factum-Position", since)]);
        (
            answer.status,
            answer.header("factum-stale").is_some(),
            answer.header("factum-position") == Some(since),
        )
    };
    assert_eq!(paths.each_ref().map(told), [(200, false, true), (200, true, false), (200, true, false)]);
    for name in [History::NAME, Statement::NAME] {
        block_on(bank.app.projections().resume(name)).unwrap();
    }
    assert_eq!(paths.each_ref().map(told), [(200, false, true); 3], "it is waited for");
    for path in &paths[1..] {
        let answer = bank.get_with(path, &[("Factum-Position", since), ("Prefer", "wait=5")]);
        assert_eq!(answer.header("preference-applied"), Some("wait=5"), "{path}");
    }
    for path in &paths {
        assert_eq!(
            bank.get_with(path, &[("Factum-Position", "seven")]).fields(),
            ["Factum-Position"],
            "{path}"
        );
    }
}

#[test]
fn what_is_not_shown_yet_is_neither_404_nor_passed_off_as_all_there_is() {
    let bank = Served::start();
    let (moved, untouched) = (bank.open(), bank.open());
    bank.deposit(&moved, &json!({"amount": 5, "effective_at": "2026-10-01T00:00:00Z"}));
    let projections = bank.app.projections();
    for name in [History::NAME, Statement::NAME] {
        block_on(projections.pause(name)).unwrap();
        block_on(projections.reset(name)).unwrap();
    }
    let told = |account: &str, of: &str| {
        let answer = bank.get(&format!("/accounts/{account}/{of}"));
        let later = answer.header("retry-after").is_some();
        assert_eq!(
            (answer.body["type"] == "urn:factum:problem:behind", later),
            (answer.status == 503, later)
        );
        (answer.status, later, answer.header("factum-stale").is_some())
    };
    let (history, late, statement) = ("history", "history?cursor=1", "statements/2026-10");
    let (whole, behind, stale) = ((200, false, false), (503, true, false), (200, false, true));
    assert_eq!([history, late, statement].map(|of| told(&moved, of)), [behind, behind, stale]);
    assert_eq!(told(&moved, "history?cursor=2"), whole, "there is no such revision");
    assert_eq!([history, statement].map(|of| told(&untouched, of)), [behind, whole]);
    assert_eq!([history, statement].map(|of| told(NOBODY, of)), [(404, false, false); 2]);
    for name in [History::NAME, Statement::NAME] {
        block_on(projections.resume(name)).unwrap();
        assert!(block_on(projections.caught_up(name, Duration::from_secs(60))).unwrap(), "{name}");
    }
    assert_eq!([history, late, statement].map(|of| told(&moved, of)), [whole; 3]);
}

#[test]
fn a_statement_adds_up_while_one_of_its_read_models_is_behind() {
    let bank = Served::start();
    let account = bank.open();
    let deposit = |amount: u64| {
        bank.deposit(&account, &json!({"amount": amount, "effective_at": "2026-10-01T00:00:00Z"}));
        let statement = statement(&bank, &account, "2026-10");
        let amounts: Vec<_> = told(&statement["entries"], "amount").into_iter().cloned().collect();
        (statement["closing_balance"].clone(), amounts)
    };
    assert_eq!(deposit(1), (json!(1), vec![json!(1)]));
    block_on(bank.app.projections().pause(History::NAME)).unwrap();
    assert_eq!(deposit(2), (json!(3), vec![json!(1), json!(2)]), "the rows are behind the totals");
    block_on(bank.app.projections().resume(History::NAME)).unwrap();
    block_on(bank.app.projections().pause(Statement::NAME)).unwrap();
    assert_eq!(deposit(4), (json!(3), vec![json!(1), json!(2)]), "the totals are behind the rows");
    block_on(bank.app.projections().resume(Statement::NAME)).unwrap();
    assert_eq!(deposit(8), (json!(15), [1, 2, 4, 8].map(Value::from).into()));
}

/// All that can be read of these accounts, byte for byte.
fn all(bank: &Served, accounts: &[String]) -> Vec<String> {
    let months = ["2026-09", "2026-10", "2026-11", "2026-12"];
    let mut paths = Vec::new();
    for account in accounts {
        let account = format!("/accounts/{account}");
        paths.extend(months.map(|month| format!("{account}/statements/{month}")));
        paths.extend([format!("{account}/history"), account]);
    }
    paths.iter().map(|path| read(bank, path).text).collect()
}

#[test]
fn every_read_model_dropped_and_made_again_answers_the_same_to_the_byte() {
    let bank = Served::start();
    let accounts = [golden(&bank), golden(&bank), bank.open()];
    bank.transfer(&accounts[0], &accounts[2], 5);
    let before = all(&bank, &accounts);
    let projections = bank.app.projections();
    let key: AccountId = accounts[0].parse().unwrap();
    let kept = || block_on(bank.app.documents::<Account>().get(&key)).unwrap().document;
    assert!(block_on(projections.caught_up(Account::NAME, Duration::from_secs(60))).unwrap());
    let kept_before = kept();
    assert!(kept_before.is_some());
    for name in [Account::NAME, History::NAME, Statement::NAME] {
        block_on(projections.reset(name)).unwrap();
        assert!(block_on(projections.caught_up(name, Duration::from_secs(60))).unwrap(), "{name}");
        assert_eq!(all(&bank, &accounts), before, "{name} reset");
        let build = || block_on(projections.status(name)).unwrap().build;
        let old = build();
        block_on(projections.rebuild(name)).unwrap();
        while build() == old {
            assert_eq!(all(&bank, &accounts), before, "{name} while it is rebuilt");
        }
        assert_eq!(all(&bank, &accounts), before, "{name} rebuilt");
        let key = match name {
            Statement::NAME => format!("{}/2026-10", accounts[0]),
            _ => accounts[0].clone(),
        };
        assert!(block_on(projections.rebuild_key(name, &key)).unwrap() > 0, "{name}");
        assert_eq!(all(&bank, &accounts), before, "{key} of {name} rebuilt");
        assert_eq!(kept(), kept_before, "as it is kept, with nothing folded on the way");
    }
}

#[test]
fn a_statement_adds_up_also_while_money_moves() {
    let bank = Served::start();
    let account = bank.open();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for nth in 0..2_u64 {
            let (bank, account, done) = (&bank, &account, &done);
            scope.spawn(move || {
                for request in 0..60 {
                    let at = format!("2026-{:02}-11T00:00:00Z", 1 + (request + nth) % 3);
                    bank.deposit(account, &json!({"amount": 1 + request, "effective_at": at}));
                }
                done.store(true, Ordering::Relaxed);
            });
        }
        while !done.load(Ordering::Relaxed) {
            let statement = statement(&bank, &account, "2026-02");
            let [opening, credited, debited, closing] = totals(&statement);
            let amounts =
                told(&statement["entries"], "amount").into_iter().map(|amount| amount.as_i64().unwrap());
            assert_eq!(amounts.sum::<i64>(), credited - debited, "{statement}");
            assert_eq!(opening + credited - debited, closing);
        }
    });
}
