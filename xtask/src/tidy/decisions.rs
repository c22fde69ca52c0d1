//! Decisions are numbered from 0001 without gaps, and each says the same four things.

use super::{tree::Tree, violation::Violation};

/// Where they stand, as `NNNN-title.md`.
const FOLDER: &str = "docs/decisions/";
/// What each says.
const SECTIONS: &[&str] = &["## Context", "## Options", "## Decision", "## What would change our mind"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let pages = tree.ending("md").filter(|(path, _)| path.starts_with(FOLDER));
    let mut violations = Vec::new();
    let mut due = 1u32;
    for (path, text) in pages {
        match number(path) {
            Some(number) if number == due => due += 1,
            Some(number) => {
                let what = format!("number {number:04} stands where {due:04} is due, number without gaps");
                violations.push(Violation::at(path, 1, what));
                due = number + 1;
            }
            None => violations.push(Violation::at(path, 1, "no decision's name, call it `NNNN-title.md`")),
        }
        let missing = SECTIONS.iter().filter(|section| !text.lines().any(|line| line == **section));
        violations
            .extend(missing.map(|section| Violation::at(path, 1, format!("no section `{section}`, add it"))));
    }
    if due == 1 && violations.is_empty() {
        violations.push(Violation::at(FOLDER, 1, "no decision is recorded, begin with 0001"));
    }
    violations
}

fn number(path: &str) -> Option<u32> {
    let (digits, title) = path.strip_prefix(FOLDER)?.split_once('-')?;
    let is_name = digits.len() == 4 && title.len() > ".md".len();
    is_name.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::printed;

    fn violations(names: &[&str]) -> Vec<String> {
        let text = SECTIONS.join("\n");
        let paths: Vec<_> = names.iter().map(|name| format!("{FOLDER}{name}")).collect();
        let files: Vec<_> = paths.iter().map(|path| (&**path, &*text)).collect();
        printed(&check(&Tree::of(&files)))
    }

    #[test]
    fn a_gap_a_repeat_and_a_wrong_name_are_caught() {
        assert_eq!(violations(&["0001-a.md", "0002-b.md"]).len(), 0);
        assert_eq!(
            violations(&["0001-a.md", "0003-c.md", "0004-d.md"]),
            ["docs/decisions/0003-c.md:1: number 0003 stands where 0002 is due, number without gaps"]
        );
        assert_eq!(violations(&["0001-a.md", "0001-b.md"]).len(), 1);
        assert_eq!(violations(&["0001-a.md", "notes.md"]).len(), 1);
        assert_eq!(violations(&[]).len(), 1);
    }

    #[test]
    fn a_missing_section_is_caught() {
        let tree = Tree::of(&[("docs/decisions/0001-a.md", "## Context\n## Options\n## Decision\n")]);
        assert_eq!(
            printed(&check(&tree)),
            ["docs/decisions/0001-a.md:1: no section `## What would change our mind`, add it"]
        );
    }
}
