//! The hello worlds: they hold, and they stay as short as they are promised to be.

#[path = "../../examples/hello.rs"]
mod hello;
#[path = "../../examples/rule.rs"]
mod rule;

#[test]
fn what_the_hello_worlds_claim_holds() {
    hello::main();
    rule::main();
}

/// Lines between the markers, blank ones not counted.
fn domain_lines(source: &str) -> usize {
    let (_, domain) = source.split_once("// ANCHOR: domain\n").expect("the domain begins at its marker");
    let (domain, _) = domain.split_once("// ANCHOR_END: domain\n").expect("the domain ends at its marker");
    domain.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn hello_worlds_stay_short() {
    let (hello, rule) = (
        domain_lines(include_str!("../../examples/hello.rs")),
        domain_lines(include_str!("../../examples/rule.rs")),
    );
    assert!(hello <= 35, "one stream takes {hello} lines of domain code, 35 are promised");
    assert!(rule <= 50, "a rule across entities takes {rule} lines of domain code, 50 are promised");
}
