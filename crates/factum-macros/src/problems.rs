//! Owns the list of what is wrong with one item, so that all of it is reported at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Error, Generics, Result};

/// What is wrong so far.
#[derive(Default)]
pub(crate) struct Problems {
    all: Option<Error>,
    /// The item has parameters that a stub would not know.
    is_generic: bool,
}

impl Problems {
    pub(crate) fn add(&mut self, problem: Error) {
        match &mut self.all {
            Some(all) => all.combine(problem),
            None => self.all = Some(problem),
        }
    }

    /// Underlines `what`.
    pub(crate) fn at(&mut self, what: impl ToTokens, text: impl std::fmt::Display) {
        self.add(Error::new_spanned(what, text));
    }

    /// The value, or its problem noted.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// Types of the domain are plain: what is stored has one form.
    pub(crate) fn no_generics(&mut self, what: &str, generics: &Generics) {
        if !generics.params.is_empty() {
            self.parametric(
                generics,
                format!("{what} has no parameters: its stored form is one type; name the types it holds"),
            );
        }
    }

    /// The item has parameters, and must not.
    pub(crate) fn parametric(&mut self, generics: &Generics, text: impl std::fmt::Display) {
        self.is_generic = true;
        self.at(generics, text);
    }

    /// `good`, or what is wrong and then `stub`: just enough for the rest of the program to compile, so
    /// that the compiler reports the problem and not its consequences.
    pub(crate) fn or(self, good: impl FnOnce() -> TokenStream, stub: TokenStream) -> TokenStream {
        match self.all {
            None => good(),
            Some(all) => {
                let mut out = all.to_compile_error();
                if !self.is_generic {
                    out.extend(stub);
                }
                out
            }
        }
    }
}
