//! A caller does what a role of theirs allows, and nothing else.

use crate::served::Served;
use serde_json::json;

#[test]
fn a_role_allows_what_its_rule_says() {
    let served = Served::with_tokens();
    for (actor, add, wipe, count) in [
        ("root", 200, 200, 200),
        ("olga", 403, 403, 200),
        ("ann", 200, 403, 403),
        ("rita", 403, 403, 200),
        ("otto", 403, 403, 200),
    ] {
        assert_eq!(served.post_as(actor, "/memos").status, add, "{actor} adds");
        assert_eq!(served.post_as(actor, "/wipe").status, wipe, "{actor} wipes");
        assert_eq!(served.get_as(actor, "/memos").status, count, "{actor} counts");
    }
}

#[test]
fn a_denied_command_says_who_may_and_stores_nothing() {
    let served = Served::with_tokens();
    let denied = served.post_as("rita", "/memos");
    assert!(denied.is(403, "denied"), "{denied:?}");
    assert_eq!(denied.body["action"], "memos.add-memo");
    assert_eq!(denied.body["roles"], json!(["admin", "writer"]));
    assert_eq!(
        denied.body["detail"],
        "`rita` may not do `memos.add-memo`: it takes the role `admin` or `writer`"
    );
    assert_eq!(served.commits(), 0);
}

#[test]
fn a_denial_is_kept_with_who_and_what_and_why() {
    let served = Served::with_tokens();
    served.post_as("rita", "/memos?secret=1");
    served.post_as("ann", "/memos");
    served.get_as("ann", "/memos");
    let kept = served.kept.all();
    let told: Vec<_> =
        kept.iter().map(|d| [&*d.actor, &*d.action, &*d.method, &*d.path, &*d.reason]).collect();
    assert_eq!(
        told,
        [
            ["rita", "memos.add-memo", "POST", "/memos", "it takes the role `admin` or `writer`"],
            [
                "ann",
                "memos.count",
                "GET",
                "/memos",
                "it takes the role `admin` or `auditor` or `operator` or `reader`"
            ],
        ]
    );
    assert_eq!(kept[0].at, factum::Timestamp::EPOCH, "by the clock of the gate");
}

#[test]
fn a_denial_comes_before_the_body_is_judged() {
    let served = Served::with_tokens();
    let headers = [("Authorization", "Bearer t-rita"), ("Idempotency-Key", "")];
    assert!(served.post("/memos", &headers).is(403, "denied"));
}

#[test]
fn what_a_method_brings_along_is_guarded_like_it() {
    let served = Served::with_tokens();
    assert_eq!(served.head_as("ann", "/memos"), 403);
    assert_eq!(served.kept.all().len(), 1);
}

#[test]
fn a_method_that_a_path_does_not_take_is_no_denial() {
    let served = Served::with_tokens();
    assert!(served.post_as("ann", "/commands/00000000-0000-0000-0000-000000000001").is(405, "method"));
    assert_eq!(served.kept.all().len(), 0);
}

#[test]
fn measures_are_not_for_every_sender() {
    let served = Served::with_tokens();
    for (actor, status) in [("root", 200), ("olga", 200), ("ann", 403), ("rita", 403)] {
        assert_eq!(served.get_as(actor, "/metrics").status, status, "{actor}");
    }
}
