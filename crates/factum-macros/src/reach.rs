//! Owns the generated side of the scope check: which variants a set of events holds, and that each
//! carries what a scope selects by. Errors are to underline the variant.

use crate::names::place;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Type, ext::IdentExt};

/// Where the variant stands among those of `of`, as a constant.
pub(crate) fn variant_index(of: &Type, variant: &Ident) -> TokenStream {
    let name = variant.unraw().to_string();
    quote!({ __p::variant_index(<#of as __p::Event>::VARIANTS, #name) })
}

/// The descriptors of these variants of `of`.
pub(crate) fn descriptors(of: &Type, variants: &[&Ident]) -> TokenStream {
    let all = variants.iter().map(|variant| {
        let index = variant_index(of, variant);
        quote!(__p::descriptor_at(<#of as __p::EventSet>::TYPES, #index))
    });
    quote!(&[#(#all),*])
}

/// `set` is reached by the scopes that reach each of these variants of `of`.
pub(crate) fn reached_by(set: &TokenStream, of: &Type, variants: &[(&Ident, TokenStream)]) -> TokenStream {
    let tagged = variants
        .iter()
        .map(|(variant, index)| quote_spanned!(place(*variant)=> #of: __p::HasTag<#index, __K>));
    let streams = variants
        .iter()
        .map(|(variant, index)| quote_spanned!(place(*variant)=> #of: __p::HasStream<#index, __K>));
    quote! {
        #[automatically_derived]
        impl<__K: __p::Id> __p::ReachedBy<__p::Tagged<__K>> for #set where #(#tagged,)* {}
        #[automatically_derived]
        impl<__K: __p::Id> __p::ReachedBy<__p::Stream<__K>> for #set where #(#streams,)* {}
    }
}

/// `set` is reached by every scope: a stand-in for a set that is wrong in itself.
pub(crate) fn reached_by_all(set: &TokenStream) -> TokenStream {
    reached_by(set, &syn::parse_quote!(#set), &[])
}
