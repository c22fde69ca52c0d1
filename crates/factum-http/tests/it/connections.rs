//! What a connection may cost: heads and bodies that never come whole, clients that are silent or take
//! nothing, more of them than are taken in, and what becomes of each when the server stops.

use crate::served::{Served, tokens};
use factum::Timestamp;
use factum_http::{Gate, HEAD_BYTES_MAX, Limits, ListenError, Patience, Server};
use factum_testkit::VirtualClock;
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};

/// Over before a test looks again.
const SHORT: Duration = Duration::from_millis(50);
/// Longer than any test takes: what ends by it has not ended as it should.
const LONG: Duration = Duration::from_secs(3600);
const PATIENT: Patience = Patience { head: LONG, body: LONG, idle: LONG, unread: LONG };

const HALF_A_HEAD: &str = "POST /memos HTTP/1.1\r\nHost: x\r\nX-Api-K";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

fn served(patience: Patience) -> Served {
    Served::start(tokens(), Limits { patience, ..Limits::default() })
}

/// All that comes until the server ends the connection.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // Where the server did not read all that was sent, its end is a reset.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

fn head(path: &str, body_bytes: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: t-ann\r\nContent-Type: application/json\r\n\
         Content-Length: {body_bytes}\r\nExpect: 100-continue\r\n\r\n"
    )
}

/// A request whose body is being waited for: the server has said to go on.
fn under_way(served: &Served, body_bytes: usize) -> TcpStream {
    let mut stream = served.raw(&head("/memos", body_bytes));
    let mut told = [0; CONTINUE.len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, CONTINUE);
    stream
}

