//! Owns what is generated for an event enum. Each variant is written from a struct of references and read
//! into a struct of its own, both local to a `const _` block, so the user's type needs no serde.

use super::variant::EventVariant;
use crate::{
    names::{element, place, serde_attributes},
    reach,
};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, ext::IdentExt};

pub(super) fn implement(name: &Ident, context: &str, variants: &[EventVariant<'_>]) -> TokenStream {
    let idents = variants.iter().map(|variant| variant.ident.unraw().to_string());
    let types = variants.iter().map(descriptor);
    let parts: Vec<Part<'_>> =
        variants.iter().enumerate().map(|(index, variant)| Part { name, context, index, variant }).collect();
    let shadows = parts.iter().map(Part::shadows);
    let (writes, reads) = (parts.iter().map(Part::write), parts.iter().map(Part::read));
    let kinds = kinds(name, &parts);
    quote! {
        const _: () = {
            use ::factum::__private as __p;
            #(#shadows)*
            #[automatically_derived]
            impl __p::EventSet for #name {
                const TYPES: &'static [__p::EventDescriptor] = &[#(#types),*];
                const CONTEXT: ::core::option::Option<&'static str> = ::core::option::Option::Some(#context);

                fn decode(
                    __record: &__p::RecordedEvent,
                ) -> ::core::result::Result<::core::option::Option<Self>, __p::DecodeError> {
                    let __event = match __record.event_type.as_str() {
                        #(#reads)*
                        _ => return ::core::result::Result::Ok(::core::option::Option::None),
                    };
                    ::core::result::Result::Ok(::core::option::Option::Some(__event))
                }
            }
            #[automatically_derived]
            impl __p::Event for #name {
                const VARIANTS: &'static [&'static str] = &[#(#idents),*];

                fn to_new(&self) -> __p::NewEvent {
                    match self {
                        #(#writes)*
                    }
                }
            }
            #kinds
        };
    }
}

