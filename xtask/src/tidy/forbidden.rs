//! What must not be merged: unfinished code, left-over prints, tests that do not run, `mod.rs`.

use super::{code::code_of, tree::Tree, violation::Violation};

/// Code that is refused, and what to do instead.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo!", "finish it"),
    ("unimplemented!", "finish it, or make the case impossible by its type"),
    ("dbg!", "remove it, or use tracing"),
    ("#[ignore", "mend the test or delete it: what does not run proves nothing"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let misnamed = tree.rust().filter(|(path, _)| path.ends_with("/mod.rs")).map(|(path, _)| {
        Violation::at(path, 1, "a `mod.rs`, name the file for its module: `foo.rs` beside `foo/`")
    });
    misnamed.chain(tree.rust().flat_map(|(path, text)| in_file(path, text))).collect()
}

fn in_file(path: &str, text: &str) -> Vec<Violation> {
    let code = code_of(text);
    let lines = code.lines().enumerate();
    lines
        .flat_map(|(index, line)| {
            FORBIDDEN.iter().filter(|(word, _)| has_word(line, word)).map(move |(word, instead)| {
                Violation::at(path, index + 1, format!("`{word}` is not merged, {instead}"))
            })
        })
        .collect()
}

/// Whether `word` stands in `line` and is not the end of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::printed;

    #[test]
    fn unfinished_code_is_caught() {
        let text = "fn f() {\n    todo!()\n}\n#[ignore = \"slow\"]\nfn g() { dbg!(1); unimplemented!() }\n";
        let lines: Vec<_> = in_file("a.rs", text).iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], "a.rs:2: `todo!` is not merged, finish it");
        assert!(lines[1].starts_with("a.rs:4: `#[ignore`"));
    }

    #[test]
    fn words_in_comments_strings_and_longer_names_are_not_code() {
        assert_eq!(in_file("a.rs", "// todo!\nlet a = \"dbg!\"; my_todo!();\n"), []);
    }

    #[test]
    fn a_mod_rs_is_caught() {
        let tree = Tree::of(&[("crates/a/src/b/mod.rs", "//! B.\n"), ("crates/a/src/mod_rs.rs", "//! C.\n")]);
        assert_eq!(
            printed(&check(&tree)),
            ["crates/a/src/b/mod.rs:1: a `mod.rs`, name the file for its module: `foo.rs` beside `foo/`"]
        );
    }
}
