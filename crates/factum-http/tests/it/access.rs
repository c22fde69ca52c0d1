//! Who shows no token that is known gets no further, wherever they go.

use crate::served::Served;
use factum_http::{Access, Gate, ListenError, Server};
use std::{io::Read, time::Duration};

#[test]
fn without_a_known_token_nothing_is_answered_but_health() {
    let served = Served::with_tokens();
    for headers in [&[][..], &[("Authorization", "Bearer nobody")], &[("X-Api-Key", "nobody")]] {
        for path in ["/", "/memos", "/nothing", "/commands/00000000-0000-0000-0000-000000000001", "/healthy"]
        {
            let answer = served.get(path, headers);
            assert!(answer.is(401, "unauthenticated"), "{path}: {answer:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
        for path in ["/memos", "/wipe", "/nothing", "/"] {
            assert!(served.post(path, headers).is(401, "unauthenticated"), "{path}");
        }
        assert_eq!(served.get("/health", headers).status, 200);
    }
    assert_eq!((served.commits(), served.kept.all().len()), (0, 0), "whoever is nobody fills no audit");
}

#[test]
fn a_token_opens_in_either_header() {
    let served = Served::with_tokens();
    for header in [("Authorization", "Bearer t-ann"), ("X-Api-Key", "t-ann")] {
        assert_eq!(served.post("/memos", &[header]).status, 200, "{header:?}");
    }
    assert_eq!(served.commits(), 2);
    assert_eq!(served.get_as("ann", "/").status, 200);
    assert!(served.get_as("ann", "/nothing").is(404, "not-found"));
}

#[test]
fn a_token_opens_until_it_expires() {
    let served = Served::with_tokens();
    served.clock.advance(Duration::from_secs(3599));
    assert_eq!(served.post_as("ended", "/memos").status, 200);
    served.clock.advance(Duration::from_secs(1));
    let answer = served.post_as("ended", "/memos");
    assert!(answer.is(401, "unauthenticated"), "{answer:?}");
    assert!(answer.body["detail"].as_str().unwrap().contains("expired"));
    assert_eq!(served.post_as("ann", "/memos").status, 200, "another token of the same actor still opens");
}

#[test]
fn with_tokens_any_name_and_any_address_will_do() {
    let served = Served::with_tokens();
    let headers = [("Authorization", "Bearer t-rita"), ("Host", "memos.example")];
    assert_eq!(served.get("/memos", &headers).status, 200);
    let open = Served::start(Access::Open, Default::default());
    for path in ["/memos", "/", "/nothing"] {
        assert!(open.get(path, &[("Host", "memos.example")]).is(421, "host"), "{path}");
    }
    assert_eq!(open.get("/health", &[("Host", "memos.example")]).status, 200);
    let bind = |access| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let gate = Gate { access, ..Gate::default() };
        runtime.block_on(Server::bind("0.0.0.0:0".parse().unwrap(), gate, Vec::new()))
    };
    assert!(bind(crate::served::tokens()).is_ok());
    assert!(matches!(bind(Access::Open), Err(ListenError::OpenToOthers { .. })));
}

#[test]
fn without_credentials_everyone_may_do_everything() {
    let served = Served::start(Access::Open, Default::default());
    assert_eq!(served.post("/memos", &[]).status, 200);
    assert_eq!(served.post("/wipe", &[]).status, 200);
    assert_eq!(served.get("/memos", &[]).body["count"], 2);
}

#[test]
fn what_to_try_shows_the_token_that_it_takes() {
    let with = Served::with_tokens().get_as("rita", "/").body;
    let text = with.as_str().unwrap();
    assert!(text.contains(r#"curl -H "Authorization: Bearer $TOKEN" -s http://127.0.0.1"#), "{text}");
    let without = Served::start(Access::Open, Default::default()).get("/", &[]).body;
    assert!(without.as_str().unwrap().contains("  curl -s http://127.0.0.1"), "{without}");
}

#[test]
fn a_refusal_leaves_the_connection_fit_for_the_next_request() {
    let served = Served::with_tokens();
    let body = "x".repeat(100_000);
    let refused = format!("POST /memos HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{body}");
    let next = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut answers = String::new();
    served.raw(&(refused + next)).read_to_string(&mut answers).unwrap();
    assert!(answers.starts_with("HTTP/1.1 401") && answers.contains("HTTP/1.1 200"), "{answers}");
}

#[test]
fn a_body_over_the_limit_is_not_let_go_by_for_ever() {
    let served = Served::with_tokens();
    let head = "POST /memos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = served.raw(head);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // It never says that it ends: the answer must come all the same. The last writes may find it gone.
    for _ in 0..17 {
        let _ = std::io::Write::write_all(&mut stream, chunk.as_bytes());
    }
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");
}
