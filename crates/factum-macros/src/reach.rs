//! Owns the generated side of the scope check: which variants a set of events holds, and that each
//! carries what a scope selects by. Errors are to underline the variant
//! and to name it.

use proc_macro2::{Span, TokenStream};
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

/// The type that stands for this variant of `of`.
pub(crate) fn variant_of(of: &Type, variant: &Ident) -> TokenStream {
    let index = variant_index(of, variant);
    quote_spanned!(variant.span()=> <#of as __VariantAt<#index>>::Variant)
}

/// `set` is reached by the scopes that reach each of these variants, given by their types.
///
/// As if the user had written it beside the enum: for an impl that looks derived the compiler advises to
/// write it by hand. So names are imported, since lints about qualified names apply.
pub(crate) fn reached_by(set: &TokenStream, place: Span, variants: &[(&Ident, TokenStream)]) -> TokenStream {
    let tagged = variants.iter().map(|(variant, ty)| quote_spanned!(variant.span()=> #ty: __CarriesTag<__K>));
    let streams =
        variants.iter().map(|(variant, ty)| quote_spanned!(variant.span()=> #ty: __LivesInStreamOf<__K>));
    let impls = quote_spanned! {place=>
        impl<__K: __Id> __ReachedBy<__Tagged<__K>> for #set where #(#tagged,)* {}
        impl<__K: __Id> __ReachedBy<__Stream<__K>> for #set where #(#streams,)* {}
    };
    quote! {
        use ::factum::__private::{
            CarriesTag as __CarriesTag, Id as __Id, LivesInStreamOf as __LivesInStreamOf,
            ReachedBy as __ReachedBy, Stream as __Stream, Tagged as __Tagged, VariantAt as __VariantAt,
        };
        #impls
    }
}

/// `set` is reached by every scope: a stand-in for a set that is wrong in itself.
pub(crate) fn reached_by_all(set: &TokenStream) -> TokenStream {
    quote! {
        impl<__K: __p::Id> __p::ReachedBy<__p::Tagged<__K>> for #set {}
        impl<__K: __p::Id> __p::ReachedBy<__p::Stream<__K>> for #set {}
    }
}
