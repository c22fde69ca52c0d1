//! Entity tags (RFC 9110): that of a resource is the revision of its stream. `If-Match` guards a change,
//! `If-None-Match` spares an answer.

use crate::{Problem, ProblemType};
use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ETAG, IF_MATCH, IF_NONE_MATCH},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use factum::{ExpectedRevision, Revision};

/// Most tags one header may list.
pub(crate) const TAGS_MAX: usize = 64;

/// What a header of tags says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`.
    Any,
    /// Each with whether it is weak.
    Listed(Vec<(bool, String)>),
}

/// What the client has already: the extractor of a query that answers with an entity tag.
///
/// ```
/// # use axum::{Json, response::Response};
/// # use factum_http::{IfNoneMatch, Problem};
/// # struct At { revision: Option<factum::Revision>, state: u64 }
/// async fn read(unless: IfNoneMatch) -> Result<Response, Problem> {
///     let at = At { revision: Some(factum::Revision::new(3)), state: 12 };
///     Ok(unless.answer(at.revision, Json(at.state))) // ETag: "3", or 304 if the client has it
/// }
/// ```
#[derive(Clone, Debug)]
pub struct IfNoneMatch(Option<Tags>);

impl IfNoneMatch {
    /// `answer` with the tag of this revision; 304 without a body if the client has it already.
    pub fn answer(&self, revision: Option<Revision>, answer: impl IntoResponse) -> Response {
        let Some(revision) = revision else { return answer.into_response() };
        let tag = HeaderValue::from_str(&format!("\"{revision}\"")).expect("a number in quotes");
        self.tagged(&revision.to_string(), tag, answer)
    }

    /// `answer` with this weak tag, visible ASCII without quotes; 304 without a body if the client has it already.
    pub(crate) fn answer_weak(&self, tag: &str, answer: impl IntoResponse) -> Response {
        let weak = HeaderValue::from_str(&format!("W/\"{tag}\"")).expect("visible ASCII in quotes");
        self.tagged(tag, weak, answer)
    }

    fn tagged(&self, opaque: &str, tag: HeaderValue, answer: impl IntoResponse) -> Response {
        let has = match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            // Weak comparison: only the opaque part counts.
            Some(Tags::Listed(tags)) => tags.iter().any(|(_, tag)| tag == opaque),
        };
        let mut response =
            if has { StatusCode::NOT_MODIFIED.into_response() } else { answer.into_response() };
        response.headers_mut().insert(ETAG, tag);
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        tags(&parts.headers, &IF_NONE_MATCH).map(Self)
    }
}

/// Where the sender of a command believes its stream to stand, by `If-Match`. A tag that was never given out
/// fits no revision.
///
/// # Errors
/// 400 when the header is not a list of tags.
pub(crate) fn expected(headers: &HeaderMap) -> Result<Option<ExpectedRevision>, Problem> {
    Ok(tags(headers, &IF_MATCH)?.map(|tags| match tags {
        Tags::Any => ExpectedRevision::Exists,
        // Strong comparison: a weak tag equals nothing.
        Tags::Listed(tags) => {
            let strong = tags.into_iter().filter(|(weak, _)| !weak);
            ExpectedRevision::OneOf(strong.filter_map(|(_, tag)| revision(&tag)).collect())
        }
    }))
}

fn revision(tag: &str) -> Option<Revision> {
    let revision = tag.parse().ok().map(Revision::new)?;
    (revision.to_string() == tag).then_some(revision)
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut found = None;
    for value in headers.get_all(name) {
        let listed = value.to_str().ok().and_then(listed);
        found = match (found, listed) {
            (None, Some(tags)) => Some(tags),
            (Some(Tags::Listed(mut all)), Some(Tags::Listed(more))) if all.len() + more.len() <= TAGS_MAX => {
                all.extend(more);
                Some(Tags::Listed(all))
            }
            _ => {
                let name = if *name == IF_MATCH { "If-Match" } else { "If-None-Match" };
                let message = format!(
                    "wants `*`, or 1 to {TAGS_MAX} tags in quotes, such as \"3\", with commas between"
                );
                let problem = Problem::new(ProblemType::Shape, format!("the header `{name}` {message}"));
                return Err(problem.field(name, message));
            }
        };
    }
    Ok(found)
}

/// The tags of one header line; none if it is not a list of them.
fn listed(text: &str) -> Option<Tags> {
    if text.trim() == "*" {
        return Some(Tags::Any);
    }
    let (mut tags, mut rest) = (Vec::new(), text.trim());
    loop {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        tags.push((weak, tag.to_owned()));
        rest = after.trim_start();
        if rest.is_empty() {
            return (tags.len() <= TAGS_MAX).then_some(Tags::Listed(tags));
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_static(value));
        }
        headers
    }

    fn one_of(revisions: &[u64]) -> Option<ExpectedRevision> {
        Some(ExpectedRevision::OneOf(revisions.iter().copied().map(Revision::new).collect()))
    }

    #[test]
    fn if_match_names_the_revisions_that_are_expected() {
        let expected = |values: &[&'static str]| expected(&headers(IF_MATCH, values)).unwrap();
        assert_eq!(expected(&[]), None);
        assert_eq!(expected(&["*"]), Some(ExpectedRevision::Exists));
        assert_eq!(expected(&[r#""3""#]), one_of(&[3]));
        assert_eq!(expected(&[r#""3", "5""#, r#""8""#]), one_of(&[3, 5, 8]));
        for never_given_out in [r#"W/"3""#, r#""abc""#, r#""03""#, r#""+3""#, r#""""#] {
            assert_eq!(expected(&[never_given_out]), one_of(&[]), "{never_given_out}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused_with_the_header() {
        for value in ["3", r#""3"#, r#""3" "4""#, r#""3","#, "", r#"*, "3""#] {
            let refused = expected(&headers(IF_MATCH, &[value])).unwrap_err();
            assert_eq!((refused.status(), &*refused.fields()[0].field), (400, "If-Match"), "{value}");
        }
        assert_eq!(expected(&headers(IF_MATCH, &["*", r#""3""#])).unwrap_err().status(), 400);
        let many = vec![r#""1""#; TAGS_MAX + 1];
        assert_eq!(expected(&headers(IF_MATCH, &many)).unwrap_err().status(), 400);
    }

    fn answered(value: &'static str, revision: Option<u64>) -> (u16, Option<String>) {
        let unless = IfNoneMatch(tags(&headers(IF_NONE_MATCH, &[value]), &IF_NONE_MATCH).unwrap());
        let response = unless.answer(revision.map(Revision::new), "whole");
        let tag = response.headers().get(ETAG).map(|tag| tag.to_str().unwrap().to_owned());
        (response.status().as_u16(), tag)
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let tag = || Some(r#""3""#.to_owned());
        for same in [r#""3""#, r#"W/"3""#, r#""2", "3""#, "*"] {
            assert_eq!(answered(same, Some(3)), (304, tag()), "{same}");
        }
        for other in [r#""2""#, r#""33""#] {
            assert_eq!(answered(other, Some(3)), (200, tag()), "{other}");
        }
        assert_eq!(answered("*", None), (200, None));
    }
}
