//! Owns the reading of one variant: its names, its version, which fields are its home and its tags.

use super::Shared;
use crate::{
    names::{any_name, has, list, serde_attributes, stored_name, words},
    problems::Problems,
};
use proc_macro2::Span;
use syn::{Attribute, Field, Fields, Ident, LitInt, LitStr, Path, Variant};

/// One kind of event.
pub(super) struct EventVariant<'a> {
    pub(super) ident: &'a Ident,
    /// What serde is to see on the whole of it.
    pub(super) serde: Vec<&'a Attribute>,
    pub(super) fields: Vec<EventField<'a>>,
    /// Its home, as an index into `fields`; none: the stream of the context.
    pub(super) home: Option<usize>,
    pub(super) stored: Stored,
}

/// One field of an event.
pub(super) struct EventField<'a> {
    pub(super) ident: &'a Ident,
    pub(super) field: &'a Field,
    pub(super) is_tag: bool,
}

/// What the attribute of the variant says.
pub(super) struct Stored {
    pub(super) name: String,
    name_span: Span,
    /// The names it had before.
    pub(super) earlier: Vec<(String, Span)>,
    pub(super) version: u32,
    /// From version 1 on, the last one to the enum.
    pub(super) upcasts: Vec<Path>,
}

impl<'a> EventVariant<'a> {
    pub(super) fn read(variant: &'a Variant, shared: &Shared, problems: &mut Problems) -> Option<Self> {
        let stored = Stored::read(variant, shared, problems);
        let fields = match &variant.fields {
            Fields::Named(named) => named.named.iter().collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(unnamed) => {
                problems.at(
                    unnamed,
                    "an event has named fields, as their names are stored: `{ course: CourseId }`",
                );
                return None;
            }
        };
        check_marks(&fields, problems);
        let home = home(&fields, shared, problems);
        let field = |field: &'a Field| {
            let ident = field.ident.as_ref()?;
            Some(EventField { ident, field, is_tag: has(&field.attrs, "tag") || shared.tags.contains(ident) })
        };
        let fields = fields.into_iter().filter_map(field).collect();
        Some(Self { ident: &variant.ident, serde: serde_attributes(&variant.attrs), fields, home, stored })
    }

    /// Every name it ever had, and where each is said.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Span)> {
        let earlier = self.stored.earlier.iter().map(|(name, span)| (name.as_str(), *span));
        std::iter::once((self.stored.name.as_str(), self.stored.name_span)).chain(earlier)
    }
}

/// The field marked `#[stream]`, else the one named for all variants.
fn home(fields: &[&Field], shared: &Shared, problems: &mut Problems) -> Option<usize> {
    let marked: Vec<usize> = (0..fields.len()).filter(|&at| has(&fields[at].attrs, "stream")).collect();
    for &second in marked.iter().skip(1) {
        problems.at(
            fields[second],
            "a second `#[stream]`: an event lives in exactly one stream; keep the mark on one field, and \
             make the other a `#[tag]` to find the event by it",
        );
    }
    let named = || fields.iter().position(|field| shared.stream.is_some() && field.ident == shared.stream);
    marked.first().copied().or_else(named)
}

/// `#[stream]` and `#[tag]` say nothing more.
fn check_marks(fields: &[&Field], problems: &mut Problems) {
    for attribute in fields.iter().flat_map(|field| &field.attrs) {
        let is_mark = attribute.path().is_ident("stream") || attribute.path().is_ident("tag");
        if is_mark && attribute.meta.require_path_only().is_err() {
            problems.at(
                attribute,
                "`#[stream]` and `#[tag]` stand alone: the name comes from the id, `#[id(name = \"..\")]`",
            );
        }
    }
}

impl Stored {
    fn read(variant: &Variant, shared: &Shared, problems: &mut Problems) -> Self {
        let context = shared.context.as_deref();
        let mut stored = Self {
            name: format!("{}.{}", context.unwrap_or_default(), words(&variant.ident, '-')),
            name_span: variant.ident.span(),
            earlier: Vec::new(),
            version: 1,
            upcasts: Vec::new(),
        };
        let mut version = None::<LitInt>;
        let mut is_whole = true;
        for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("event")) {
            let parsed = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("version") {
                    version = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("upcast") {
                    stored.upcasts.extend(list::<Path>(&meta)?);
                } else if meta.path.is_ident("name") {
                    let literal: LitStr = meta.value()?.parse()?;
                    stored.name = stored_name(&literal, context)?;
                    stored.name_span = literal.span();
                } else if meta.path.is_ident("was") {
                    for literal in list::<LitStr>(&meta)? {
                        stored.earlier.push((any_name(&literal)?, literal.span()));
                    }
                } else {
                    return Err(meta.error(
                        "expected `name = \"campus.enrolled\"`, `was(\"campus.old-name\")`, `version = 2` or \
                         `upcast(from_1)`",
                    ));
                }
                Ok(())
            });
            is_whole &= problems.take(parsed).is_some();
        }
        if is_whole {
            stored.check_version(&variant.ident, version.as_ref(), problems);
        }
        stored
    }

    /// There is an upcaster from every version before this one.
    fn check_version(&mut self, ident: &Ident, version: Option<&LitInt>, problems: &mut Problems) {
        let at = version.map_or(ident.span(), LitInt::span);
        if let Some(version) = version {
            let Some(number) = problems.take(version.base10_parse()) else { return };
            self.version = number;
        }
        let (version, count) = (self.version, self.upcasts.len());
        let needed = usize::try_from(version).unwrap_or(usize::MAX).checked_sub(1);
        let text = match needed {
            None => "versions start at 1".to_owned(),
            Some(needed) if needed == count => return,
            Some(needed) if count > needed => format!(
                "`{ident}` has {count} upcaster(s), each from one version to the next, and is at version \
                 {version}: write `version = {}`, or take the spare ones out",
                count + 1
            ),
            Some(needed) => {
                let list: Vec<String> = (1..version.min(6)).map(|from| format!("from_{from}")).collect();
                format!(
                    "`{ident}` is at version {version}, which takes {needed} upcaster(s), and has {count}: \
                     write `upcast({})`, each from one version to the next and the last to the enum",
                    list.join(", ")
                )
            }
        };
        problems.add(syn::Error::new(at, text));
    }
}
