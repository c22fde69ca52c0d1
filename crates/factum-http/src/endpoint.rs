//! A handler with its method and its description. The description begins with what the handler takes in, by
//! the types of its arguments; the rest is said beside it, where the route is declared.

use crate::{
    Description,
    openapi::{Inputs, id_schema},
};
use axum::{
    handler::Handler,
    http::Method,
    routing::{self, MethodRouter},
};
use schemars::JsonSchema;
use std::{convert::Infallible, fmt::Display, str::FromStr};

/// What a route does with one method. Made by [`get`], [`post`], [`put`] and [`delete`], added to
/// [`crate::Routes`].
///
/// ```
/// use factum_http::{PathId, get};
/// async fn read(PathId(id): PathId<u64>) -> String {
///     id.to_string()
/// }
/// let endpoint = get::<_, _, ()>(read).about("Reads a number").answers::<String>();
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint<S = ()> {
    pub(crate) method: Method,
    pub(crate) handler: MethodRouter<S, Infallible>,
    pub(crate) description: Description,
}

/// Answers `GET`.
pub fn get<H: Handler<T, S>, T: Inputs + 'static, S: Clone + Send + Sync + 'static>(
    handler: H,
) -> Endpoint<S> {
    Endpoint::new::<T>(Method::GET, routing::get(handler))
}

/// Answers `POST`.
pub fn post<H: Handler<T, S>, T: Inputs + 'static, S: Clone + Send + Sync + 'static>(
    handler: H,
) -> Endpoint<S> {
    Endpoint::new::<T>(Method::POST, routing::post(handler))
}

/// Answers `PUT`.
pub fn put<H: Handler<T, S>, T: Inputs + 'static, S: Clone + Send + Sync + 'static>(
    handler: H,
) -> Endpoint<S> {
    Endpoint::new::<T>(Method::PUT, routing::put(handler))
}

/// Answers `DELETE`.
pub fn delete<H: Handler<T, S>, T: Inputs + 'static, S: Clone + Send + Sync + 'static>(
    handler: H,
) -> Endpoint<S> {
    Endpoint::new::<T>(Method::DELETE, routing::delete(handler))
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    fn new<T: Inputs>(method: Method, handler: MethodRouter<S, Infallible>) -> Self {
        let mut description = Description::default();
        T::describe_all(&mut description);
        Self { method, handler, description }
    }

    /// What it does, in one line.
    #[must_use]
    pub fn about(mut self, summary: &'static str) -> Self {
        self.description.summary = summary;
        self
    }

    /// A query: it answers 200 with a `T` in JSON.
    #[must_use]
    pub fn answers<T: JsonSchema>(mut self) -> Self {
        self.description.answers_json::<T>();
        self
    }

    /// A command: its answers name a `K` besides, as [`crate::Sending::minted`] has it.
    #[must_use]
    pub fn mints<K: FromStr<Err: Display> + Display>(
        mut self,
        field: &'static str,
        about: &'static str,
    ) -> Self {
        self.description.minted.push((field, about, id_schema::<K>()));
        self
    }

    /// A command: it answers 201 where it creates what is found at a path of this form, such as
    /// `/values/{value_id}`; see [`crate::Sending::created_at`].
    #[must_use]
    pub fn creates(mut self, path: &'static str) -> Self {
        self.description.creates = Some(path);
        self
    }

    /// With whatever else is to be said.
    #[must_use]
    pub(crate) fn with(mut self, describe: impl FnOnce(&mut Description)) -> Self {
        describe(&mut self.description);
        self
    }
}
