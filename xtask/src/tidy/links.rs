//! Every relative link in a Markdown file leads to a file and, if it names one, to a heading in it; every
//! `{{#include}}` to a file and, if it names one, to an anchor in it. Links into the web are not looked at.

use super::{reachable::join, tree::Tree, violation::Violation};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let pages: Vec<_> = tree.ending("md").collect();
    pages.iter().flat_map(|(path, text)| in_page(tree, path, text)).collect()
}

fn in_page(tree: &Tree, path: &str, text: &str) -> Vec<Violation> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut fenced = false;
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut broken = |what: String| violations.push(Violation::at(path, index + 1, what));
        if let Some(included) = included(line)
            && let Some(what) = missing_include(tree, folder, included)
        {
            broken(what);
        }
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for link in links(line).into_iter().filter(|link| is_relative(link)) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.to_owned() } else { join(folder, file) };
            if !tree.exists(&target) {
                broken(format!("the link `{link}` leads nowhere, correct or remove it"));
            } else if target.ends_with(".md") && !heading.is_empty() && !has_heading(tree, &target, heading) {
                broken(format!("`{target}` has no heading `#{heading}`, correct the link"));
            }
        }
    }
    violations
}

/// The targets of `[text](target)` and `[name]: target`, outside of inline code.
fn links(line: &str) -> Vec<&str> {
    let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    if let Some((_, target)) = definition {
        return vec![target.trim()];
    }
    let mut links = Vec::new();
    for prose in line.split('`').step_by(2) {
        let mut rest = prose;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, further)) = after.split_once(')') else { break };
            links.push(target);
            rest = further;
        }
    }
    links
}

fn is_relative(link: &str) -> bool {
    !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:")
}

fn has_heading(tree: &Tree, page: &str, wanted: &str) -> bool {
    let lines = tree.text(page).unwrap_or_default().lines();
    lines.filter(|line| line.starts_with('#')).any(|line| anchor(line) == wanted)
}

/// The anchor that a heading gets when it is rendered.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What stands in `{{#include here}}`.
fn included(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("{{#include ")?;
    Some(after.split_once("}}")?.0.trim())
}

fn missing_include(tree: &Tree, folder: &str, included: &str) -> Option<String> {
    let (file, anchor) = included.split_once(':').unwrap_or((included, ""));
    let Some(text) = tree.text(&join(folder, file)) else {
        return Some(format!("the included file `{file}` is not there, correct the path"));
    };
    let is_anchor = |line: &str| line.split_once("ANCHOR: ").is_some_and(|(_, name)| name.trim() == anchor);
    let missing = !anchor.is_empty() && !text.lines().any(is_anchor);
    missing.then(|| format!("`{file}` has no anchor `{anchor}`, write `// ANCHOR: {anchor}` there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(page: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/a/page.md", page),
            ("docs/b.md", "# B\n"),
            ("examples/hello.rs", "// ANCHOR: events\nstruct E;\n// ANCHOR_END: events\n"),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let page = "# The top!\n[b](../b.md#b) [web](https://example.org) [here](#the-top) [folder](..)\n`[x](none.md)`\n\
                    ```md\n[x](none.md)\n```\n{{#include ../../examples/hello.rs:events}}\n";
        assert_eq!(violations(page).len(), 0);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_caught() {
        assert_eq!(
            violations("text\n[b](../b.md) [c](../c.md)\n"),
            ["docs/a/page.md:2: the link `../c.md` leads nowhere, correct or remove it"]
        );
        assert_eq!(violations("[c]: c.md\n").len(), 1);
        assert_eq!(
            violations("[b](../b.md#c)\n"),
            ["docs/a/page.md:1: `docs/b.md` has no heading `#c`, correct the link"]
        );
    }

    #[test]
    fn an_include_without_its_file_or_anchor_is_caught() {
        assert_eq!(violations("```rust\n{{#include ../../examples/bye.rs}}\n```\n").len(), 1);
        assert_eq!(
            violations("{{#include ../../examples/hello.rs:model}}\n"),
            [
                "docs/a/page.md:1: `../../examples/hello.rs` has no anchor `model`, write `// ANCHOR: model` there"
            ]
        );
    }
}
