//! `derive(Command)`: the stored form of what was asked, through a shadow of the type that serde
//! derives for. So the type itself may derive serde for other uses, or not.

use crate::{
    names::{serde_attributes, stored_name},
    problems::Problems,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Field, Fields, LitInt, LitStr, Type};

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    owns_what_it_asks_for(input, &mut problems);
    let (name, version) = name_and_version(input, &mut problems);
    if let Data::Union(_) = input.data {
        problems.at(&input.ident, "a command is a struct or an enum");
    }
    let stub = implement(input, "", 1, &quote!(::core::unreachable!()), &quote!(::core::unreachable!()));
    problems.or(|| stored(input, &name, version), stub)
}

/// A lifetime is the likeliest parameter, and comes with the references that are refused beside it.
fn owns_what_it_asks_for(input: &DeriveInput, problems: &mut Problems) {
    const OWNS: &str = "a command owns what it asks for, since it is stored: write `String` where there is \
                        `&str`, `Vec<T>` for `&[T]`, `T` for `&T`, and take the lifetime out";
    if input.generics.lifetimes().next().is_some() {
        problems.parametric(&input.generics, OWNS);
        return;
    }
    problems.no_generics("a command", &input.generics);
    let fields: Vec<&Field> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    for field in fields.into_iter().filter(|field| matches!(field.ty, Type::Reference(_))) {
        problems.at(&field.ty, OWNS);
    }
}

fn name_and_version(input: &DeriveInput, problems: &mut Problems) -> (String, u32) {
    let (mut name, mut version) = (None, 1);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("command")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                let literal: LitStr = meta.value()?.parse()?;
                name = Some(problems.take(stored_name(&literal, None)).unwrap_or_default());
            } else if meta.path.is_ident("version") {
                let literal: LitInt = meta.value()?.parse()?;
                version = literal.base10_parse()?;
                if version == 0 {
                    return Err(syn::Error::new(literal.span(), "versions start at 1"));
                }
            } else {
                return Err(meta.error("expected `name = \"campus.enrol\"` or `version = 2`"));
            }
            Ok(())
        });
        if problems.take(parsed).is_none() {
            name.get_or_insert_default();
        }
    }
    if name.is_none() {
        problems.at(
            &input.ident,
            "a command is stored, so its name is written down and never taken from the type: \
             #[command(name = \"campus.enrol\")]",
        );
    }
    (name.unwrap_or_default(), version)
}

fn stored(input: &DeriveInput, name: &str, version: u32) -> TokenStream {
    let shadow = shadow(input);
    let encode = quote!(__p::encode_command(#name, |to| __FactumStored::serialize(self, to)));
    let decode = quote!(__p::decode_command(#name, stored, |from| __FactumStored::deserialize(from)));
    let implementation = implement(input, name, version, &encode, &decode);
    quote! {
        const _: () = {
            use ::factum::__private as __p;
            #shadow
            #implementation
        };
    }
}

fn implement(
    input: &DeriveInput,
    name: &str,
    version: u32,
    encode: &TokenStream,
    decode: &TokenStream,
) -> TokenStream {
    let ident = &input.ident;
    quote! {
        #[automatically_derived]
        impl ::factum::__private::Command for #ident {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;

            fn encode(&self) -> ::factum::__private::Bytes {
                #encode
            }

            fn decode(
                stored: &[u8],
            ) -> ::core::result::Result<Self, ::factum::__private::CommandDecodeError> {
                #decode
            }
        }
    }
}

/// Serde reads and writes the user's type as if it were this one.
fn shadow(input: &DeriveInput) -> TokenStream {
    let remote = input.ident.to_string();
    let container = serde_attributes(&input.attrs);
    let head = quote! {
        #[derive(__p::serde::Serialize, __p::serde::Deserialize)]
        #[serde(crate = "__p::serde", remote = #remote)]
        #(#container)*
        #[allow(dead_code)]
    };
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                let fields = fields.named.iter().map(shadow_field);
                quote!(#head struct __FactumStored { #(#fields),* })
            }
            Fields::Unnamed(fields) => {
                let fields = fields.unnamed.iter().map(shadow_field);
                quote!(#head struct __FactumStored(#(#fields),*);)
            }
            Fields::Unit => quote!(#head struct __FactumStored;),
        },
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                let (attributes, ident) = (serde_attributes(&variant.attrs), &variant.ident);
                let fields = variant.fields.iter().map(shadow_field);
                match &variant.fields {
                    Fields::Named(_) => quote!(#(#attributes)* #ident { #(#fields),* }),
                    Fields::Unnamed(_) => quote!(#(#attributes)* #ident(#(#fields),*)),
                    Fields::Unit => quote!(#(#attributes)* #ident),
                }
            });
            quote!(#head enum __FactumStored { #(#variants),* })
        }
        Data::Union(_) => TokenStream::new(),
    }
}

fn shadow_field(field: &Field) -> TokenStream {
    let (attributes, ty) = (serde_attributes(&field.attrs), &field.ty);
    match &field.ident {
        Some(ident) => quote!(#(#attributes)* #ident: #ty),
        None => quote!(#(#attributes)* #ty),
    }
}
