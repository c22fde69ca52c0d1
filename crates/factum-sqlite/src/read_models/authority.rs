//! Who a connection works for, and what each of them may do: the projection's own statements must not reach the
//! bookkeeping, nor the transaction that they are in. SQLite asks while it prepares a statement.

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
};
use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// What the names of all our tables begin with.
const OURS: &str = "factum_";

/// Who a statement is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Who {
    /// Factum: it may do anything.
    Factum = 0,
    /// A projection, in a transaction: it may change and make tables of its own.
    Writer = 1,
    /// A query: it reads.
    Reader = 2,
}

/// Who a connection works for at the moment.
#[derive(Debug)]
pub(super) struct Authority(Arc<AtomicU8>);

impl Authority {
    /// Over all that is prepared on this connection. Set once: every further time would have all cached
    /// statements prepared anew.
    pub(super) fn over(connection: &mut Connection) -> Result<Self, rusqlite::Error> {
        let who = Arc::new(AtomicU8::new(Who::Factum as u8));
        let asked = Arc::clone(&who);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            let allowed = match asked.load(Ordering::Relaxed) {
                0 => true,
                1 => may_write(&context.action) && !makes_what_is_temporary(&context),
                _ => may_read(&context.action),
            };
            if allowed { Authorization::Allow } else { Authorization::Deny }
        }))?;
        Ok(Self(who))
    }

    /// Works for `who`, until what is given back is dropped.
    pub(super) fn of(&self, who: Who) -> Borrowed<'_> {
        self.0.store(who as u8, Ordering::Relaxed);
        Borrowed(&self.0)
    }
}

/// A connection that works for someone else; for Factum again, once this is dropped.
pub(super) struct Borrowed<'a>(&'a AtomicU8);

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.0.store(Who::Factum as u8, Ordering::Relaxed);
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS))
}

/// It would outlive the transaction, and be seen by nobody else. `create temporary` has actions of its own.
fn makes_what_is_temporary(context: &AuthContext<'_>) -> bool {
    let makes = matches!(
        context.action,
        AuthAction::CreateTable { .. }
            | AuthAction::CreateIndex { .. }
            | AuthAction::CreateTrigger { .. }
            | AuthAction::CreateView { .. }
            | AuthAction::CreateVtable { .. }
    );
    makes && context.database_name == Some("temp")
}

fn may_read(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => true,
        // Full text search asks for it.
        AuthAction::Pragma { pragma_name, .. } => *pragma_name == "data_version",
        _ => false,
    }
}

fn may_write(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateVtable { table_name, .. }
        | AuthAction::DropVtable { table_name, .. } => !is_ours(table_name),
        AuthAction::CreateIndex { index_name, table_name }
        | AuthAction::DropIndex { index_name, table_name } => !is_ours(index_name) && !is_ours(table_name),
        AuthAction::CreateTrigger { trigger_name, table_name }
        | AuthAction::DropTrigger { trigger_name, table_name } => {
            !is_ours(trigger_name) && !is_ours(table_name)
        }
        AuthAction::CreateView { view_name } | AuthAction::DropView { view_name } => !is_ours(view_name),
        AuthAction::Reindex { .. } | AuthAction::Analyze { .. } => true,
        // Transactions, pragmas, other files, and temporary tables.
        _ => may_read(action),
    }
}
