//! Which projection is meant, and which application.

use crate::{
    ledger::enter,
    program::{Server, ledger},
};

#[test]
fn a_name_that_several_services_have_is_refused_with_the_choice() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "bank", [1]);
    enter(dir.path(), "shop", [1]);
    let told = ledger(dir.path(), "projections pause sums --data DIR").refused();
    assert!(told.contains("bank/sums or shop/sums"), "{told}");
    let one = ledger(dir.path(), "projections status shop/sums --json --data DIR").json();
    assert_eq!(one["service"], "shop");
    let one = ledger(dir.path(), "projections status counts --json --data DIR").json();
    assert_eq!(one["service"], "bank");
}

#[test]
fn a_name_that_nobody_has_is_refused_with_those_there_are() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "bank", [1]);
    for asked in ["tallies", "bank/tallies", "shop/sums", "bank", "bank/"] {
        let told = ledger(dir.path(), &format!("projections status {asked} --data DIR")).refused();
        assert!(told.contains(&format!("`{asked}`")) && told.contains("bank/counts, bank/sums"), "{told}");
    }
    let told = ledger(dir.path(), "projections rebuild counts tallies --data DIR").refused();
    assert!(told.contains("tallies"), "{told}");
    let one = ledger(dir.path(), "projections status counts --json --data DIR").json();
    assert!(one["building"].is_null(), "nothing was begun: {one:#}");
}

#[test]
fn a_command_line_that_says_too_much_or_too_little_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (line, why) in [
        ("projections", "Usage"),
        ("projections pause", "NAME"),
        ("projections rebuild", "--all"),
        ("projections rebuild sums --all", "--all"),
        ("projections rebuild sums counts --key 1 --data DIR", "one projection"),
        ("projections rebuild sums --key 1 --no-wait", "--no-wait"),
        ("projections redrive sums third key/1", "POSITION"),
        ("projections discard sums 3 key/1", "--cause"),
        ("projections list --data DIR --url http://127.0.0.1:1", "--url"),
        ("projections list --url https://127.0.0.1:1", "ssh"),
        ("projections list --token t", "--url"),
        ("commands redrive 7", "ID"),
    ] {
        let ended = ledger(dir.path(), line);
        assert!(ended.code == 2 && ended.err.contains(why), "{line}: {ended:?}");
    }
}

#[test]
fn a_service_that_is_not_there_or_is_none_of_ours_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let told = ledger(dir.path(), "projections list --url http://127.0.0.1:1").refused();
    assert!(told.contains("127.0.0.1:1") && told.contains("--data"), "{told}");
    enter(dir.path(), "bank", [1]);
    let server = Server::start(dir.path(), "", None);
    let told = ledger(dir.path(), &format!("projections list --url {}/elsewhere", server.url)).refused();
    assert!(told.contains("there is nothing at /elsewhere/admin/projections"), "{told}");
}
