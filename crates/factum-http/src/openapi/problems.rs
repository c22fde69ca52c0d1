//! The refusals of one route, by status. Those that any route may give alike stand once in the document; those
//! of a command tell which command, and with which codes it may be rejected.

use super::{
    Description,
    answers::{DECIDED_AT, header, minted, text, told_of_a_command},
    description::Command,
    document::Writer,
    schema::{extended, reference},
};
use crate::{ProblemType, since::POSITION};
use factum::RejectCase;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PROBLEM_JSON: &str = "application/problem+json";

/// What a lane rejects a command with that came with `If-Match`.
const STALE: RejectCase = RejectCase { code: "stale-revision", status: 412 };

/// What a status may mean.
#[derive(Default)]
struct Refusal {
    plain: Vec<ProblemType>,
    /// Whether it may be a rejection, and with which codes if they are known.
    codes: Option<BTreeSet<&'static str>>,
    failed: bool,
}

pub(crate) fn problems(route: &Description, writer: &mut Writer) -> Map<String, Value> {
    let mut refusals = BTreeMap::<u16, Refusal>::new();
    for problem in &route.problems {
        let refusal = refusals.entry(problem.status().as_u16()).or_default();
        match problem {
            ProblemType::Rejected => _ = refusal.codes.get_or_insert_default(),
            ProblemType::Failed => refusal.failed = true,
            plain => refusal.plain.push(*plain),
        }
    }
    let cases = match &route.command {
        None => Vec::new(),
        Some(Command::Of(cases)) => cases.clone(),
        Some(Command::Any) => writer.cases.clone(),
    };
    if route.command.is_some() {
        let known = !cases.is_empty();
        for case in cases.iter().chain([&STALE]) {
            refusals.entry(case.status).or_default().codes.get_or_insert_default().insert(case.code);
        }
        // 409 is what a rejection has that says nothing else: with others known, it may be none of these.
        if known
            && let Some(refusal) = refusals.get_mut(&409)
            && refusal.codes.as_ref().is_some_and(BTreeSet::is_empty)
        {
            refusal.codes = None;
        }
    }
    refusals
        .into_iter()
        .map(|(status, refusal)| (status.to_string(), refusal.response(status, route, writer)))
        .collect()
}

impl Refusal {
    fn response(&self, status: u16, route: &Description, writer: &mut Writer) -> Value {
        let mut titles: Vec<_> = self.plain.iter().map(|problem| problem.title()).collect();
        let mut forms = Vec::new();
        if !self.plain.is_empty() {
            forms.push(plain(status, &self.plain, writer));
        }
        if let Some(codes) = &self.codes {
            titles.push(ProblemType::Rejected.title());
            forms.push(of_a_command(ProblemType::Rejected, status, codes, route, writer));
        }
        if self.failed {
            titles.push(ProblemType::Failed.title());
            forms.push(of_a_command(ProblemType::Failed, status, &BTreeSet::new(), route, writer));
        }
        let schema = if forms.len() == 1 { forms.remove(0) } else { json!({"oneOf": forms}) };
        let mut response = json!({
            "description": titles.join("; "),
            "content": {PROBLEM_JSON: {"schema": schema}},
        });
        let headers = self.headers();
        if !headers.is_empty() {
            response["headers"] = headers.into();
        }
        if self.codes.is_some() || self.failed {
            return response;
        }
        let names: Vec<_> = self.plain.iter().map(|problem| short(*problem)).collect();
        let name = names.join("-or-");
        writer.responses.insert(name.clone(), response);
        reference("responses", &name)
    }

    /// The headers that come with it: required if they come whatever it means.
    fn headers(&self) -> Map<String, Value> {
        let of_command = (self.codes.is_some() || self.failed).then_some(OF_A_COMMAND);
        let all: Vec<_> = self.plain.iter().map(|problem| headers_of(*problem)).chain(of_command).collect();
        let mut headers = Map::new();
        for (name, about) in all.iter().copied().flatten().copied() {
            let number = name == "Retry-After";
            let schema = if number { json!({"type": "integer", "minimum": 0}) } else { text() };
            let mut header = header(about, schema);
            header["required"] =
                all.iter().all(|others| others.iter().any(|(other, _)| *other == name)).into();
            headers.insert(name.to_owned(), header);
        }
        headers
    }
}

const LOCATION: (&str, &str) = ("Location", "Where the status of the command is found.");

/// What comes with the refusal of a command that was decided.
const OF_A_COMMAND: &[(&str, &str)] = &[LOCATION, (POSITION, DECIDED_AT)];

/// The headers that come with a problem, and what they say.
fn headers_of(problem: ProblemType) -> &'static [(&'static str, &'static str)] {
    match problem {
        ProblemType::Unauthenticated => &[("WWW-Authenticate", "How to say who is asking.")],
        ProblemType::TooMany | ProblemType::Unavailable | ProblemType::Behind | ProblemType::Conflict => {
            &[("Retry-After", "When to send it again, in seconds.")]
        }
        ProblemType::Unknown => &[LOCATION],
        _ => &[],
    }
}

/// The last word of its URI.
fn short(problem: ProblemType) -> &'static str {
    problem.uri().rsplit(':').next().unwrap_or_default()
}

/// Only this number. A `const` means the same, but programs that make clients cannot put it together with the form
/// that it narrows.
fn exactly(number: u16) -> Value {
    json!({"type": "integer", "enum": [number]})
}

fn plain(status: u16, problems: &[ProblemType], writer: &mut Writer) -> Value {
    let uris: Vec<_> = problems.iter().map(|problem| problem.uri()).collect();
    let mut more = json!({"properties": {
        "type": {"type": "string", "enum": uris},
        "status": exactly(status),
    }});
    if problems == [ProblemType::Denied] {
        more["properties"]["action"] = json!({"type": "string", "description": "What was denied."});
        let roles = json!({"type": "array", "items": text(), "description": "Each of these may do it."});
        more["properties"]["roles"] = roles;
        more["required"] = json!(["action", "roles"]);
    }
    extended(writer.problem(), more)
}

fn of_a_command(
    problem: ProblemType,
    status: u16,
    codes: &BTreeSet<&str>,
    route: &Description,
    writer: &mut Writer,
) -> Value {
    let (mut fields, mut required) = minted(route);
    fields.insert("type".to_owned(), json!({"type": "string", "enum": [problem.uri()]}));
    fields.insert("status".to_owned(), exactly(status));
    if problem == ProblemType::Rejected {
        let mut code = text();
        if !codes.is_empty() {
            code["enum"] = json!(codes);
        }
        fields.insert("code".to_owned(), code);
        required.push("code".into());
    }
    extended(told_of_a_command(writer), json!({"properties": fields, "required": required}))
}
