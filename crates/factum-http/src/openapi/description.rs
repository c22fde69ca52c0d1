//! One method of one path, described. Knows no JSON but the schemas of parameters.

use crate::ProblemType;
use factum::RejectCase;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use std::collections::BTreeSet;

/// Gives the schema of a type, and puts those it is made of with the others of the document.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a route takes in and answers. An extractor of your own adds to it by [`crate::Describe`].
#[derive(Clone, Debug, Default)]
pub struct Description {
    pub(crate) summary: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// What it answers when it is no command.
    pub(crate) answers: Vec<Answer>,
    /// What is said of the answers, when it is a command.
    pub(crate) command: Option<Command>,
    /// The ids that its answers name: each with what it is, and its form.
    pub(crate) minted: Vec<(&'static str, &'static str, Value)>,
    pub(crate) creates: Option<&'static str>,
    pub(crate) problems: BTreeSet<ProblemType>,
    /// Whether its answers carry an entity tag, which a client may send back.
    pub(crate) tagged: bool,
    /// Whether its answers say where a list goes on.
    pub(crate) paged: bool,
    /// Whether its answers say where in the log they hold.
    pub(crate) held_at: HeldAt,
}

/// Whether the answers of a query say where in the log they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HeldAt {
    /// They do not.
    #[default]
    Unsaid,
    /// They do once what is asked for is final.
    Final,
    /// All do, and whether that is as far as the client has seen.
    Always,
}

/// What is sent beside the body.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) schema: Value,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

/// A body in JSON.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) schema: SchemaOf,
    /// If not, it may be left out where `{}` is of its form.
    pub(crate) required: bool,
    /// A field, and all that it may be.
    pub(crate) narrowed: Option<(&'static str, Vec<&'static str>)>,
}

/// An answer that is no problem.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    /// The media type and the form of its body, if it has one.
    pub(crate) body: Option<(&'static str, SchemaOf)>,
}

/// What a command may be rejected with.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// With these, as far as they are known.
    Of(Vec<RejectCase>),
    /// It may be any command of the service.
    Any,
}

impl Description {
    /// A body in JSON of the form of `T`.
    pub fn body<T: JsonSchema>(&mut self) {
        self.takes(SchemaGenerator::subschema_for::<T>, true);
    }

    /// A body in JSON of the form of `T`, an object; nothing at all is as good as `{}`.
    pub fn body_or_nothing<T: JsonSchema>(&mut self) {
        self.takes(SchemaGenerator::subschema_for::<T>, false);
    }

    fn takes(&mut self, schema: SchemaOf, required: bool) {
        self.body = Some(Body { schema, required, narrowed: None });
        self.refuses([ProblemType::Shape, ProblemType::MediaType]);
    }

    /// The problems it may answer with, beside those that any request may be answered with.
    pub fn refuses(&mut self, problems: impl IntoIterator<Item = ProblemType>) {
        self.problems.extend(problems);
    }

    pub(crate) fn parameter(
        &mut self,
        place: Place,
        name: &'static str,
        about: impl Into<String>,
        schema: Value,
    ) {
        self.parameters.push(Parameter { place, name, about: about.into(), schema });
        self.refuses([ProblemType::Shape]);
    }

    pub(crate) fn answers_json<T: JsonSchema>(&mut self) {
        self.answer(
            200,
            "What was asked for.",
            Some(("application/json", SchemaGenerator::subschema_for::<T>)),
        );
    }

    pub(crate) fn answers_text(&mut self, about: &'static str) {
        self.answer(200, about, Some(("text/plain", SchemaGenerator::subschema_for::<String>)));
    }

    pub(crate) fn answer(
        &mut self,
        status: u16,
        about: &'static str,
        body: Option<(&'static str, SchemaOf)>,
    ) {
        self.answers.push(Answer { status, about, body });
    }

    /// That it is a command: what is stored, decided, and answered alike for all of them.
    pub(crate) fn sends(&mut self, command: Command) {
        self.command = Some(command);
        self.refuses([
            ProblemType::Shape,
            ProblemType::Conflict,
            ProblemType::Failed,
            ProblemType::KeyReused,
            ProblemType::Rejected,
            ProblemType::Stale,
            ProblemType::TooLarge,
            ProblemType::Unavailable,
            ProblemType::Unknown,
            ProblemType::Corrupt,
        ]);
    }

    /// That it reads logs.
    pub(crate) fn reads(&mut self) {
        self.refuses([ProblemType::Unavailable, ProblemType::Corrupt]);
    }

    /// That it is reached through the gate, which may turn it away.
    pub(crate) fn passes_the_gate(&mut self) {
        self.refuses([
            ProblemType::Unauthenticated,
            ProblemType::Host,
            ProblemType::TooMany,
            ProblemType::Unavailable,
        ]);
        if self.body.is_some() {
            self.refuses([ProblemType::TooLarge, ProblemType::Timeout]);
        }
    }
}
