//! The derives of Factum. They parse, say everything that is wrong with an item at once and where, and
//! then name what `factum-domain` does: no behaviour lives in generated code.
//!
//! Generated code names nothing but `::factum::__private` and `::core`, so that it means the same
//! whatever the user's module has in scope.

mod command;
mod event;
mod id;
mod meta;
mod model;
mod names;
mod problems;
mod reach;
mod reject;
mod subset;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes an enum the events of a context.
#[proc_macro_derive(Event, attributes(event, stream, tag, serde))]
pub fn event(input: TokenStream) -> TokenStream {
    event::expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an enum the part of a context's events that a model reads.
#[proc_macro_derive(Subset, attributes(subset, meta))]
pub fn subset(input: TokenStream) -> TokenStream {
    subset::expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct around one value an id.
#[proc_macro_derive(Id, attributes(id))]
pub fn id(input: TokenStream) -> TokenStream {
    id::expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a decision storable.
#[proc_macro_derive(Command, attributes(command, serde))]
pub fn command(input: TokenStream) -> TokenStream {
    command::expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an error a rejection.
#[proc_macro_derive(Reject, attributes(reject))]
pub fn reject(input: TokenStream) -> TokenStream {
    reject::expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Takes the events of a model from the match arms of its `apply`.
#[proc_macro_attribute]
pub fn model(attribute: TokenStream, item: TokenStream) -> TokenStream {
    model::expand(&attribute.into(), parse_macro_input!(item as syn::ItemImpl)).into()
}
