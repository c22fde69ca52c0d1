//! Reading issues over HTTP: the list, one issue, its history. Every answer comes from a read model and shows all
//! that the log held when it was asked, and all that the client has seen; or says that it does not.

use crate::{
    Issue, IssueDocument, IssueHistory, IssueId, IssueNumber, Issues,
    history::{self, IssueEventRecord},
    http::{exists, known, not_found},
    listing::{ListedIssue, Place, Wanted},
    reference::IssueRef,
};
use axum::{Json, extract::State, http::header::RETRY_AFTER, response::Response};
use factum::{App, Id as _, Projection, View, values};
use factum_http::{IfNoneMatch, Listed, PathId, Problem, ProblemType, Since};
use std::time::Duration;

/// A read waits so long for commands that were accepted before it.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

/// All issues, but for deleted ones unless they are asked for.
pub(crate) async fn list(
    State(app): State<App>,
    since: Since,
    listed: Listed<Wanted>,
) -> Result<Response, Problem> {
    let sort = listed.wanted.sort;
    let place = |cursor: &String| Place::parse(sort, cursor).ok_or_else(|| listed.not_its_cursor());
    let after = listed.cursor.as_ref().map(place).transpose()?;
    let fresh = since.newest(&app, Issues::NAME).await?;
    let tables = app.tables::<Issues>();
    // One more tells whether there is a next page.
    let (sql, values) = listed.wanted.query(after, listed.limit + 1);
    let found = tables.query(&sql, values).await?;
    let mut issues: Vec<_> = found.rows.iter().map(ListedIssue::read).collect::<Result<_, _>>()?;
    let more = issues.len() > listed.limit;
    issues.truncate(listed.limit);
    let next = issues.last().filter(|_| more).map(|last| last.place(sort).to_string());
    let fresh = fresh.parked(tables.parked(None).await?);
    Ok(fresh.answer(&found.token, listed.answer(&issues, next.as_deref())))
}

/// A deleted issue can still be read: it says when it was deleted, and its history is there.
pub(crate) async fn read(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    since: Since,
    unless: IfNoneMatch,
) -> Result<Response, Problem> {
    let issue = named(&app, reference, &since).await?;
    // Who reads after an answer sees what it was for, unless that takes uncommonly long.
    app.settled::<Issue>(&issue, SETTLES_WITHIN).await?;
    let fresh = since.newest(&app, IssueDocument::NAME).await?;
    let found = app.documents::<IssueDocument>().get(&issue).await?;
    let Some(shown) = found.document.and_then(|IssueDocument(issue)| issue) else {
        return Err(absent(&app, reference).await);
    };
    let answer = unless.answer(shown.revision(), Json(shown));
    Ok(fresh.parked(found.parked).answer(&found.token, answer))
}

/// The events of an issue, deleted or not.
pub(crate) async fn history(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    since: Since,
    listed: Listed,
) -> Result<Response, Problem> {
    let place = |cursor: &String| {
        let from = cursor.parse::<u64>().ok().filter(|from| from.to_string() == *cursor);
        from.ok_or_else(|| listed.not_its_cursor())
    };
    let from = listed.cursor.as_ref().map(place).transpose()?.unwrap_or(0);
    let issue = named(&app, reference, &since).await?;
    app.settled::<Issue>(&issue, SETTLES_WITHIN).await?;
    let fresh = since.newest(&app, IssueHistory::NAME).await?;
    let tables = app.tables::<IssueHistory>();
    let values = values![*issue.get(), from, u64::try_from(listed.limit).unwrap_or(u64::MAX >> 1) + 1];
    let found = tables.query(history::PAGE, values).await?;
    let mut events: Vec<_> = found.rows.iter().map(IssueEventRecord::read).collect::<Result<_, _>>()?;
    if events.is_empty() && from == 0 {
        return Err(absent(&app, reference).await);
    }
    // The cursor is where the next page begins.
    let next = events.get(listed.limit).map(|next| next.revision.to_string());
    events.truncate(listed.limit);
    let parked = tables.parked(Some(issue.stream().as_str())).await?;
    Ok(fresh.parked(parked).answer(&found.token, listed.answer(&events, next.as_deref())))
}

/// The issue that is meant. A number that is not known yet is waited for, as one that was just given out.
///
/// # Errors
/// As [`absent`], where no issue has the number.
async fn named(app: &App, reference: IssueRef, since: &Since) -> Result<IssueId, Problem> {
    let number = match reference {
        IssueRef::Id(issue) => return Ok(issue),
        IssueRef::Number(number) => number,
    };
    if let Some(issue) = numbered(app, number).await? {
        return Ok(issue);
    }
    since.clone().newest(app, IssueDocument::NAME).await?;
    match numbered(app, number).await? {
        Some(issue) => Ok(issue),
        None => Err(absent(app, reference).await),
    }
}

/// The issue that has this number, if it is shown.
async fn numbered(app: &App, number: IssueNumber) -> Result<Option<IssueId>, Problem> {
    let having = app.documents::<IssueDocument>().list().equals("number", *number.get()).limit(1);
    let first = having.await?.documents.pop();
    Ok(first.and_then(|found| found.document.0).map(|issue| issue.id))
}

/// Why there is nothing to show: no such issue, none yet, or none that is shown yet. The log knows.
async fn absent(app: &App, reference: IssueRef) -> Problem {
    let is_there = match known(app, reference).await {
        Ok(issue) => exists(app, issue).await,
        Err(problem) => return problem,
    };
    match is_there {
        Ok(true) => {
            let detail =
                format!("Issue {reference} is there and is not shown yet: read it again a little later.");
            Problem::new(ProblemType::Behind, detail).header(RETRY_AFTER, "1")
        }
        // Its creation waits, or was given up meanwhile.
        Ok(false) => not_found(&reference).header(RETRY_AFTER, "1"),
        Err(problem) => problem,
    }
}
