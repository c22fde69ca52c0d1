//! `derive(Event)`: the stored form of each variant, its tags and its home, and what can be read of it.

mod code;
mod variant;

use crate::{
    names::{context_name, list},
    problems::Problems,
};
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashMap;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, meta::ParseNestedMeta, token};
use variant::EventVariant;

/// What the attribute on the enum says for all variants.
#[derive(Default)]
struct Shared {
    /// Absent if it was not said or is not one: then every name would be wrong, and none is checked.
    context: Option<String>,
    stream: Option<Ident>,
    tags: Vec<Ident>,
}

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    problems.no_generics("an event enum", &input.generics);
    let shared = Shared::read(input, &mut problems);
    let mut variants = Vec::new();
    match &input.data {
        Data::Enum(data) if !data.variants.is_empty() => {
            for variant in &data.variants {
                variants.extend(EventVariant::read(variant, &shared, &mut problems));
            }
            check_fields_exist(input, &shared, &mut problems);
            check_names_differ(&variants, &mut problems);
        }
        _ => problems.at(&input.ident, "events are an enum with one variant for each thing that can happen"),
    }
    let name = &input.ident;
    let stub = stub(&quote!(#name), &input.data);
    let context = shared.context.unwrap_or_default();
    problems.or(|| code::implement(name, &context, &variants), stub)
}

impl Shared {
    fn read(input: &DeriveInput, problems: &mut Problems) -> Self {
        let (mut shared, mut said) = (Self::default(), false);
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("event")) {
            let parsed = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("context") {
                    said = true;
                    shared.context = problems.take(context_name(&meta.value()?.parse::<LitStr>()?));
                } else if meta.path.is_ident("stream") {
                    shared.stream = Some(one_stream(&meta)?);
                } else if meta.path.is_ident("tags") {
                    shared.tags.extend(list::<Ident>(&meta)?);
                } else {
                    return Err(meta.error(
                        "expected `context = \"campus\"`, `stream = field` or `tags(field, ..)`; what \
                         concerns one event stands on its variant",
                    ));
                }
                Ok(())
            });
            said |= problems.take(parsed).is_none();
        }
        if !said {
            problems.at(
                &input.ident,
                "an event enum names its context, which begins every stored name: #[event(context = \
                 \"campus\")]",
            );
        }
        shared
    }
}

fn one_stream(meta: &ParseNestedMeta<'_>) -> syn::Result<Ident> {
    if meta.input.peek(token::Paren) {
        let fields = list::<Ident>(meta)?;
        let (home, all) = (fields.first().map(Ident::to_string), fields.iter().map(Ident::to_string));
        let (home, all) = (home.unwrap_or("course".to_owned()), all.collect::<Vec<_>>().join(", "));
        return Err(meta.error(format!(
            "an event lives in one stream: write `stream = {home}`; to find it by each of several ids, add \
             `tags({all})`"
        )));
    }
    meta.value()?.parse()
}

/// A field named for all variants stands in one of them at least. Where a variant has fields without names,
/// that is what is wrong.
fn check_fields_exist(input: &DeriveInput, shared: &Shared, problems: &mut Problems) {
    let Data::Enum(data) = &input.data else { return };
    if data.variants.iter().any(|variant| matches!(variant.fields, Fields::Unnamed(_))) {
        return;
    }
    let mut known: Vec<String> = Vec::new();
    for field in data.variants.iter().flat_map(|variant| &variant.fields) {
        let name = field.ident.as_ref().map(Ident::to_string).unwrap_or_default();
        if !known.contains(&name) {
            known.push(name);
        }
    }
    for field in shared.stream.iter().chain(&shared.tags) {
        if !known.contains(&field.to_string()) {
            let name = &input.ident;
            let known = if known.is_empty() { "no fields".to_owned() } else { known.join(", ") };
            problems.at(field, format!("no event of `{name}` has a field `{field}`: they have {known}"));
        }
    }
}

/// A stored name means one event.
fn check_names_differ(variants: &[EventVariant<'_>], problems: &mut Problems) {
    let mut taken: HashMap<&str, &Ident> = HashMap::new();
    for variant in variants {
        for (name, span) in variant.names() {
            match taken.get(name) {
                Some(other) if *other == variant.ident => {
                    problems.add(syn::Error::new(span, format!("`{name}` is a name of this event already")));
                }
                Some(other) => problems.add(syn::Error::new(
                    span,
                    format!(
                        "`{name}` is a stored name of `{other}` as well: what is read under it could be \
                         either; give this event another name"
                    ),
                )),
                None => {
                    taken.insert(name, variant.ident);
                }
            }
        }
    }
}

/// Stands in for an enum that is wrong in itself.
fn stub(name: &TokenStream, data: &Data) -> TokenStream {
    let variants: Vec<String> = match data {
        Data::Enum(data) => data.variants.iter().map(|variant| variant.ident.to_string()).collect(),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    let indices = 0..variants.len();
    let set = crate::subset::stub_with(
        name,
        &quote!(&[#(__p::EventDescriptor { name: #variants, earlier: &[], version: 1 }),*]),
    );
    quote! {
        #set
        const _: () = {
            use ::factum::__private as __p;
            #[automatically_derived]
            impl __p::Event for #name {
                const VARIANTS: &'static [&'static str] = &[#(#variants),*];

                fn to_new(&self) -> __p::NewEvent {
                    ::core::unreachable!()
                }
            }
            #(
                #[automatically_derived]
                impl __p::VariantAt<#indices> for #name {
                    type Variant = __p::UnknownVariant;
                }
            )*
        };
    }
}
