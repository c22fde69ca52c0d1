//! Each example that is served over HTTP has its OpenAPI document beside it. That the document is what the code
//! makes is seen to by a test of the example.

use super::{tree::Tree, violation::Violation};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let served = tree.paths().filter_map(|path| {
        let folder = path.strip_prefix("examples/")?.strip_suffix("/src/http.rs")?;
        (!folder.contains('/')).then(|| (path, format!("examples/{folder}")))
    });
    let lacks = |folder: &String, file: &str| tree.paths().all(|path| path != format!("{folder}/{file}"));
    let mut violations = Vec::new();
    for (path, folder) in served {
        if lacks(&folder, "openapi.json") {
            let renew =
                format!("no {folder}/openapi.json, make it with `FACTUM_BLESS=1 cargo test openapi` there");
            violations.push(Violation::at(path, 1, renew));
        }
        if lacks(&folder, "tests/it/openapi.rs") {
            let compare =
                format!("no {folder}/tests/it/openapi.rs, which compares openapi.json with the code");
            violations.push(Violation::at(path, 1, compare));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_without_its_document_or_its_test_is_caught() {
        let (http, json) = (("examples/a/src/http.rs", ""), ("examples/a/openapi.json", ""));
        let test = ("examples/a/tests/it/openapi.rs", "");
        assert_eq!(check(&Tree::of(&[http, json, test])), []);
        assert_eq!(check(&Tree::of(&[("examples/b/src/main.rs", ""), ("crates/c/src/http.rs", "")])), []);
        assert_eq!(check(&Tree::of(&[http, test])).len(), 1);
        assert_eq!(check(&Tree::of(&[http, json])).len(), 1);
    }
}
