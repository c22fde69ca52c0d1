//! What commands are answered, status by status.

use crate::served::Served;
use serde_json::{Value, json};

/// An id that nothing has.
const NOBODY: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

#[test]
fn an_account_is_created_and_found_where_the_answer_says() {
    let bank = Served::start();
    let opened = bank.post("/accounts", &json!({"owner": "ann", "effective_at": "2026-01-02T03:04:05Z"}));
    assert_eq!(opened.status, 201, "{opened:?}");
    let account = opened.body["account_id"].as_str().unwrap();
    assert_eq!(opened.header("location"), Some(&*format!("/accounts/{account}")));
    assert_eq!(opened.events("type"), [&json!("bank.account-opened")]);
    assert_eq!(opened.body["status"], "succeeded");
}

#[test]
fn s1_12_money_comes_in_and_goes_out_and_the_answer_is_the_outcome() {
    let bank = Served::start();
    let account = bank.open();
    let deposited = bank.deposit(&account, &json!({"amount": 10, "reference": "rent"}));
    assert_eq!(
        (&deposited.body["account_id"], deposited.events("type")),
        (&json!(account), vec![&json!("bank.deposited")])
    );
    let withdrawn = bank.withdraw(&account, &json!({"amount": 3}));
    assert_eq!((withdrawn.status, withdrawn.events("revision")), (200, vec![&json!(2)]));
    assert_eq!(withdrawn.body["status"], "succeeded", "no answer is 202");
}

#[test]
fn s4_21_an_overdraft_is_refused_with_balance_and_amount() {
    let bank = Served::start();
    let account = bank.open();
    bank.deposit(&account, &json!({"amount": 7}));
    let refused = bank.withdraw(&account, &json!({"amount": 8}));
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("insufficient-funds")));
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("is 7") && detail.contains("less than 8"), "{detail}");
    assert_eq!(bank.withdraw(&account, &json!({"amount": 7})).status, 200);
}

#[test]
fn s4_21_a_transfer_is_one_commit_over_two_streams() {
    let bank = Served::start();
    let (from, to) = (bank.open(), bank.open());
    bank.deposit(&from, &json!({"amount": 10}));
    let sent = bank.transfer(&from, &to, 4);
    assert_eq!(sent.status, 200, "{sent:?}");
    assert!(sent.body["transfer_id"].is_string());
    assert_eq!(sent.events("type"), [&json!("bank.transferred-out"), &json!("bank.transferred-in")]);
    let streams = [&from, &to].map(|account| json!(format!("account-{account}")));
    assert_eq!(sent.events("stream"), streams.iter().collect::<Vec<_>>());
    let positions: Vec<_> = sent.events("position").into_iter().map(|at| at.as_u64().unwrap()).collect();
    assert_eq!(positions[1], positions[0] + 1);
}

