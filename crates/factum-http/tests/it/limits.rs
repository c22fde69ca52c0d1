//! How much is taken on: requests at once, requests of one actor in a second.

use crate::served::{Served, tokens};
use factum_http::{Access, Limits};
use std::{
    io::{Read, Write},
    net::TcpStream,
    num::NonZeroUsize,
    time::Duration,
};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

fn one_at_once() -> Limits {
    Limits { in_flight_max: NonZeroUsize::new(1).unwrap(), ..Limits::default() }
}

/// A request of `ann` that is being carried out, as far as its body has come: the server has said to go on.
fn under_way(served: &Served) -> TcpStream {
    let mut stream = served.raw(
        "POST /memos HTTP/1.1\r\nHost: x\r\nX-Api-Key: t-ann\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    );
    let mut told = [0; CONTINUE.len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, CONTINUE);
    stream
}

fn ended(mut stream: TcpStream) -> String {
    stream.write_all(b"{}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn one_more_than_is_taken_on_at_once_is_shed_and_room_comes_back() {
    let served = Served::start(tokens(), one_at_once());
    let first = under_way(&served);
    for actor in ["rita", "root"] {
        let shed = served.get_as(actor, "/memos");
        assert!(shed.is(503, "unavailable"), "{shed:?}");
        assert_eq!((shed.header("retry-after"), shed.header("connection")), (Some("1"), None));
    }
    assert_eq!(served.get("/health", &[]).status, 200, "health is answered all the same");
    assert_eq!(served.get("/memos", &[]).status, 401, "who is nobody takes no room");
    assert!(ended(first).starts_with("HTTP/1.1 200"));
    assert_eq!(served.get_as("rita", "/memos").status, 200);
    assert_eq!(served.commits(), 1);
}

#[test]
fn a_body_is_not_waited_for_before_its_request_is_shed() {
    let served = Served::start(tokens(), one_at_once());
    let first = under_way(&served);
    let mut second = served.raw(
        "POST /memos HTTP/1.1\r\nHost: x\r\nX-Api-Key: t-bob\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    );
    let mut answer = String::new();
    second.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(ended(first).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_client_that_goes_away_gives_its_room_back() {
    let served = Served::start(tokens(), one_at_once());
    drop(under_way(&served));
    assert!((0..100_000).any(|_| served.get_as("rita", "/memos").status == 200));
}

#[test]
fn an_actor_over_the_rate_is_told_to_wait_and_others_are_not() {
    let served = Served::start(tokens(), Limits { rate: Some("2/s".parse().unwrap()), ..Limits::default() });
    let statuses = |actor: &str| [(); 3].map(|()| served.post_as(actor, "/memos").status);
    assert_eq!(statuses("ann"), [200, 200, 429]);
    let over = served.post_as("ann", "/memos");
    assert!(over.is(429, "too-many"), "{over:?}");
    assert_eq!(over.header("retry-after"), Some("1"));
    assert_eq!(served.post_as("ended", "/memos").status, 429, "a second token is no second allowance");
    assert_eq!(statuses("bob"), [200, 200, 429]);
    assert_eq!(served.commits(), 4);
    for _ in 0..10 {
        assert_eq!(served.get("/health", &[]).status, 200);
        assert_eq!(served.get("/memos", &[]).status, 401);
    }
    served.clock.advance(Duration::from_secs(1));
    assert_eq!(statuses("ann"), [200, 200, 429]);
}

#[test]
fn no_rate_is_kept_unless_it_is_given() {
    let served = Served::with_tokens();
    for _ in 0..100 {
        assert_eq!(served.get_as("rita", "/memos").status, 200);
    }
}

#[test]
fn the_limits_hold_without_credentials_too() {
    let limits = Limits { rate: Some("1/s".parse().unwrap()), ..one_at_once() };
    let served = Served::start(Access::Open, limits);
    assert_eq!([(); 2].map(|()| served.get("/memos", &[]).status), [200, 429]);
}
