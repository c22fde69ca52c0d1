//! Owns how names in the code become stored names, and which stored names are taken.

use proc_macro2::Span;
use syn::{
    Attribute, Ident, LitStr, Path, Result, Token, Type, ext::IdentExt, meta::ParseNestedMeta, parenthesized,
    parse::Parse, punctuated::Punctuated, spanned::Spanned,
};

/// As in `factum_event::limits::TYPE_NAME_BYTES_MAX`.
const NAME_BYTES_MAX: usize = 255;

/// `CourseOpened` is `course-opened` with `-` between; an acronym is one word.
pub(crate) fn words(ident: &Ident, between: char) -> String {
    let text: Vec<char> = ident.unraw().to_string().chars().collect();
    let mut out = String::new();
    for (at, &c) in text.iter().enumerate() {
        let after_lower = at > 0 && (text[at - 1].is_lowercase() || text[at - 1].is_ascii_digit());
        let ends_acronym =
            at > 0 && text[at - 1].is_uppercase() && text.get(at + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (after_lower || ends_acronym) {
            out.push(between);
        }
        match c {
            '_' => out.push(between),
            _ => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The text of a name that is stored from now on: `context.rest`.
pub(crate) fn stored_name(literal: &LitStr, context: Option<&str>) -> Result<String> {
    let name = literal.value();
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() < 2 || parts.iter().any(|part| part.is_empty()) {
        let example = match context {
            Some(context) => {
                format!("\"{context}.{}\"", if name.is_empty() { "something-happened" } else { &name })
            }
            None => "\"campus.enrol\"".to_owned(),
        };
        return Err(syn::Error::new(
            literal.span(),
            format!("a stored name is written in full, the context before the first dot: {example}"),
        ));
    }
    any_name(literal)
}

/// The text of a name that may be older than this library.
pub(crate) fn any_name(literal: &LitStr) -> Result<String> {
    let name = literal.value();
    let wrong = |text| Err(syn::Error::new(literal.span(), text));
    if name.is_empty() {
        return wrong("a stored name has at least one character");
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong("a stored name has no spaces and no control characters");
    }
    if name.len() > NAME_BYTES_MAX {
        return wrong("a stored name has at most 255 bytes");
    }
    Ok(name)
}

/// The text of a context: the first part of a stored name, and a stream of its own.
pub(crate) fn context_name(literal: &LitStr) -> Result<String> {
    let name = any_name(literal)?;
    if name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Ok(name);
    }
    Err(syn::Error::new(
        literal.span(),
        "a context is lower case letters, digits and `_`: it begins every stored name, and events without \
         a stream field live in the stream of that name",
    ))
}

/// `(a, b, c)`
pub(crate) fn list<T: Parse>(meta: &ParseNestedMeta<'_>) -> Result<Vec<T>> {
    let inner;
    parenthesized!(inner in meta.input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&inner)?.into_iter().collect())
}

/// Whether one of the attributes is `#[name]`, bare or with arguments.
pub(crate) fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// Where `what` stands, for generated code whose errors are to underline it. It is still generated code:
/// lints about what the user wrote pass it by.
pub(crate) fn place(what: &impl Spanned) -> Span {
    Span::call_site().located_at(what.span())
}

/// The attributes that serde is to see on a shadow of the user's type.
pub(crate) fn serde_attributes(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("serde")).collect()
}

/// `Vec<StudentId>` is a field of `StudentId`s: what tells two fields of one id apart from two ids.
pub(crate) fn element(ty: &Type) -> &Type {
    match ty {
        Type::Array(array) => element(&array.elem),
        Type::Paren(paren) => element(&paren.elem),
        Type::Group(group) => element(&group.elem),
        Type::Path(path) if path.qself.is_none() => collection_element(&path.path).map_or(ty, element),
        _ => ty,
    }
}

fn collection_element(path: &Path) -> Option<&Type> {
    let last = path.segments.last()?;
    let known = ["Vec", "Option", "BTreeSet", "HashSet"];
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    if !known.iter().any(|name| last.ident == name) {
        return None;
    }
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::format_ident;

    #[test]
    fn words_of_a_name_are_told_apart() {
        for (name, kebab) in [
            ("CourseOpened", "course-opened"),
            ("Enrolled", "enrolled"),
            ("HTTPRequestSent", "http-request-sent"),
            ("SentSMS", "sent-sms"),
            ("PriceV2Set", "price-v2-set"),
            ("Snake_Case", "snake-case"),
        ] {
            assert_eq!(words(&format_ident!("{name}"), '-'), kebab);
        }
        assert_eq!(words(&format_ident!("r#CourseOption"), '_'), "course_option");
    }

    #[test]
    fn the_element_of_a_collection_is_found() {
        for ty in ["K", "Vec<K>", "::std::vec::Vec<K>", "Option<Vec<K>>", "[K; 3]", "HashSet<K, S>", "(K)"] {
            let ty: Type = syn::parse_str(ty).unwrap();
            let found = element(&ty);
            assert_eq!(quote::quote!(#found).to_string(), "K");
        }
    }
}
