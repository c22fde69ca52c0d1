//! A bank: open accounts, put money in, take it out, send it from one to another, read a statement for a month.
//! Every change is an event in the stream of its account; a transfer is one in each of two, of one commit.
//!
//! Read it in this order: [`event`], [`amount`], [`funds`], a file for each thing that can be asked, from
//! [`open_account`] on, then what is read, [`account`], [`history`] and [`statement`], and [`http`].

pub mod account;
pub mod amount;
mod bodies;
pub mod change;
pub mod deposit;
pub mod effective;
pub mod event;
pub mod funds;
pub mod history;
pub mod http;
pub mod open_account;
pub mod statement;
#[cfg(test)]
mod testing;
pub mod texts;
pub mod transfer;
pub mod withdraw;

pub use account::Account;
pub use amount::{AMOUNT_MAX, Amount};
pub use deposit::Deposit;
pub use event::{AccountId, BankEvent, TransferId};
pub use funds::Funds;
pub use history::History;
pub use http::service;
pub use open_account::OpenAccount;
pub use statement::Statement;
pub use texts::{Owner, Reference};
pub use transfer::Transfer;
pub use withdraw::Withdraw;

use factum::{Backend, Builder};

/// The commands that the bank decides.
pub type Commands = (OpenAccount, Deposit, Withdraw, Transfer);

// ANCHOR: setup
/// The bank on any backend: what it decides, and what it keeps to be read.
pub fn setup<B: Backend>(app: Builder<B>) -> Builder<B> {
    app.commands::<Commands>().view::<Account>().view::<Statement>().project(History)
}
// ANCHOR_END: setup
