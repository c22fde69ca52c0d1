//! `derive(Id)`: everything an id needs, from the one value it wraps.

use crate::{
    names::{place, words},
    problems::Problems,
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Fields, LitStr, Type};

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    problems.no_generics("an id", &input.generics);
    let kind = kind(input, &mut problems);
    refuse_own_derives(input, &mut problems);
    let inner = inner(input);
    if inner.is_none() {
        let name = &input.ident;
        problems.at(name, format!("an id wraps one value: struct {name}(Uuid);"));
    }
    problems.or(|| inner.map(|inner| implement(input, inner, &kind)).unwrap_or_default(), TokenStream::new())
}

fn inner(input: &DeriveInput) -> Option<&Type> {
    let Data::Struct(data) = &input.data else { return None };
    match &data.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first().map(|field| &field.ty),
        _ => None,
    }
}

/// The kind: what `#[id(name = "..")]` says, else the name of the type without `Id`.
fn kind(input: &DeriveInput, problems: &mut Problems) -> String {
    let words = words(&input.ident, '_');
    let mut kind = words.strip_suffix("_id").unwrap_or(&words).to_owned();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("id")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("expected `name = \"course\"`"));
            }
            let name: LitStr = meta.value()?.parse()?;
            kind = name.value();
            let plain = kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            if kind.is_empty() || !plain {
                return Err(syn::Error::new(
                    name.span(),
                    "the name of an id is letters, digits, `_` and `.`: it begins the tag `name:value` and \
                     the stream `name-value`",
                ));
            }
            Ok(())
        });
        problems.take(parsed);
    }
    kind
}

/// A derive in the same list cannot be seen from here; one in a list of its own can.
fn refuse_own_derives(input: &DeriveInput, problems: &mut Problems) {
    const MADE: [&str; 9] =
        ["Clone", "Copy", "Debug", "PartialEq", "Eq", "Hash", "PartialOrd", "Ord", "Serialize"];
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        let refused = attribute.parse_nested_meta(|meta| match meta.path.segments.last() {
            Some(last) if MADE.iter().any(|name| last.ident == name) || last.ident == "Deserialize" => {
                let name = &last.ident;
                Err(meta.error(format!("`derive(Id)` makes `{name}` itself: take it out of the list")))
            }
            _ => Ok(()),
        });
        problems.take(refused);
    }
}

fn implement(input: &DeriveInput, inner: &Type, kind: &str) -> TokenStream {
    let name = &input.ident;
    let always = always(input, inner, kind);
    let inherited = inherited(input, inner);
    quote! {
        const _: () = {
            use ::factum::__private as __p;
            #always
            #inherited
            #[automatically_derived]
            impl __p::Id for #name {
                const NAME: &'static str = #kind;
                type Value = #inner;

                fn new(value: #inner) -> Self {
                    Self(value)
                }

                fn get(&self) -> &#inner {
                    &self.0
                }
            }
        };
    }
}

/// What every inner type of an id has, said where the type stands.
fn always(input: &DeriveInput, inner: &Type, kind: &str) -> TokenStream {
    let name = &input.ident;
    let shown = format!("{kind}:{{}}");
    let value = quote_spanned!(place(inner)=> <#inner as __p::IdValue>);
    quote! {
        #[automatically_derived]
        impl ::core::clone::Clone for #name {
            fn clone(&self) -> Self {
                Self(#value::clone_value(&self.0))
            }
        }
        #[automatically_derived]
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_fmt(::core::format_args!(#shown, self))
            }
        }
        #[automatically_derived]
        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #value::show(&self.0, f)
            }
        }
        #[automatically_derived]
        impl ::core::cmp::PartialEq for #name {
            fn eq(&self, other: &Self) -> bool {
                #value::is_same(&self.0, &other.0)
            }
        }
        #[automatically_derived]
        impl ::core::cmp::Eq for #name {}
        #[automatically_derived]
        impl ::core::hash::Hash for #name {
            fn hash<__H: ::core::hash::Hasher>(&self, state: &mut __H) {
                #value::hash_value(&self.0, state);
            }
        }
        #[automatically_derived]
        impl ::core::convert::From<#inner> for #name {
            fn from(value: #inner) -> Self {
                Self(value)
            }
        }
        #[automatically_derived]
        impl __p::serde::Serialize for #name {
            fn serialize<__S: __p::serde::Serializer>(
                &self,
                to: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                #value::write(&self.0, to)
            }
        }
        #[automatically_derived]
        impl<'de> __p::serde::Deserialize<'de> for #name {
            fn deserialize<__D: __p::serde::Deserializer<'de>>(
                from: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                ::core::result::Result::map(#value::read(from), Self)
            }
        }
    }
}

/// What an inner type may have. The unused lifetime keeps the compiler from asking for it at once: where
/// the inner type lacks the trait, the id does too.
fn inherited(input: &DeriveInput, inner: &Type) -> TokenStream {
    let name = &input.ident;
    quote! {
        #[automatically_derived]
        impl ::core::marker::Copy for #name where for<'__factum> #inner: ::core::marker::Copy {}
        #[automatically_derived]
        impl ::core::cmp::PartialOrd for #name
        where
            for<'__factum> #inner: ::core::cmp::PartialOrd,
        {
            fn partial_cmp(&self, other: &Self) -> ::core::option::Option<::core::cmp::Ordering> {
                ::core::cmp::PartialOrd::partial_cmp(&self.0, &other.0)
            }
        }
        #[automatically_derived]
        impl ::core::cmp::Ord for #name
        where
            for<'__factum> #inner: ::core::cmp::Ord,
        {
            fn cmp(&self, other: &Self) -> ::core::cmp::Ordering {
                ::core::cmp::Ord::cmp(&self.0, &other.0)
            }
        }
        #[automatically_derived]
        impl<'__text> ::core::convert::From<&'__text str> for #name
        where
            for<'__factum> #inner: ::core::convert::From<&'__text str>,
        {
            fn from(text: &'__text str) -> Self {
                Self(::core::convert::From::from(text))
            }
        }
        #[automatically_derived]
        impl ::core::str::FromStr for #name
        where
            for<'__factum> #inner: ::core::str::FromStr,
        {
            type Err = <#inner as ::core::str::FromStr>::Err;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                ::core::result::Result::map(<#inner as ::core::str::FromStr>::from_str(text), Self)
            }
        }
    }
}
