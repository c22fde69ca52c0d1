//! `derive(Reject)`: a code and a status for each way of saying no.

use crate::{
    names::{place, words},
    problems::Problems,
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitInt, LitStr, Result, Token, parse::ParseStream};

/// What a variant answers with.
enum Answer {
    /// A code and a status of its own.
    Own { code: String, status: u16 },
    /// Those of the rejection it wraps.
    Wrapped,
}

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    problems.no_generics("a rejection", &input.generics);
    let (name, mut codes, mut statuses, mut cases) = (&input.ident, Vec::new(), Vec::new(), Vec::new());
    let mut arm =
        |pattern: TokenStream, ident: &Ident, attributes: &[Attribute], fields: &Fields| match answer(
            ident,
            attributes,
            fields,
            &mut problems,
        ) {
            Answer::Own { code, status } => {
                codes.push(quote!(#pattern { .. } => #code));
                statuses.push(quote!(#pattern { .. } => #status));
                cases.push(quote! {
                    cases.push(::factum::__private::RejectCase { code: #code, status: #status })
                });
            }
            Answer::Wrapped => {
                codes.push(quote!(#pattern { 0: why } => ::factum::__private::Reject::code(why)));
                statuses.push(quote!(#pattern { 0: why } => ::factum::__private::Reject::status(why)));
                let wrapped = fields.iter().next().map(|field| &field.ty);
                cases.push(quote!(cases.extend(<#wrapped as ::factum::__private::Reject>::cases())));
            }
        };
    match &input.data {
        Data::Enum(data) => {
            for variant in &data.variants {
                let ident = &variant.ident;
                arm(quote!(Self::#ident), ident, &variant.attrs, &variant.fields);
            }
        }
        Data::Struct(data) => arm(quote!(Self), name, &input.attrs, &data.fields),
        Data::Union(_) => problems.at(name, "a rejection is an enum, one variant for each way of saying no"),
    }
    let implement = |codes: &[TokenStream], statuses: &[TokenStream], cases: &[TokenStream]| {
        let (code, status) = match codes {
            [] => (quote!(match *self {}), quote!(match *self {})),
            _ => (quote!(match self { #(#codes),* }), quote!(match self { #(#statuses),* })),
        };
        implement(name, &code, &status, cases)
    };
    let unknown = quote!(::core::unreachable!());
    let stub = self::implement(name, &unknown, &unknown, &[]);
    problems.or(|| implement(&codes, &statuses, &cases), stub)
}

fn implement(name: &Ident, code: &TokenStream, status: &TokenStream, cases: &[TokenStream]) -> TokenStream {
    let cases = match cases {
        [] => quote!(::std::vec::Vec::new()),
        _ => quote!({ let mut cases = ::std::vec::Vec::new(); #(#cases;)* cases }),
    };
    let check = quote_spanned!(place(name)=> ::factum::__private::is_reason::<#name>());
    quote! {
        const _: () = #check;
        #[automatically_derived]
        impl ::factum::__private::Reject for #name
        where
            for<'__factum> #name: ::factum::__private::Reason,
        {
            fn code(&self) -> &'static str {
                #code
            }

            fn status(&self) -> u16 {
                #status
            }

            fn cases() -> ::std::vec::Vec<::factum::__private::RejectCase> {
                #cases
            }
        }
    }
}

fn answer(ident: &Ident, attributes: &[Attribute], fields: &Fields, problems: &mut Problems) -> Answer {
    let (mut code, mut status) = (words(ident, '-'), 409);
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("reject")) {
        let parsed = attribute.parse_args_with(|input: ParseStream<'_>| parse(input, &mut code, &mut status));
        match problems.take(parsed) {
            Some(true) if !matches!(fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1) => {
                problems.at(attribute, "only a variant with one unnamed field answers as what it wraps");
            }
            Some(true) => return Answer::Wrapped,
            Some(false) | None => {}
        }
    }
    Answer::Own { code, status }
}

/// `404`, `404, code = ".."`, `code = ".."`, or `transparent`, for which it gives `true`.
fn parse(input: ParseStream<'_>, code: &mut String, status: &mut u16) -> Result<bool> {
    const EXPECTED: &str = "expected a status, a code or both: #[reject(404)], \
                            #[reject(404, code = \"no-such-course\")]; or #[reject(transparent)]";
    while !input.is_empty() {
        if input.peek(LitInt) {
            let literal: LitInt = input.parse()?;
            *status = literal.base10_parse()?;
            if !(400..500).contains(status) {
                return Err(syn::Error::new(
                    literal.span(),
                    "a rejection is the caller's to mend, so its status is from 400 to 499",
                ));
            }
        } else {
            let key: Ident = input.parse().map_err(|problem| syn::Error::new(problem.span(), EXPECTED))?;
            if key == "transparent" {
                return Ok(true);
            }
            if key != "code" {
                return Err(syn::Error::new(key.span(), EXPECTED));
            }
            input.parse::<Token![=]>()?;
            *code = crate::names::any_name(&input.parse::<LitStr>()?)?;
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(false)
}
