//! `derive(Subset)`: the events a model reads, with only the fields it reads.

use crate::{meta, names::has, problems::Problems, reach};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident, Path, Type, Variant, ext::IdentExt};

const FIELDS: &str =
    "a subset names the fields it reads, `Enrolled { course: CourseId }`, or none, `Enrolled`";

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    problems.no_generics("a subset", &input.generics);
    let of = of(input, &mut problems);
    let record = format_ident!("__record");
    let mut arms = Vec::new();
    let mut variants = Vec::new();
    match &input.data {
        Data::Enum(data) if !data.variants.is_empty() => {
            for variant in &data.variants {
                variants.push(&variant.ident);
                if let Fields::Unnamed(fields) = &variant.fields {
                    problems.at(fields, FIELDS);
                    continue;
                }
                arms.extend(of.as_ref().and_then(|of| arm(of, input, variant, &record, &mut problems)));
            }
        }
        _ => problems.at(&input.ident, "a subset is an enum with one variant for each event it reads"),
    }
    let name = &input.ident;
    let stub = stub(&quote!(#name));
    problems.or(
        || {
            of.as_ref()
                .map(|of| implement(name, &syn::parse_quote!(#of), &variants, &arms, &record))
                .unwrap_or_default()
        },
        stub,
    )
}

fn of(input: &DeriveInput, problems: &mut Problems) -> Option<Path> {
    let (mut of, mut said) = (None, false);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("subset")) {
        said = true;
        let parsed = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("of") {
                return Err(meta.error("expected `of = CampusEvent`"));
            }
            of = Some(meta.value()?.parse()?);
            Ok(())
        });
        problems.take(parsed);
    }
    if !said {
        problems.at(&input.ident, "a subset says which events it is part of: #[subset(of = CampusEvent)]");
    }
    of
}

fn arm(
    of: &Path,
    input: &DeriveInput,
    variant: &Variant,
    record: &Ident,
    problems: &mut Problems,
) -> Option<TokenStream> {
    let (set, ident) = (&input.ident, &variant.ident);
    let (mut reads, mut gives) = (Vec::new(), Vec::new());
    for field in &variant.fields {
        let name = field.ident.as_ref()?;
        if has(&field.attrs, "meta") {
            let value = meta::value(field, record, problems)?;
            gives.push(quote!(#name: #value));
        } else {
            let local = format_ident!("__{}", name.unraw(), span = name.span());
            reads.push(quote!(#name: #local));
            gives.push(quote!(#name: #local));
        }
    }
    Some(quote! {
        ::core::option::Option::Some(#of::#ident { #(#reads,)* .. }) => {
            ::core::option::Option::Some(#set::#ident { #(#gives),* })
        }
    })
}

fn implement(
    set: &Ident,
    of: &Type,
    variants: &[&Ident],
    arms: &[TokenStream],
    record: &Ident,
) -> TokenStream {
    let types = reach::descriptors(of, variants);
    let indexed: Vec<_> = variants.iter().map(|&variant| (variant, reach::variant_of(of, variant))).collect();
    let reached_by = reach::reached_by(&quote!(#set), set.span(), &indexed);
    quote! {
        const _: () = {
            use ::factum::__private as __p;
            #[automatically_derived]
            impl __p::EventSet for #set {
                const TYPES: &'static [__p::EventDescriptor] = #types;

                fn decode(
                    #record: &__p::RecordedEvent,
                ) -> ::core::result::Result<::core::option::Option<Self>, __p::DecodeError> {
                    if !__p::includes(<Self as __p::EventSet>::TYPES, #record) {
                        return ::core::result::Result::Ok(::core::option::Option::None);
                    }
                    ::core::result::Result::Ok(match <#of as __p::EventSet>::decode(#record)? {
                        #(#arms)*
                        _ => ::core::option::Option::None,
                    })
                }
            }
            #reached_by
        };
    }
}

/// Stands in for a set that is wrong in itself.
pub(crate) fn stub(set: &TokenStream) -> TokenStream {
    stub_with(set, &quote!(&[]))
}

/// The same, with these descriptors.
pub(crate) fn stub_with(set: &TokenStream, types: &TokenStream) -> TokenStream {
    let reached_by = reach::reached_by_all(set);
    quote! {
        const _: () = {
            use ::factum::__private as __p;
            #[automatically_derived]
            impl __p::EventSet for #set {
                const TYPES: &'static [__p::EventDescriptor] = #types;

                fn decode(
                    _: &__p::RecordedEvent,
                ) -> ::core::result::Result<::core::option::Option<Self>, __p::DecodeError> {
                    ::core::unreachable!()
                }
            }
            #reached_by
        };
    }
}
