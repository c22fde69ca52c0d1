//! The bank over HTTP: `/accounts` and `/transfers`. What is asked is decided before its sender is answered.

mod read;

use crate::{
    AccountId, Deposit, OpenAccount, Transfer, TransferId, Withdraw, account,
    bodies::{Movement, NewAccount, NewTransfer},
    effective, history, statement,
};
use axum::{extract::State, response::Response};
use factum::{App, Timestamp};
use factum_http::{
    Body, Incoming, PathId, Permissions, Problem, ProblemType, Role, Routes, Service, get, post,
};

/// The bank, over `app`.
pub fn service(app: App) -> Service {
    let which = "The account that was meant.";
    let open = post(open)
        .about("Opens an account")
        .mints::<AccountId>("account_id", which)
        .creates("/accounts/{account_id}");
    let deposit = post(deposit).about("Puts money in").mints::<AccountId>("account_id", which);
    let withdraw = post(withdraw).about("Takes money out").mints::<AccountId>("account_id", which);
    let transfer = post(transfer)
        .about("Sends money from one account to another, whole or not at all")
        .mints::<TransferId>("transfer_id", "The transfer.");
    let account = get(read::account).about("Reads an account").answers::<account::Representation>();
    let history = get(read::history)
        .about("Reads what happened to an account, page by page")
        .answers::<Vec<history::Entry<'_>>>();
    let statement = get(read::statement)
        .about("Reads the statement of a month, by when money moved")
        .answers::<statement::Representation<'_>>();
    let routes = Routes::new()
        .command::<OpenAccount>("/accounts", open)
        .command::<Deposit>("/accounts/{id}/deposits", deposit)
        .command::<Withdraw>("/accounts/{id}/withdrawals", withdraw)
        .command::<Transfer>("/transfers", transfer)
        .query("bank.read-account", "/accounts/{id}", account)
        .query("bank.read-history", "/accounts/{id}/history", history)
        .query("bank.read-statement", "/accounts/{id}/statements/{month}", statement)
        .with_state(app.clone());
    let permissions = Permissions::new()
        .commands_in("bank", [Role::WRITER])
        .queries_in("bank", [Role::READER, Role::WRITER]);
    Service {
        name: "bank",
        about: "open accounts, move money, read a statement for a month",
        app,
        routes,
        permissions,
        hints: &HINTS,
    }
}

const HINTS: [&str; 3] = [
    r#"account=$(curl -s -d '{"owner": "Ann Archer"}' -H 'Content-Type: application/json' {url}/accounts | sed 's/.*"account_id":"\([^"]*\).*/\1/')"#,
    r#"curl -i -d '{"amount": 1000}' -H 'Content-Type: application/json' {url}/accounts/$account/deposits"#,
    "curl -s {url}/accounts/$account",
];

async fn open(
    State(app): State<App>,
    incoming: Incoming,
    Body(NewAccount { owner, effective_at }): Body<NewAccount>,
) -> Result<Response, Problem> {
    check(&app, effective_at)?;
    let account: AccountId = incoming.fresh_id();
    let created = format!("/accounts/{account}");
    let command = OpenAccount { account, owner, effective_at };
    incoming.execute(&app, command).minted("account_id", account).created_at(created).await
}

async fn deposit(
    State(app): State<App>,
    PathId(account): PathId<AccountId>,
    incoming: Incoming,
    Body(Movement { amount, effective_at, reference }): Body<Movement>,
) -> Result<Response, Problem> {
    check(&app, effective_at)?;
    let command = Deposit { account, amount, reference, effective_at };
    incoming.execute(&app, command).minted("account_id", account).await
}

async fn withdraw(
    State(app): State<App>,
    PathId(account): PathId<AccountId>,
    incoming: Incoming,
    Body(Movement { amount, effective_at, reference }): Body<Movement>,
) -> Result<Response, Problem> {
    check(&app, effective_at)?;
    let command = Withdraw { account, amount, reference, effective_at };
    incoming.execute(&app, command).minted("account_id", account).await
}

// ANCHOR: transfer
async fn transfer(
    State(app): State<App>,
    incoming: Incoming,
    Body(NewTransfer { from, to, amount }): Body<NewTransfer>,
) -> Result<Response, Problem> {
    let transfer: TransferId = incoming.fresh_id();
    let command = Transfer { transfer, from, to, amount };
    command.check().map_err(|same| field("to", &same.to_string()))?;
    incoming.execute(&app, command).minted("transfer_id", transfer).await
}
// ANCHOR_END: transfer

/// Whether something can have become true then.
fn check(app: &App, effective_at: Option<Timestamp>) -> Result<(), Problem> {
    effective::check(effective_at, app.now()).map_err(|not_then| field("effective_at", &not_then.to_string()))
}

fn field(name: &str, message: &str) -> Problem {
    Problem::new(ProblemType::Shape, format!("the field `{name}` {message}")).field(name, message)
}
