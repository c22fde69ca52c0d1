//! What is read of the bank over HTTP: an account, its history, the statement of a month.

use crate::{
    Account, AccountId, History, Statement,
    history::{self, PAGE},
    statement::{ENTRIES, ENTRIES_MAX, MONTHS_MAX, Representation},
};
use axum::{Json, extract::State, http::header::RETRY_AFTER, response::Response};
use factum::{App, List, Projection as _, Rows, View as _, values};
use factum_http::{IfNoneMatch, Listed, PathId, PathMonth, Problem, ProblemType, Since};

// ANCHOR: account
pub(super) async fn account(
    State(app): State<App>,
    PathId(id): PathId<AccountId>,
    since: Since,
    unless: IfNoneMatch,
) -> Result<Response, Problem> {
    let fresh = since.live(&app)?;
    // Whoever decides by a balance wants that of now: what is not folded yet is, on the way.
    let found = app.documents::<Account>().latest(&id).await?;
    let Some(account) = found.document else { return Err(not_found(id)) };
    let answer = unless.answer(Some(account.revision), Json(account.represent(id)));
    Ok(fresh.parked(found.parked).answer(&found.token, answer))
}
// ANCHOR_END: account

/// A cursor is the revision that the next page begins with.
pub(super) async fn history(
    State(app): State<App>,
    PathId(id): PathId<AccountId>,
    since: Since,
    listed: Listed,
) -> Result<Response, Problem> {
    let from = match &listed.cursor {
        Some(cursor) => revision(cursor).ok_or_else(|| listed.not_its_cursor())?,
        None => 0,
    };
    let fresh = since.wait(&app, History::NAME).await?;
    // One more tells whether there is a next page.
    let limit = u32::try_from(listed.limit).unwrap_or(u32::MAX).saturating_add(1);
    let page = app.tables::<History>().query(PAGE, values![id.to_string(), from, limit]).await?;
    if page.rows.is_empty() {
        match app.documents::<Account>().latest(&id).await?.document {
            None if from == 0 => return Err(not_found(id)),
            // Each of its revisions is a row.
            Some(account) if i64::try_from(account.revision.get()).is_ok_and(|last| from <= last) => {
                return Err(not_shown(id));
            }
            _ => {}
        }
    }
    let entries: Vec<_> = page.rows.iter().map(history::Entry::of).collect::<Result<_, _>>()?;
    let shown = entries.len().min(listed.limit);
    let next = entries.get(shown).map(|next| next.revision.to_string());
    Ok(fresh.answer(&page.token, listed.answer(&entries[..shown], next.as_deref())))
}

fn revision(cursor: &str) -> Option<i64> {
    let revision = cursor.parse::<i64>().ok()?;
    (revision > 0 && revision.to_string() == cursor).then_some(revision)
}

// ANCHOR: statement
pub(super) async fn statement(
    State(app): State<App>,
    PathId(id): PathId<AccountId>,
    PathMonth(month): PathMonth,
    since: Since,
) -> Result<Response, Problem> {
    let mut fresh = since.wait(&app, Statement::NAME).await?;
    let months = months(&app, id).await?;
    let entries = entries(&app, id, &month.to_string(), &months).await?;
    if months.documents.is_empty() {
        match app.documents::<Account>().latest(&id).await?.document {
            None => return Err(not_found(id)),
            // Whatever comes after the opening is in a month.
            Some(account) if account.revision.get() > 0 => fresh = fresh.stale(),
            Some(_) => {}
        }
    }
    let totals: Vec<_> = months.documents.into_iter().map(|month| month.document).collect();
    let statement = Representation::of(id, month, &totals, &entries.rows)?;
    Ok(fresh.answer(&months.token, Json(statement)))
}

/// The totals of all months of an account, at one moment.
async fn months(app: &App, account: AccountId) -> Result<List<Statement>, Problem> {
    let list = app.documents::<Statement>().list().equals("account", account.to_string());
    Ok(list.order_by("month").limit(MONTHS_MAX).await?)
}

/// The entries of a month as they stood when `months` did.
async fn entries(
    app: &App,
    account: AccountId,
    month: &str,
    months: &List<Statement>,
) -> Result<Rows, Problem> {
    let most = u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX);
    let values = values![account.to_string(), month, months.position, most];
    let tables = app.tables::<History>();
    let rows = tables.query(ENTRIES, values.clone()).await?;
    if rows.position >= months.position {
        return Ok(rows);
    }
    // The rows are kept apart from the totals, and have not come so far yet.
    Ok(tables.latest(ENTRIES, values).await?)
}
// ANCHOR_END: statement

/// It is there, and what is read of it has just been begun again, or is behind.
fn not_shown(account: AccountId) -> Problem {
    let detail = format!("Account {account} is there and is not shown yet: read it again a little later.");
    Problem::new(ProblemType::Behind, detail).header(RETRY_AFTER, "1")
}

fn not_found(account: AccountId) -> Problem {
    Problem::new(ProblemType::NotFound, format!("Account {account} not found."))
}
