//! Owns what a `#[meta]` field can take from the record of an event.

use crate::{names::place, problems::Problems};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::{Attribute, Field, Ident, Meta, ext::IdentExt};

const NAMES: &str =
    "position, id, stream, revision, recorded_at, effective_at, actor, command_id, correlation";

/// The expression for a field marked `#[meta]`, over `record`; `None` if it is not marked.
pub(crate) fn value(field: &Field, record: &Ident, problems: &mut Problems) -> Option<TokenStream> {
    let attribute = field.attrs.iter().find(|attribute| attribute.path().is_ident("meta"))?;
    let ident = field.ident.as_ref()?;
    let part = part(attribute, ident, problems)?;
    let place = place(ident);
    let record = Ident::new(&record.to_string(), place);
    Some(match part.unraw().to_string().as_str() {
        "position" => quote_spanned!(place=> #record.position),
        "id" => quote_spanned!(place=> #record.id),
        "stream" => quote_spanned!(place=> ::core::clone::Clone::clone(&#record.stream)),
        "revision" => quote_spanned!(place=> #record.revision),
        "recorded_at" => quote_spanned!(place=> #record.recorded_at()),
        "effective_at" => quote_spanned!(place=> #record.effective_at),
        "actor" => quote_spanned!(place=> #record.actor().map(::core::convert::Into::into)),
        "command_id" => quote_spanned!(place=> #record.command_id()),
        "correlation" => quote_spanned!(place=> #record.commit.correlation()),
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