fn is_problem(answer: &str, status: u16, name: &str) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
        && answer.contains("content-type: application/problem+json\r\n")
        && answer.contains("connection: close\r\n")
        && answer.contains(&format!(r#""type":"urn:factum:problem:{name}""#))
}

#[test]
fn a_head_that_never_comes_whole_is_answered_408_and_dropped() {
    let served = served(Patience { head: SHORT, ..PATIENT });
    let answer = rest(served.raw(HALF_A_HEAD));
    assert!(is_problem(&answer, 408, "timeout"), "{answer}");
    assert_eq!(rest(served.raw("")), "", "who said nothing is told nothing");
    let mut stream = served.raw("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.read_exact(&mut [0; 17]).unwrap();
    stream.write_all(HALF_A_HEAD.as_bytes()).unwrap();
    let answer = rest(stream);
    assert!(answer.contains("HTTP/1.1 408 "), "also after a request: {answer}");
    let page = served.get_as("root", "/metrics").body.to_string();
    assert!(page.contains(r#"factum_http_connections_cut_total{waited_for=\"head\"} 2"#), "{page}");
}

#[test]
fn a_body_that_does_not_come_is_answered_408_and_gives_its_room_back() {
    let limits = Limits {
        in_flight_max: NonZeroUsize::new(1).unwrap(),
        patience: Patience { body: SHORT, ..PATIENT },
        ..Limits::default()
    };
    let served = Served::start(tokens(), limits);
    let answer = rest(under_way(&served, 2));
    assert!(is_problem(&answer, 408, "timeout"), "{answer}");
    assert_eq!(served.get_as("rita", "/memos").status, 200);
    assert_eq!(served.commits(), 0);
}

/// Sends a byte now and then until it is answered.
fn trickled(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    for _ in 0..100_000 {
        let mut first = [0];
        match stream.read(&mut first) {
            Ok(1) => {
                stream.set_read_timeout(None).unwrap();
                return char::from(first[0]).to_string() + &rest(stream);
            }
            Err(cause) if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            other => panic!("cut off without an answer: {other:?}"),
        }
        stream.write_all(b" ").unwrap();
    }
    panic!("it is waited for, byte by byte");
}

#[test]
fn a_body_that_trickles_is_answered_408() {
    let served = served(Patience { body: SHORT, ..PATIENT });
    let answer = trickled(under_way(&served, 1_000_000));
    assert!(is_problem(&answer, 408, "timeout"), "{answer}");
}

#[test]
fn the_body_of_a_refused_request_is_not_waited_for_longer() {
    let served = served(Patience { body: SHORT, ..PATIENT });
    let answer = rest(served.raw("POST /memos HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"));
    assert!(is_problem(&answer, 401, "unauthenticated"), "{answer}");
}

#[test]
fn a_connection_that_asks_no_more_is_closed() {
    let served = served(Patience { idle: SHORT, ..PATIENT });
    for method in ["GET", "HEAD"] {
        let answer = rest(served.raw(&format!("{method} /health HTTP/1.1\r\nHost: x\r\n\r\n")));
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("connection: close"), "{answer}");
    }
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let served = served(Patience { unread: SHORT, ..PATIENT });
    let _stream = served.raw("GET /large HTTP/1.1\r\nHost: x\r\nX-Api-Key: t-root\r\n\r\n");
    let is_cut = || {
        let page = served.get_as("root", "/metrics").body.to_string();
        page.contains(r#"factum_http_connections_cut_total{waited_for=\"unread\"} 1"#)
    };
    assert!((0..100_000).any(|_| is_cut()));
}

#[test]
fn an_answer_that_does_not_fit_on_the_way_comes_whole() {
    let served = served(PATIENT);
    let get = "GET /large HTTP/1.1\r\nHost: x\r\nX-Api-Key: t-root\r\nConnection: close\r\n\r\n";
    let answer = rest(served.raw(get));
    assert_eq!(answer.split_once("\r\n\r\n").map(|(_, body)| body.len()), Some(crate::memos::LARGE));
}

#[test]
fn no_more_connections_are_taken_in_than_there_are_places() {
    let limits =
        Limits { connections_max: NonZeroUsize::new(2).unwrap(), patience: PATIENT, ..Limits::default() };
    let served = Served::start(tokens(), limits);
    let first = under_way(&served, 2);
    // The second place is that of the asking client, which keeps its connection.
    assert_eq!(served.get("/health", &[]).status, 200);
    let idle: Vec<_> = (0..64).map(|_| served.raw("")).collect();
    let page = served.get_as("root", "/metrics").body.to_string();
    assert!(page.contains(r"factum_http_connections 2\n"), "{page}");
    drop((first, idle));
}

#[test]
fn silent_connections_do_not_lock_others_out() {
    let limits = Limits {
        connections_max: NonZeroUsize::new(4).unwrap(),
        patience: Patience { head: SHORT, ..PATIENT },
        ..Limits::default()
    };
    let served = Served::start(tokens(), limits);
    let idle: Vec<_> = (0..64).map(|_| served.raw("")).collect();
    assert_eq!(served.get("/health", &[]).status, 200);
    for stream in idle {
        assert_eq!(rest(stream), "");
    }
}

#[test]
fn what_the_protocol_refuses_is_refused_with_a_problem_too() {
    let served = served(PATIENT);
    let long = "x".repeat(2 * HEAD_BYTES_MAX);
    for (head, status, name) in [
        ("nonsense\r\n\r\n".to_owned(), 400, "shape"),
        ("GET /memos HTTP/1.1\r\nBad Name: x\r\n\r\n".to_owned(), 400, "shape"),
        ("POST /memos HTTP/1.1\r\nContent-Length: many\r\n\r\n".to_owned(), 400, "shape"),
        ("POST /memos HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), 400, "shape"),
        ("POST /memos HTTP/1.1\r\nTransfer-Encoding: odd\r\n\r\n".to_owned(), 400, "shape"),
        (format!("GET /memos HTTP/1.1\r\nX: {long}\r\n\r\n"), 431, "too-large"),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 431, "too-large"),
        (format!("GET /memos HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)), 431, "too-large"),
    ] {
        let mut stream = served.raw("");
        // Its end may be refused before it is sent.
        let _ = stream.write_all(head.as_bytes());
        let answer = rest(stream);
        assert!(is_problem(&answer, status, name), "{}: {answer}", &head[..40.min(head.len())]);
    }
    let mut stream = served.raw("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.read_exact(&mut [0; 17]).unwrap();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    assert!(rest(stream).contains("HTTP/1.1 400 "), "also after a request");
}

#[test]
fn a_stop_ends_at_once_what_is_not_under_way_and_the_rest_is_answered() {
    let mut served = served(PATIENT);
    let (half, silent) = (served.raw(HALF_A_HEAD), served.raw(""));
    let mut kept = served.raw("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    kept.read_exact(&mut [0; 17]).unwrap();
    let mut events = served.raw("GET /watch HTTP/1.1\r\nHost: x\r\nX-Api-Key: t-root\r\n\r\n");
    events.read_exact(&mut [0; 17]).unwrap();
    let mut first = under_way(&served, 2);
    served.stop();
    assert_eq!(rest(half), "");
    assert_eq!(rest(silent), "");
    rest(kept);
    assert!(rest(events).ends_with("data: 1\n\n\r\n0\r\n\r\n"), "a stream of events ends as it should");
    // Had any of those taken as long as what is under way may, this one would be cut off by now.
    first.write_all(b"{}").unwrap();
    let answer = rest(first);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_clock_before_1970_is_refused_before_anyone_is_served() {
    let clock = VirtualClock::at(Timestamp::from_micros(-1));
    let gate = Gate { clock: Arc::new(clock), ..Gate::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bound = runtime.block_on(Server::bind("127.0.0.1:0".parse().unwrap(), gate, Vec::new()));
    let refused = bound.unwrap_err();
    assert!(matches!(refused, ListenError::Clock { .. }), "{refused}");
    assert!(refused.to_string().contains("1969-12-31T23:59:59"), "{refused}");
}
