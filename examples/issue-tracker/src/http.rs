//! The issue tracker over HTTP, under `/api/issues`. What is asked is stored first and decided in the order of
//! its issue; so what several people ask of one issue at once is all accepted. What is read is in
//! `queries.rs`.

use crate::{
    AddComment, CommentId, CreateIssue, DeleteIssue, IssueId, Numbered, Project, ReopenIssue, ReplaceIssue,
    ResolveIssue, SetProject, SetTags, StartIssue,
    bodies::{CommentForm, IssueForm, NoFields, ProjectForm, TagsForm},
    document::Representation,
    form::{Fields, Form},
    history::IssueEventRecord,
    issue::Exists,
    listing::ListedIssue,
    queries::{history, list, read},
    reference::IssueRef,
    rules::PRIORITY_DEFAULT,
};
use axum::{extract::State, response::Response};
use factum::{App, Command};
use factum_http::{
    Endpoint, Incoming, PathId, Permissions, Problem, ProblemType, Role, Routes, Service, delete, get, post,
    put,
};

/// Who may delete issues, beside `admin`.
pub const MAINTAINER: Role = Role::named("maintainer");

/// The issue tracker, over `app`.
pub fn service(app: App) -> Service {
    let routes = Routes::new()
        .command::<CreateIssue>(
            "/api/issues",
            about(post(create), "Creates an issue").creates("/api/issues/{id}"),
        )
        .query(
            "issues.list-issues",
            "/api/issues",
            get(list).about("Lists issues, without their comments and history").answers::<Vec<ListedIssue>>(),
        )
        .query(
            "issues.read-issue",
            "/api/issues/{id}",
            get(read).about("Reads an issue").answers::<Representation>(),
        )
        .query(
            "issues.read-history",
            "/api/issues/{id}/history",
            get(history).about("Lists what happened to an issue").answers::<Vec<IssueEventRecord>>(),
        )
        .command::<ReplaceIssue>("/api/issues/{id}", about(put(replace), "Replaces what an issue says"))
        .command::<DeleteIssue>("/api/issues/{id}", about(delete(remove), "Deletes an issue"))
        .command::<AddComment>(
            "/api/issues/{id}/comments",
            about(post(comment), "Comments on an issue").mints::<CommentId>("comment_id", "The comment."),
        )
        .command::<SetTags>("/api/issues/{id}/tags", about(put(set_tags), "Says what an issue is found by"))
        .command::<SetProject>(
            "/api/issues/{id}/project",
            about(put(set_project), "Puts an issue into a project"),
        )
        .command::<StartIssue>("/api/issues/{id}/start", about(post(start), "Begins the work"))
        .command::<ResolveIssue>("/api/issues/{id}/resolve", about(post(resolve), "Ends the work"))
        .command::<ReopenIssue>("/api/issues/{id}/reopen", about(post(reopen), "Takes the work up again"))
        .with_state(app.clone());
    let permissions = Permissions::new()
        .commands_in("issues", [Role::WRITER])
        .command::<DeleteIssue>([MAINTAINER])
        .queries_in("issues", [Role::READER, Role::WRITER, MAINTAINER]);
    Service {
        name: "issue-tracker",
        about: "create issues, change them, see who changed what",
        app,
        routes,
        permissions,
        hints: &HINTS,
    }
}

/// A command on an issue, which its answers name.
fn about(endpoint: Endpoint<App>, summary: &'static str) -> Endpoint<App> {
    endpoint.about(summary).mints::<IssueId>("id", "The issue that was meant.")
}

const HINTS: [&str; 4] = [
    r#"issue=$(curl -s -d '{"title": "Crash", "description": "It crashes"}' -H 'Content-Type: application/json' {url}/api/issues | sed 's/.*"id":"\([^"]*\).*/\1/')"#,
    r#"curl -i -X PUT -d '{"title": "Crash at start", "description": "It crashes", "priority": 1}' -H 'Content-Type: application/json' {url}/api/issues/$issue"#,
    "curl -s {url}/api/issues/$issue",
    "curl -s '{url}/api/issues?sort=priority'",
];

