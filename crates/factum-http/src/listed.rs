//! Lists of a service: what a request for a page asks for, and the page as it is answered, a JSON array that
//! says in `Link` where it goes on. What is not declared is refused by name: a filter that is ignored shows what
//! nobody asked for.

use crate::{
    Describe, Description, IfNoneMatch, Problem,
    feeds::{self, Asked, CURSOR, LIMIT},
    openapi::Place,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, Uri, header, request::Parts},
    response::Response,
};
use form_urlencoded::{Serializer, parse};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

mod fields;

/// A page of a list, as it is asked for: the extractor of a query that answers with a list.
///
/// `limit` is how many to show, 100 if nothing is said and [`crate::PAGE_ITEMS_MAX`] at most; `cursor` is where to go
/// on, as an earlier page gave it out. Further parameters are the fields of `F`, a struct: one that may be left
/// out is an `Option`, or has a `#[serde(default)]`. A parameter that is none of these, is there twice, or is not of
/// its form is refused with 400, by name.
///
/// ```
/// # use axum::response::Response;
/// # use factum_http::{Listed, Problem};
/// # use schemars::JsonSchema;
/// # use serde::Deserialize;
/// #[derive(Deserialize, JsonSchema)]
/// struct Wanted {
///     /// Only those that are at least so long.
///     length: Option<u64>,
/// }
///
/// async fn list(listed: Listed<Wanted>) -> Result<Response, Problem> {
///     let after: u64 = match &listed.cursor {
///         Some(cursor) => cursor.parse().map_err(|_| listed.not_its_cursor())?,
///         None => 0,
///     };
///     let from = listed.wanted.length.unwrap_or(1).max(after + 1);
///     let lines: Vec<_> = (from..=5).map(|length| "-".repeat(length as usize)).collect();
///     let page = &lines[..lines.len().min(listed.limit)];
///     let next = (page.len() < lines.len()).then(|| page.last().unwrap().len().to_string());
///     Ok(listed.answer(page, next.as_deref()))
/// }
/// # use axum::{body::{Body, to_bytes}, http::Request, routing::get};
/// # use tower::ServiceExt;
/// # factum::block_on(async {
/// # let router = axum::Router::new().route("/lines", get(list));
/// # let ask = |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
/// let answer = ask("/lines?length=3&limit=2").await.unwrap();
/// assert_eq!(answer.headers()["Link"], r#"</lines?length=3&limit=2&cursor=4>; rel="next""#);
/// assert_eq!(to_bytes(answer.into_body(), 100).await.unwrap(), r#"["---","----"]"#);
/// let last = ask("/lines?length=3&limit=2&cursor=4").await.unwrap();
/// assert!(!last.headers().contains_key("Link"));
/// assert_eq!(ask("/lines?colour=red").await.unwrap().status(), 400);
/// assert_eq!(ask("/lines?length=long").await.unwrap().status(), 400);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Listed<F = ()> {
    /// How many to show at most.
    pub limit: usize,
    /// Where to go on, as it was sent; from the beginning if nothing is said.
    pub cursor: Option<String>,
    /// What else is asked for.
    pub wanted: F,
    uri: Uri,
    unless: IfNoneMatch,
}

impl<F> Listed<F> {
    /// These items as a JSON array, with `Link: <..>; rel="next"` (RFC 8288) where the list goes on at `next`, and a
    /// weak `ETag` of it: 304 without a body if the client has the very same page already.
    ///
    /// # Panics
    /// When an item cannot be written in JSON, such as a map whose keys are no text.
    pub fn answer<T: Serialize>(&self, items: &[T], next: Option<&str>) -> Response {
        let body = serde_json::to_vec(items).expect("items of a list can be written in JSON");
        let link = next.map(|next| link(&self.uri, next));
        let tag = tag(&body, link.as_deref());
        let answer = ([(header::CONTENT_TYPE, "application/json")], body);
        let mut response = self.unless.answer_weak(&tag, answer);
        if let Some(link) = link {
            let link = HeaderValue::from_str(&link).expect("what is not visible ASCII is encoded");
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }

    /// The refusal of a cursor that this list never gave out.
    pub fn not_its_cursor(&self) -> Problem {
        feeds::refused(CURSOR, feeds::NOT_OF_THIS_LIST)
    }
}

/// Where the list goes on: the same path and query, from `cursor` on.
fn link(uri: &Uri, cursor: &str) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(parse(uri.query().unwrap_or_default().as_bytes()).filter(|(name, _)| name != CURSOR));
    query.append_pair(CURSOR, cursor);
    let mut link = "<".to_owned();
    for byte in uri.path().bytes() {
        match byte {
            b'<' | b'>' => write!(link, "%{byte:02X}").expect("a string takes all"),
            byte if byte.is_ascii_graphic() => link.push(char::from(byte)),
            byte => write!(link, "%{byte:02X}").expect("a string takes all"),
        }
    }
    link.push('?');
    link.push_str(&query.finish());
    link.push_str(">; rel=\"next\"");
    link
}

/// The tag of a page: the same for the same items that go on alike.
fn tag(body: &[u8], link: Option<&str>) -> String {
    let digest = Sha256::new().chain_update(body).chain_update(link.unwrap_or_default()).finalize();
    digest[..16].iter().fold(String::new(), |mut tag, byte| {
        write!(tag, "{byte:02x}").expect("a string takes all");
        tag
    })
}

impl<S: Send + Sync, F: DeserializeOwned> FromRequestParts<S> for Listed<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unless = IfNoneMatch::from_request_parts(parts, state).await?;
        let known: Vec<_> = [LIMIT, CURSOR].into_iter().chain(fields::names::<F>().iter().copied()).collect();
        let asked = Asked::of(&parts.uri, &known)?;
        let (limit, cursor) = (asked.limit()?, asked.text(CURSOR).map(str::to_owned));
        let wanted = fields::read(asked.without(&[LIMIT, CURSOR]))?;
        Ok(Self { limit, cursor, wanted, uri: parts.uri.clone(), unless })
    }
}

impl<F: DeserializeOwned + JsonSchema> Describe for Listed<F> {
    fn describe(route: &mut Description) {
        feeds::describe(route, &[LIMIT, CURSOR]);
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<F>().to_value();
        for name in fields::names::<F>() {
            // An alias of another is taken, and not told.
            let Some(field) = schema["properties"].get(name) else { continue };
            let mut field = fields::without_null(field.clone());
            let about = field.as_object_mut().and_then(|field| field.remove("description"));
            let about = about.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            route.parameter(Place::Query, name, about, field);
        }
        IfNoneMatch::describe(route);
        route.paged = true;
    }
}