#[test]
fn a_transfer_that_cannot_be_is_refused_and_nothing_of_it_happens() {
    let bank = Served::start();
    let (from, to) = (bank.open(), bank.open());
    bank.deposit(&from, &json!({"amount": 10}));
    let told = |from: &str, to: &str, amount: u64| {
        let answer = bank.transfer(from, to, amount);
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(told(&from, &to, 11), (409, "insufficient-funds".to_owned()));
    assert_eq!(told(&from, NOBODY, 1), (404, "no-such-account".to_owned()));
    assert_eq!(told(NOBODY, &to, 1), (404, "no-such-account".to_owned()));
    let same = bank.transfer(&from, &from, 1);
    assert_eq!((same.status, same.fields()), (400, vec!["to"]));
    let missing = bank.transfer(&from, NOBODY, 1);
    assert!(missing.body["detail"].as_str().unwrap().contains(NOBODY), "it names the one that is missing");
    // All that is there is still there.
    assert_eq!(bank.withdraw(&from, &json!({"amount": 10})).status, 200);
    assert_eq!(bank.withdraw(&to, &json!({"amount": 1})).status, 409);
}

#[test]
fn an_account_that_is_not_there_is_404_for_every_command_on_it() {
    let bank = Served::start();
    for path in ["deposits", "withdrawals"] {
        let answer = bank.post(&format!("/accounts/{NOBODY}/{path}"), &json!({"amount": 1}));
        assert_eq!((answer.status, &answer.body["code"]), (404, &json!("no-such-account")), "{path}");
        let answer = bank.post(&format!("/accounts/ann/{path}"), &json!({"amount": 1}));
        assert_eq!((answer.status, answer.fields()), (400, vec!["id"]), "{path}");
    }
}

#[test]
fn a_field_that_is_wrong_is_named_and_nothing_is_stored() {
    let bank = Served::start();
    let account = bank.open();
    let head = bank.get("/events").body["items"].as_array().unwrap().len();
    let movement = |field: &str, value: Value| {
        let mut body = json!({"amount": 1});
        body[field] = value;
        body
    };
    let later = "2999-01-01T00:00:00Z";
    for (field, body) in [
        ("amount", json!({})),
        ("amount", movement("amount", 0.into())),
        ("amount", movement("amount", (-1).into())),
        ("amount", movement("amount", 1.5.into())),
        ("amount", movement("amount", "1".into())),
        ("amount", movement("amount", 9_007_199_254_740_992_u64.into())),
        ("amount", movement("amount", u64::MAX.into())),
        ("effective_at", movement("effective_at", later.into())),
        ("effective_at", movement("effective_at", "1899-12-31T23:59:59Z".into())),
        ("effective_at", movement("effective_at", "yesterday".into())),
        ("effective_at", movement("effective_at", "-5us".into())),
        ("effective_at", movement("effective_at", 1.into())),
        ("reference", movement("reference", "x".repeat(256).into())),
        ("reference", movement("reference", 1.into())),
        ("currency", movement("currency", "EUR".into())),
    ] {
        for path in ["deposits", "withdrawals"] {
            let answer = bank.post(&format!("/accounts/{account}/{path}"), &body);
            assert_eq!((answer.status, answer.fields()), (400, vec![field]), "{body}: {answer:?}");
        }
    }
    for (field, body) in [
        ("owner", json!({})),
        ("owner", json!({"owner": " "})),
        ("owner", json!({"owner": "x".repeat(256)})),
        ("effective_at", json!({"owner": "ann", "effective_at": later})),
        ("balance", json!({"owner": "ann", "balance": 5})),
    ] {
        let answer = bank.post("/accounts", &body);
        assert_eq!((answer.status, answer.fields()), (400, vec![field]), "{body}: {answer:?}");
    }
    let transfer = json!({"from": account, "to": NOBODY, "amount": 1, "reference": "x"});
    assert_eq!(bank.post("/transfers", &transfer).fields(), ["reference"]);
    assert_eq!(bank.get("/events").body["items"].as_array().unwrap().len(), head);
}

#[test]
fn what_breaks_a_rule_is_rejected_also_past_the_forms() {
    let bank = Served::start();
    let account = bank.open();
    let send = |action: &str, data: Value| {
        let body = json!({"action": action, "data": data});
        let answer = bank.post_with("/commands", &[("Prefer", "wait=60")], &body);
        (answer.status, answer.body["code"].as_str().map(str::to_owned))
    };
    let same = json!({"transfer": NOBODY, "from": account, "to": account, "amount": 1});
    assert_eq!(send("bank.transfer", same), (400, Some("same-account".to_owned())));
    let later = json!({"account": account, "amount": 1, "effective_at": "2999-01-01T00:00:00Z"});
    assert_eq!(send("bank.deposit", later), (400, Some("effective-later".to_owned())));
    assert_eq!(send("bank.deposit", json!({"account": account, "amount": 0})), (400, None));
    assert_eq!(send("bank.deposit", json!({"account": account, "amount": 1})), (200, None));
}

#[test]
fn the_same_key_twice_moves_money_once() {
    let bank = Served::start();
    let (from, to) = (bank.open(), bank.open());
    let deposits = format!("/accounts/{from}/deposits");
    let key = |key: &'static str| [("Idempotency-Key", key)];
    let first = bank.post_with(&deposits, &key("d1"), &json!({"amount": 10}));
    let again = bank.post_with(&deposits, &key("d1"), &json!({"amount": 10}));
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(bank.post_with(&deposits, &key("d1"), &json!({"amount": 11})).status, 422);
    let transfer = json!({"from": from, "to": to, "amount": 4});
    let [first, again] = [(); 2].map(|()| bank.post_with("/transfers", &key("t1"), &transfer));
    assert_eq!((first.status, &first.text), (200, &again.text), "with the same transfer_id");
    let opened = || bank.post_with("/accounts", &key("a1"), &json!({"owner": "bob"}));
    assert_eq!(opened().body["account_id"], opened().body["account_id"]);
    assert_eq!(bank.withdraw(&from, &json!({"amount": 7})).status, 409, "6 are left, not 2 nor 16");
    assert_eq!(bank.withdraw(&from, &json!({"amount": 6})).status, 200);
    assert_eq!(bank.withdraw(&to, &json!({"amount": 4})).status, 200);
}

#[test]
fn a_change_may_hang_on_what_was_read() {
    let bank = Served::start();
    let account = bank.open();
    let deposits = format!("/accounts/{account}/deposits");
    let body = json!({"amount": 1});
    assert_eq!(bank.post_with(&deposits, &[("If-Match", "\"0\"")], &body).status, 200);
    assert_eq!(bank.post_with(&deposits, &[("If-Match", "\"0\"")], &body).status, 412);
}
