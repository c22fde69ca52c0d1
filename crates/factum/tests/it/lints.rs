//! Lints that a user's crate may deny: derived code breaks none of them.
#![deny(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unnameable_types,
    unused,
    unused_qualifications,
    unused_lifetimes,
    unused_results,
    single_use_lifetimes,
    rust_2018_idioms,
    private_interfaces,
    private_bounds,
    let_underscore_drop,
    non_local_definitions,
    trivial_casts,
    unsafe_code,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::absolute_paths,
    clippy::missing_trait_methods,
    clippy::pattern_type_mismatch,
    clippy::question_mark_used,
    clippy::shadow_reuse,
    clippy::min_ident_chars,
    clippy::allow_attributes_without_reason
)]

/// The domain of such a crate.
#[allow(
    clippy::missing_trait_methods,
    clippy::pattern_type_mismatch,
    reason = "said of the user's own lines"
)]
pub mod domain {
    use factum::prelude::*;

    /// An account.
    #[derive(Id)]
    pub struct AccountId(u64);

    /// What happens to accounts.
    #[derive(Event, Debug, Clone, PartialEq)]
    #[event(context = "bank", stream = account, tags(account))]
    pub enum BankEvent {
        /// Money in.
        Deposited {
            /// Whose.
            account: AccountId,
            /// How much.
            cents: u64,
        },
        /// Money out.
        #[event(version = 2, upcast(withdrawn_from_1))]
        Withdrawn {
            /// Whose.
            account: AccountId,
            /// How much.
            cents: u64,
        },
        /// A day over.
        DayEnded,
    }
    fn withdrawn_from_1(account: AccountId) -> BankEvent {
        BankEvent::Withdrawn { account, cents: 1 }
    }

    /// A sum.
    #[derive(Default, Debug, Clone)]
    pub struct Balance(u64);
    #[model]
    impl Model for Balance {
        type Scope = Stream<AccountId>;
        fn apply(&mut self, event: BankEvent) {
            match event {
                BankEvent::Deposited { cents, .. } => self.0 += cents,
                BankEvent::Withdrawn { cents, .. } => self.0 -= cents,
            }
        }
    }

    /// Whether anything came in.
    #[derive(Default, Debug, Clone)]
    pub struct Used(bool);
    #[model]
    #[rustfmt::skip]
    impl Model for Used {
        type Scope = Stream<AccountId>;
        fn apply(&mut self, event: BankEvent) { match event { BankEvent::Deposited { .. } => self.0 = true } }
    }

    /// Money out.
    #[derive(Subset, Debug)]
    #[subset(of = BankEvent)]
    pub enum Out {
        /// Money out.
        Withdrawn {
            /// When.
            #[meta]
            recorded_at: Timestamp,
        },
    }

    /// Takes money out.
    #[derive(Command, Debug, Clone, Copy)]
    #[command(name = "bank.withdraw")]
    pub struct Withdraw {
        /// Whose.
        pub account: AccountId,
        /// How much.
        pub cents: u64,
    }
    impl Decide for Withdraw {
        type Event = BankEvent;
        type Models = Balance;
        type Rejection = Overdrawn;
        fn keys(&self) -> Keys<Self> {
            self.account
        }
        fn decide(&self, balance: &Balance, _: &Context) -> Decision<Self> {
            ensure!(self.cents <= balance.0, Overdrawn::Overdrawn);
            emit(BankEvent::Withdrawn { account: self.account, cents: self.cents })
        }
    }

    /// Why not.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Reject)]
    pub enum Overdrawn {
        /// Too little there.
        #[error("too little there")]
        Overdrawn,
    }
}

#[test]
fn a_strict_crate_compiles_and_decides() {
    use domain::{AccountId, Overdrawn, Withdraw};
    let account = AccountId::from(1);
    factum::given_nothing().when(Withdraw { account, cents: 1 }).then_rejected(Overdrawn::Overdrawn);
}
