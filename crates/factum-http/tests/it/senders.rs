//! Senders see what became of their own commands; an operator sees everybody's.

use crate::served::Served;

fn sent(served: &Served, actor: &str) -> String {
    let answer = served.post_as(actor, "/memos");
    assert_eq!(answer.status, 200);
    answer.header("location").unwrap().to_owned()
}

#[test]
fn a_sender_and_operators_see_a_command_and_others_do_not() {
    let served = Served::with_tokens();
    let path = sent(&served, "ann");
    for (actor, status) in [("ann", 200), ("olga", 200), ("root", 200), ("bob", 404), ("rita", 404)] {
        let answer = served.get_as(actor, &path);
        assert_eq!(answer.status, status, "{actor}");
        if status == 200 {
            assert_eq!(answer.body["actor"], "ann");
        }
    }
}

#[test]
fn anothers_command_answers_as_one_that_never_was() {
    let served = Served::with_tokens();
    let path = sent(&served, "ann");
    let never = "/commands/00000000-0000-0000-0000-000000000001";
    let told = |path: &str| {
        let answer = served.get_as("bob", path);
        assert!(answer.is(404, "not-found"));
        answer.body.to_string().replace(path.trim_start_matches("/commands/"), "ID")
    };
    assert_eq!(told(&path), told(never));
    let kept = served.kept.all();
    assert_eq!(kept.len(), 1, "the look at another's is kept, the guess is not");
    assert_eq!((&*kept[0].actor, &*kept[0].action, &*kept[0].path), ("bob", "factum.read-command", &*path));
}

#[test]
fn one_key_of_two_senders_names_two_commands() {
    let served = Served::with_tokens();
    let send = |actor: &str| {
        let token = format!("t-{actor}");
        served.post("/memos", &[("X-Api-Key", &token), ("Idempotency-Key", "k1")])
    };
    let (ann, bob) = (send("ann"), send("bob"));
    assert_eq!((ann.status, bob.status), (200, 200));
    assert_ne!(ann.body["command_id"], bob.body["command_id"]);
    assert_eq!(send("ann").body, ann.body);
    assert_eq!(served.commits(), 2);
}
