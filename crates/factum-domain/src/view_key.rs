//! Owns what documents are found by: any id, a text, a number, a month, or several of these.

use crate::Id;
use factum_event::{Day, Month};
use std::{fmt::Debug, hash::Hash};
use uuid::Uuid;

/// What a document is found by. Its text is stored: two keys are the same if their texts are.
///
/// The text of several is that of each, with `/` between them; a `/` or `%` within one is written `%2F`, `%25`.
///
/// ```
/// use factum_domain::ViewKey;
/// let month: factum_event::Month = "2026-11".parse().unwrap();
/// assert_eq!((7_u64, month).text(), "7/2026-11");
/// assert_eq!(("a/b".to_owned(), "c".to_owned()).text(), "a%2Fb/c");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a view",
    label = "not an id, a text, a number or a period, nor several of these",
    note = "`#[derive(Id)] struct AccountId(Uuid);`, `String`, `u64`, `Uuid`, `Month`, `Day`, or a tuple of \
            two or three of these: `(AccountId, Month)`"
)]
pub trait ViewKey: Clone + Eq + Hash + Debug + Send + Sync + 'static {
    /// As it is stored.
    fn text(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<K: Id> ViewKey for K {
    fn text(&self) -> String {
        self.to_string()
    }
}

macro_rules! printed {
    ($($key:ty),*) => {$(
        impl ViewKey for $key {
            fn text(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

printed!(String, u32, u64, i64, Uuid, Month, Day);

impl<A: ViewKey, B: ViewKey> ViewKey for (A, B) {
    fn text(&self) -> String {
        joined(&[self.0.text(), self.1.text()])
    }
}

impl<A: ViewKey, B: ViewKey, C: ViewKey> ViewKey for (A, B, C) {
    fn text(&self) -> String {
        joined(&[self.0.text(), self.1.text(), self.2.text()])
    }
}

fn joined(parts: &[String]) -> String {
    let escaped: Vec<_> = parts.iter().map(|part| part.replace('%', "%25").replace('/', "%2F")).collect();
    escaped.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_several_parts_never_meet() {
        let key = |a: &str, b: &str| (a.to_owned(), b.to_owned()).text();
        let all = [key("a", "b/c"), key("a/b", "c"), key("a%2Fb", "c"), key("", "a/b/c"), key("a%", "b/c")];
        for (at, text) in all.iter().enumerate() {
            assert!(!all[..at].contains(text), "{text}");
        }
        let nested = ((1_u64, 2_u64), 3_u64).text();
        assert_ne!(nested, (1_u64, (2_u64, 3_u64)).text());
    }
}
