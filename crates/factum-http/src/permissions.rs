//! Which roles may do what, for one service. What no rule allows is denied to all but `admin`, and for
//! queries `operator`. Pure: where a rule is applied is [`crate::Routes`]' matter.

use crate::{Caller, Role};
use factum::Command;
use std::collections::{BTreeMap, BTreeSet};

/// Something a caller may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// Send the command of this stored name.
    Command(&'static str),
    /// Ask the query of this name.
    Query(&'static str),
    /// Do what this names, which no rule allows to others.
    Administer(&'static str),
}

impl Action {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Command(name) | Self::Query(name) | Self::Administer(name) => name,
        }
    }

    /// The same for all of its context, which is what its name says before the last dot.
    fn context(self) -> Option<Self> {
        let (context, _) = self.name().rsplit_once('.')?;
        Some(match self {
            Self::Command(_) => Self::Command(context),
            Self::Query(_) => Self::Query(context),
            Self::Administer(_) => return None,
        })
    }
}

/// The rules of one service.
///
/// A rule for one command or query stands alone; without one, that of its context holds. The context is
/// what a name says before its last dot: it stands for the type of aggregate. Rules for the same thing add up.
///
/// ```
/// use factum_http::{Permissions, Role};
/// let auditors = Role::named("auditor");
/// Permissions::new()
///     .commands_in("calculator", [Role::WRITER])
///     .queries_in("calculator", [Role::READER, Role::WRITER])
///     .query("calculator.history", [auditors]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    one: Rules,
    context: Rules,
}

type Rules = BTreeMap<Action, BTreeSet<Role>>;

impl Permissions {
    /// No rule: everything is left to `admin`, and queries to `operator` as well.
    pub fn new() -> Self {
        Self::default()
    }

    /// These roles may send the command `C`.
    #[must_use]
    pub fn command<C: Command>(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.one.entry(Action::Command(C::NAME)).or_default().extend(roles);
        self
    }

    /// These roles may ask the query `name`.
    #[must_use]
    pub fn query(mut self, name: &'static str, roles: impl IntoIterator<Item = Role>) -> Self {
        self.one.entry(Action::Query(name)).or_default().extend(roles);
        self
    }

    /// These roles may send the commands of `context` that have no rule of their own.
    #[must_use]
    pub fn commands_in(mut self, context: &'static str, roles: impl IntoIterator<Item = Role>) -> Self {
        self.context.entry(Action::Command(context)).or_default().extend(roles);
        self
    }

    /// These roles may ask the queries of `context` that have no rule of their own.
    #[must_use]
    pub fn queries_in(mut self, context: &'static str, roles: impl IntoIterator<Item = Role>) -> Self {
        self.context.entry(Action::Query(context)).or_default().extend(roles);
        self
    }

    /// Every role that may do `action`.
    pub(crate) fn roles(&self, action: Action) -> BTreeSet<Role> {
        let of_context = || action.context().and_then(|context| self.context.get(&context));
        let mut roles = self.one.get(&action).or_else(of_context).cloned().unwrap_or_default();
        roles.insert(Role::ADMIN);
        if let Action::Query(_) = action {
            roles.insert(Role::OPERATOR);
        }
        roles
    }

    /// Whether `caller` may do `action`.
    ///
    /// # Errors
    /// When none of their roles allows it: the roles that do.
    pub(crate) fn check(&self, caller: &Caller, action: Action) -> Result<(), BTreeSet<Role>> {
        let roles = self.roles(action);
        if roles.iter().any(|role| caller.has(role)) { Ok(()) } else { Err(roles) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Command, Query};

    fn names(permissions: &Permissions, action: Action) -> String {
        permissions.roles(action).iter().map(Role::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_for_administrators_no_rule_allows_to_others() {
        let all = Permissions::new().queries_in("factum", [Role::READER]).query("factum.x", [Role::READER]);
        assert_eq!(names(&all, Action::Administer("factum.x")), "admin");
    }

    #[test]
    fn what_no_rule_allows_is_left_to_admin_and_queries_to_operator() {
        let none = Permissions::new();
        assert_eq!(names(&none, Command("bank.withdraw")), "admin");
        assert_eq!(names(&none, Query("bank.balance")), "admin operator");
        assert_eq!(names(&none, Query("balance")), "admin operator");
    }

    #[test]
    fn a_rule_allows_what_it_names_and_nothing_beside() {
        let permissions = Permissions::new().query("bank.balance", [Role::READER]);
        assert_eq!(names(&permissions, Query("bank.balance")), "admin operator reader");
        assert_eq!(names(&permissions, Query("bank.balances")), "admin operator");
        assert_eq!(names(&permissions, Command("bank.balance")), "admin", "a query is no command");
    }

    #[test]
    fn a_context_covers_its_own_names_only() {
        let permissions = Permissions::new().commands_in("bank", [Role::WRITER]);
        assert_eq!(names(&permissions, Command("bank.withdraw")), "admin writer");
        for name in ["banker.withdraw", "bank", "other.bank", "bank.loans.grant"] {
            assert_eq!(names(&permissions, Command(name)), "admin", "{name}");
        }
        assert_eq!(names(&permissions, Query("bank.balance")), "admin operator");
    }

    #[test]
    fn a_rule_of_its_own_stands_instead_of_the_context_s() {
        let teller = Role::named("teller");
        let permissions =
            Permissions::new().queries_in("bank", [Role::READER]).query("bank.vault", [teller.clone()]);
        assert_eq!(names(&permissions, Query("bank.vault")), "admin operator teller");
        assert_eq!(names(&permissions, Query("bank.balance")), "admin operator reader");
        let closed = Permissions::new().queries_in("bank", [Role::READER]).query("bank.vault", []);
        assert_eq!(names(&closed, Query("bank.vault")), "admin operator");
        let both = permissions.query("bank.vault", [Role::WRITER]);
        assert_eq!(names(&both, Query("bank.vault")), "admin operator teller writer");
    }

    #[test]
    fn one_role_of_several_is_enough_and_the_others_are_named() {
        let permissions = Permissions::new().query("bank.balance", [Role::READER]);
        let caller = |roles: &[Role]| Caller { actor: "ann".into(), roles: roles.into() };
        assert!(permissions.check(&caller(&[Role::WRITER, Role::READER]), Query("bank.balance")).is_ok());
        let denied = permissions.check(&caller(&[Role::WRITER]), Query("bank.balance")).unwrap_err();
        assert_eq!(denied, [Role::ADMIN, Role::OPERATOR, Role::READER].into());
        assert!(permissions.check(&caller(&[]), Command("bank.withdraw")).is_err());
    }
}
