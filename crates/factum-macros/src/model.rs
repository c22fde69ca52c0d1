//! `#[model]`: query, scope check and fold from one place, the match arms of `apply`.

use crate::{names::place, problems::Problems, reach};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Expr, ExprMatch, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, Stmt, Type, spanned::Spanned,
};

const SHAPE: &str = "#[model] takes the events from the arms of \
                     `fn apply(&mut self, event: CampusEvent) { match event { .. } }`; \
                     for any other fold write `type Event` with a `#[derive(Subset)]` enum, and no #[model]";

pub(crate) fn expand(attribute: &TokenStream, mut item: ItemImpl) -> TokenStream {
    let mut problems = Problems::default();
    if !attribute.is_empty() {
        problems.at(attribute, "#[model] stands alone: scope and events are said in the impl");
    }
    if let Some(event) = event_type(&item) {
        problems.at(event, "#[model] makes `type Event` from the match arms: remove this line, or #[model]");
    }
    let read = read(&mut item, &mut problems);
    let stub = stub(&item);
    problems.or(|| read.map(|read| implement(item, &read)).unwrap_or_default(), stub)
}

/// What is found in `apply`.
struct Read {
    /// The event enum.
    of: Box<Type>,
    /// The variants its arms name, each once.
    variants: Vec<Ident>,
}

fn read(item: &mut ItemImpl, problems: &mut Problems) -> Option<Read> {
    let Some(apply) = apply(item) else {
        problems.at(&item.self_ty, SHAPE);
        return None;
    };
    let Some((of, parameter)) = parameter(apply) else {
        problems.at(&apply.sig, SHAPE);
        return None;
    };
    let Some(body) = body(apply, &parameter) else {
        problems.at(&apply.sig.ident, SHAPE);
        return None;
    };
    let mut variants = Vec::new();
    for arm in &body.arms {
        collect(&arm.pat, &mut variants, problems);
    }
    Some(Read { of, variants })
}

fn event_type(item: &ItemImpl) -> Option<&ImplItem> {
    item.items.iter().find(|item| matches!(item, ImplItem::Type(ty) if ty.ident == "Event"))
}

fn apply(item: &mut ItemImpl) -> Option<&mut ImplItemFn> {
    item.items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "apply" => Some(function),
        _ => None,
    })
}

/// The type and the name of the event.
fn parameter(apply: &ImplItemFn) -> Option<(Box<Type>, Ident)> {
    match apply.sig.inputs.iter().nth(1)? {
        FnArg::Typed(PatType { pat, ty, .. }) => match &**pat {
            Pat::Ident(pat) => Some((ty.clone(), pat.ident.clone())),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// The match over the event, if it is all that `apply` does.
fn body<'a>(apply: &'a mut ImplItemFn, parameter: &Ident) -> Option<&'a mut ExprMatch> {
    let [Stmt::Expr(Expr::Match(body), _)] = &mut apply.block.stmts[..] else { return None };
    let over = match &*body.expr {
        Expr::Reference(reference) => &*reference.expr,
        other => other,
    };
    matches!(over, Expr::Path(path) if path.path.is_ident(parameter)).then_some(body)
}

fn collect(pat: &Pat, out: &mut Vec<Ident>, problems: &mut Problems) {
    let path = match pat {
        Pat::Struct(pat) => &pat.path,
        Pat::Path(pat) => &pat.path,
        Pat::TupleStruct(pat) => &pat.path,
        Pat::Or(pat) => return pat.cases.iter().for_each(|case| collect(case, out, problems)),
        Pat::Paren(pat) => return collect(&pat.pat, out, problems),
        Pat::Reference(pat) => return collect(&pat.pat, out, problems),
        Pat::Guard(pat) => return collect(&pat.pat, out, problems),
        Pat::Ident(pat) if pat.subpat.is_some() => {
            return pat.subpat.iter().for_each(|(_, inner)| collect(inner, out, problems));
        }
        other => {
            let pattern = other.to_token_stream();
            problems.at(
                other,
                format!(
                    "name the events, `CampusEvent::Enrolled {{ .. }}`: with `{pattern}` the model would \
                     read every event, and each new one would put its decisions off; what has no arm is \
                     not read"
                ),
            );
            return;
        }
    };
    if let Some(last) = path.segments.last()
        && !out.contains(&last.ident)
    {
        out.push(last.ident.clone());
    }
}

fn implement(mut item: ItemImpl, read: &Read) -> TokenStream {
    let Read { of, variants } = read;
    let variants: Vec<&Ident> = variants.iter().collect();
    rewrite(&mut item, of);
    let set = quote!(EventsOfThisModel);
    let types = reach::descriptors(of, &variants);
    let indexed: Vec<_> = variants.iter().map(|&variant| (variant, reach::variant_of(of, variant))).collect();
    let reached_by = reach::reached_by(&set, place(of), &indexed);
    quote! {
        const _: () = {
            use ::factum::__private as __p;
            /// The events that the arms name.
            pub struct EventsOfThisModel(#of);
            #[automatically_derived]
            impl __p::EventSet for EventsOfThisModel {
                const TYPES: &'static [__p::EventDescriptor] = #types;

                fn decode(
                    __record: &__p::RecordedEvent,
                ) -> ::core::result::Result<::core::option::Option<Self>, __p::DecodeError> {
                    if !__p::includes(<Self as __p::EventSet>::TYPES, __record) {
                        return ::core::result::Result::Ok(::core::option::Option::None);
                    }
                    let __event = <#of as __p::EventSet>::decode(__record)?;
                    ::core::result::Result::Ok(::core::option::Option::map(__event, EventsOfThisModel))
                }
            }
            #reached_by
            #item
        };
    }
}

/// Lets `apply` take the events it reads; those it has no arm for never come.
fn rewrite(item: &mut ItemImpl, of: &Type) {
    let place = place(of);
    let read: Type = syn::parse_quote_spanned!(place=> EventsOfThisModel);
    item.items.push(syn::parse_quote_spanned!(place=> type Event = #read;));
    let Some(apply) = apply(item) else { return };
    let Some((_, parameter)) = parameter(apply) else { return };
    let Some(body) = body(apply, &parameter) else { return };
    body.arms.push(syn::parse_quote!(#[allow(unreachable_patterns)] _ => {}));
    if let Some(FnArg::Typed(argument)) = apply.sig.inputs.iter_mut().nth(1) {
        let pattern = std::mem::replace(&mut argument.pat, syn::parse_quote!(__event));
        *argument.ty = read;
        // Into the user's own block: one around it would have braces that the compiler calls unused.
        apply.block.stmts.insert(0, syn::parse_quote!(let #pattern: #of = __event.0;));
    }
}

/// Stands in for a model that is wrong in itself.
fn stub(item: &ItemImpl) -> TokenStream {
    let mut item = item.clone();
    item.items.retain(|item| match item {
        ImplItem::Fn(function) => function.sig.ident != "apply",
        ImplItem::Type(ty) => ty.ident != "Event",
        _ => true,
    });
    item.items.push(syn::parse_quote!(
        type Event = EventsOfThisModel;
    ));
    item.items.push(syn::parse_quote! {
        fn apply(&mut self, _: EventsOfThisModel) {
            ::core::unreachable!()
        }
    });
    let set = crate::subset::stub(&quote!(EventsOfThisModel));
    let span = item.self_ty.span();
    quote::quote_spanned! {span=>
        const _: () = {
            pub struct EventsOfThisModel;
            #set
            #item
        };
    }
}
