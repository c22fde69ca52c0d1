//! Owns what a `#[meta]` field can take from the record of an event.

use crate::{names::place, problems::Problems};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::{Attribute, Field, Ident, Meta, ext::IdentExt};

/// The parts, and what the type of a field must be able to hold.
const PARTS: [(&str, &str); 10] = [
    ("position", "HoldsPosition"),
    ("id", "HoldsId"),
    ("stream", "HoldsStream"),
    ("revision", "HoldsRevision"),
    ("recorded_at", "HoldsRecordedAt"),
    ("effective_at", "HoldsEffectiveAt"),
    ("actor", "HoldsActor"),
    ("tenant", "HoldsTenant"),
    ("command_id", "HoldsCommandId"),
    ("correlation", "HoldsCorrelation"),
];

/// The expression for a field marked `#[meta]`, over `record`; `None` if it is not marked.
pub(crate) fn value(field: &Field, record: &Ident, problems: &mut Problems) -> Option<TokenStream> {
    let attribute = field.attrs.iter().find(|attribute| attribute.path().is_ident("meta"))?;
    let ident = field.ident.as_ref()?;
    let part = part(attribute, ident, problems)?;
    let name = part.unraw().to_string();
    let Some((_, holds)) = PARTS.iter().find(|(known, _)| name == *known) else {
        let names = PARTS.map(|(known, _)| known).join(", ");
        problems.at(
            &part,
            format!(
                "a record has no `{name}`: `#[meta]` takes {names}; to call the field otherwise, write \
                 `#[meta(recorded_at)] {name}: Timestamp`"
            ),
        );
        return None;
    };
    let (ty, place) = (&field.ty, place(&field.ty));
    let (holds, record) = (Ident::new(holds, place), Ident::new(&record.to_string(), place));
    Some(quote_spanned!(place=> <#ty as __p::#holds>::held(#record)))
}

fn part(attribute: &Attribute, ident: &Ident, problems: &mut Problems) -> Option<Ident> {
    match &attribute.meta {
        Meta::Path(_) => Some(ident.clone()),
        _ => problems.take(attribute.parse_args::<Ident>()),
    }
}