async fn create(
    State(app): State<App>,
    incoming: Incoming,
    form: Form<IssueForm>,
) -> Result<Response, Problem> {
    let issue: IssueId = incoming.fresh_id();
    let command = form.read(
        |form| CreateIssue {
            issue,
            title: form.text("title"),
            description: form.text("description"),
            priority: form.number_or("priority", PRIORITY_DEFAULT),
        },
        CreateIssue::check,
    )?;
    let created = format!("/api/issues/{issue}");
    incoming.submit(&app, command).minted("id", issue).created_at(created).await
}

async fn replace(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
    form: Form<IssueForm>,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    let command = form.read(
        |form| ReplaceIssue {
            issue,
            title: form.text("title"),
            description: form.text("description"),
            priority: form.number_or("priority", PRIORITY_DEFAULT),
        },
        ReplaceIssue::check,
    )?;
    send(&app, &incoming, issue, command).await
}

async fn remove(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    send(&app, &incoming, issue, DeleteIssue { issue }).await
}

async fn comment(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
    form: Form<CommentForm>,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    let comment: CommentId = incoming.fresh_id();
    let make = |form: &mut Fields| AddComment { issue, comment, text: form.text("text") };
    let command = form.read(make, AddComment::check)?;
    incoming.submit(&app, command).minted("id", issue).minted("comment_id", comment).await
}

async fn set_tags(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
    form: Form<TagsForm>,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    let command = form.read(|form| SetTags { issue, tags: form.texts("tags") }, SetTags::check)?;
    send(&app, &incoming, issue, command).await
}

async fn set_project(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
    form: Form<ProjectForm>,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    let make = |form: &mut Fields| {
        let project = form.text_or_null("project").map(Project::from);
        SetProject { issue, project }
    };
    let command = form.read(make, SetProject::check)?;
    send(&app, &incoming, issue, command).await
}

async fn start(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
    form: Form<NoFields>,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    form.read_none()?;
    send(&app, &incoming, issue, StartIssue { issue }).await
}

async fn resolve(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
    form: Form<NoFields>,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    form.read_none()?;
    send(&app, &incoming, issue, ResolveIssue { issue }).await
}

async fn reopen(
    State(app): State<App>,
    PathId(reference): PathId<IssueRef>,
    incoming: Incoming,
    form: Form<NoFields>,
) -> Result<Response, Problem> {
    let issue = known(&app, reference).await?;
    form.read_none()?;
    send(&app, &incoming, issue, ReopenIssue { issue }).await
}

async fn send<C: Command>(
    app: &App,
    incoming: &Incoming,
    issue: IssueId,
    command: C,
) -> Result<Response, Problem> {
    incoming.submit(app, command).minted("id", issue).await
}

/// The issue that is meant. A UUID is known from the moment on that its creation was accepted; a number is
/// given only when that is decided.
///
/// # Errors
/// 404 if there is none.
pub(crate) async fn known(app: &App, reference: IssueRef) -> Result<IssueId, Problem> {
    match reference {
        IssueRef::Number(number) => {
            let Numbered(found) = app.view::<Numbered>(number).await?.state;
            found.ok_or_else(|| not_found(&reference))
        }
        IssueRef::Id(issue) => {
            // A creation that is decided between the two looks is there at a second look at the log.
            let is_known = exists(app, issue).await?
                || app.pending::<Exists>(&issue).await?
                || exists(app, issue).await?;
            if is_known { Ok(issue) } else { Err(not_found(&reference)) }
        }
    }
}

pub(crate) async fn exists(app: &App, issue: IssueId) -> Result<bool, Problem> {
    let Exists(exists) = app.view::<Exists>(issue).await?.state;
    Ok(exists)
}

pub(crate) fn not_found(reference: &IssueRef) -> Problem {
    Problem::new(ProblemType::NotFound, format!("Issue {reference} not found."))
}
