//! Owns what a `#[meta]` field can take from the record of an event.

use crate::problems::Problems;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Field, Ident, Meta, ext::IdentExt};

const NAMES: &str =
    "position, id, stream, revision, recorded_at, effective_at, actor, command_id, correlation";

/// The expression for a field marked `#[meta]`, over `record`; `None` if it is not marked.
pub(crate) fn value(field: &Field, record: &Ident, problems: &mut Problems) -> Option<TokenStream> {
    let attribute = field.attrs.iter().find(|attribute| attribute.path().is_ident("meta"))?;
    let ident = field.ident.as_ref()?;
    let part = part(attribute, ident, problems)?;
    let clone = quote!(::core::clone::Clone::clone);
    Some(match part.unraw().to_string().as_str() {
        "position" => quote!(#record.position),
        "id" => quote!(#record.id),
        "stream" => quote!(#clone(&#record.stream)),
        "revision" => quote!(#record.revision),
        "recorded_at" => quote!(#record.recorded_at()),
        "effective_at" => quote!(#record.effective_at),
        "actor" => quote!(#record.actor().map(::core::convert::Into::into)),
        "command_id" => quote!(#record.command_id()),
        "correlation" => quote!(#record.commit.correlation()),
        other => {
            problems.at(
                &part,
                format!(
                    "a record has no `{other}`: `#[meta]` takes {NAMES}; to call the field otherwise, write \
                     `#[meta(recorded_at)] {other}: Timestamp`"
                ),
            );
            return None;
        }
    })
}

fn part(attribute: &Attribute, ident: &Ident, problems: &mut Problems) -> Option<Ident> {
    match &attribute.meta {
        Meta::Path(_) => Some(ident.clone()),
        _ => problems.take(attribute.parse_args::<Ident>()),
    }
}