/// A type for each variant, and which scopes reach it. The types stand in a module with the name of the
/// enum, and for that in a block of its own: messages then speak of `CampusEvent::Enrolled`.
fn kinds(name: &Ident, parts: &[Part<'_>]) -> TokenStream {
    let idents = parts.iter().map(|part| part.variant.ident);
    let indices = parts.iter().map(|part| part.index);
    let marks = parts.iter().map(Part::marks);
    let variants: Vec<_> =
        idents.clone().map(|ident| (ident, quote_spanned!(ident.span()=> #name::#ident))).collect();
    let stand_ins = idents.clone().map(|ident| {
        quote_spanned! {place(ident)=>
            /// This kind of event.
            #[derive(::core::fmt::Debug)]
            pub enum #ident {}
        }
    });
    let reached_by = reach::reached_by(&quote_spanned!(name.span()=> __FactumEvents), name.span(), &variants);
    quote! {
        type __FactumEvents = #name;
        const _: () = {
            /// The kinds of event.
            #[allow(non_snake_case, non_camel_case_types)]
            pub mod #name {
                #(#stand_ins)*
            }
            #(
                #[automatically_derived]
                impl __VariantAt<#indices> for __FactumEvents {
                    type Variant = #name::#idents;
                }
            )*
            #(#marks)*
            #reached_by
        };
    }
}

fn descriptor(variant: &EventVariant<'_>) -> TokenStream {
    let (name, version) = (&variant.stored.name, variant.stored.version);
    let earlier = variant.stored.earlier.iter().map(|(name, _)| name);
    quote!(__p::EventDescriptor { name: #name, earlier: &[#(#earlier),*], version: #version })
}

/// One variant and where it stands.
struct Part<'a> {
    name: &'a Ident,
    context: &'a str,
    index: usize,
    variant: &'a EventVariant<'a>,
}

impl Part<'_> {
    /// Which scopes reach it. Two fields of one id are one mark.
    fn marks(&self) -> TokenStream {
        let (name, ident) = (self.name, self.variant.ident);
        let home = self.variant.home.map(|at| {
            let ty = &self.variant.fields[at].field.ty;
            quote! {
                #[automatically_derived]
                #[diagnostic::do_not_recommend]
                impl __p::LivesInStreamOf<#ty> for #name::#ident {}
            }
        });
        let mut seen: Vec<String> = Vec::new();
        let mut tags = Vec::new();
        for field in self.variant.fields.iter().filter(|field| field.is_tag) {
            let id = element(&field.field.ty);
            let text = id.to_token_stream().to_string();
            if seen.contains(&text) {
                continue;
            }
            seen.push(text);
            tags.push(quote! {
                #[automatically_derived]
                #[diagnostic::do_not_recommend]
                impl __p::CarriesTag<#id> for #name::#ident {}
            });
        }
        quote!(#home #(#tags)*)
    }

    fn shadow_names(&self) -> (Ident, Ident) {
        let ident = self.variant.ident.unraw();
        (format_ident!("__Factum{ident}Written"), format_ident!("__Factum{ident}Read"))
    }

    /// A field that serde skips is never read in them, hence the `allow`.
    fn shadows(&self) -> TokenStream {
        let (written, read) = self.shadow_names();
        let container = &self.variant.serde;
        let fields = self.variant.fields.iter().map(|field| {
            let (serde, ident, ty) = (serde_attributes(&field.field.attrs), field.ident, &field.field.ty);
            (quote!(#(#serde)* #ident: &'__factum #ty), quote!(#(#serde)* #ident: #ty))
        });
        let (borrowed, owned): (Vec<_>, Vec<_>) = fields.unzip();
        let lifetime = (!borrowed.is_empty()).then(|| quote!(<'__factum>));
        quote! {
            #[derive(__p::serde::Serialize)]
            #[serde(crate = "__p::serde")]
            #(#container)*
            #[allow(dead_code)]
            struct #written #lifetime { #(#borrowed),* }
            #[derive(__p::serde::Deserialize)]
            #[serde(crate = "__p::serde")]
            #(#container)*
            #[allow(dead_code)]
            struct #read { #(#owned),* }
        }
    }

    /// The arm of `to_new`.
    fn write(&self) -> TokenStream {
        let (name, ident, index) = (self.name, self.variant.ident, self.index);
        let (written, _) = self.shadow_names();
        let (fields, locals) = self.fields_and_locals();
        let stored = &self.variant.stored.name;
        let home = match self.variant.home {
            None => {
                let context = self.context;
                quote!(__p::StreamName::unchecked(#context))
            }
            Some(at) => {
                let (local, ty) = (&locals[at], &self.variant.fields[at].field.ty);
                quote_spanned!(place(ty)=> <#ty as __p::Id>::stream(#local))
            }
        };
        let tags = self.variant.fields.iter().zip(&locals).filter(|(field, _)| field.is_tag);
        let tags: Vec<_> = tags
            .map(|(field, local)| {
                let ty = &field.field.ty;
                let id = element(ty);
                quote_spanned!(place(ty)=> <#ty as __p::TagField<#id>>::tags(#local, &mut __tags);)
            })
            .collect();
        let mutable = (!tags.is_empty()).then(|| quote!(mut));
        quote! {
            #name::#ident { #(#fields: #locals),* } => {
                let #mutable __tags = ::std::vec::Vec::new();
                #(#tags)*
                let __payload = __p::encode_payload(&#written { #(#fields: #locals),* }, #stored);
                __p::new_event(&<#name as __p::EventSet>::TYPES[#index], #home, __tags, __payload)
            }
        }
    }

    /// The arm of `decode`.
    fn read(&self) -> TokenStream {
        let (name, ident) = (self.name, self.variant.ident);
        let (_, read) = self.shadow_names();
        let (fields, locals) = self.fields_and_locals();
        let names = self.variant.names().map(|(name, _)| name);
        let version = self.variant.stored.version;
        let earlier = (1..version).zip(0..).map(|(from, at)| {
            let upcast = self.upcast(at);
            quote!(#from => #upcast,)
        });
        quote! {
            #(#names)|* => match __record.version {
                #(#earlier)*
                #version => {
                    let #read { #(#fields: #locals),* } = __p::decode_payload(__record)?;
                    #name::#ident { #(#fields: #locals),* }
                }
                _ => return ::core::result::Result::Err(__p::newer(__record, #version)),
            },
        }
    }

    /// From the version that the upcaster at `first` reads to the enum.
    fn upcast(&self, first: usize) -> TokenStream {
        let (name, ident) = (self.name, self.variant.ident);
        let text = ident.unraw().to_string();
        let old = quote!(__p::decode_payload(__record)?);
        let upcasts = &self.variant.stored.upcasts[first..];
        let call = upcasts.iter().fold(old, |old, upcast| quote_spanned!(place(upcast)=> #upcast(#old)));
        quote! {{
            let __event: #name = #call;
            let __same = ::core::matches!(&__event, #name::#ident { .. });
            __p::same_variant(__event, __same, #text, __record)?
        }}
    }

    /// The fields, and names for their values that no field has.
    fn fields_and_locals(&self) -> (Vec<&Ident>, Vec<Ident>) {
        let fields: Vec<&Ident> = self.variant.fields.iter().map(|field| field.ident).collect();
        let local = |ident: &&Ident| format_ident!("__field_{}", ident.unraw(), span = ident.span());
        let locals = fields.iter().map(local).collect();
        (fields, locals)
    }
}
