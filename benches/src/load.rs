//! The load: so many connections, each with one request under way, as fast as answers come or at a rate.

use crate::{
    Failure,
    client::{Client, Requests},
    latency::histogram,
    machine::now,
};
use hdrhistogram::Histogram;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) keys: u64,
    pub(crate) pace: Pace,
    /// No request is begun after so many nanoseconds.
    pub(crate) nanos: u64,
    /// Nor after so many requests.
    pub(crate) requests_max: u64,
}

/// When the next request is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// When the last one was answered.
    Closed,
    /// At its time, so many in a second; later if every connection still waits for an answer.
    Open(u64),
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Answered with 202, or with the outcome.
    pub(crate) accepted: u64,
    /// When the first was meant to be sent, and when the last was answered.
    pub(crate) began: u64,
    pub(crate) ended: u64,
    /// From the moment a request was meant to be sent to its answer.
    pub(crate) latency: Histogram<u64>,
}

/// Sends all of it. Anything but 202, or 200 from one that decides at once, ends the run.
pub(crate) fn send(address: SocketAddr, plan: Plan) -> Result<Loaded, Failure> {
    let requests = Requests::new(address, plan.keys);
    let clients = (0..plan.connections).map(|_| Client::connect(address, requests.clone()));
    let clients = clients.collect::<Result<Vec<_>, _>>()?;
    let (next, began) = (Arc::new(AtomicU64::new(0)), now());
    let threads = clients.into_iter().map(|client| {
        let next = Arc::clone(&next);
        thread::Builder::new().name("load".to_owned()).spawn(move || connection(client, plan, began, &next))
    });
    let threads = threads.collect::<Result<Vec<_>, _>>()?;
    let mut all = Loaded { accepted: 0, began, ended: began, latency: histogram()? };
    for thread in threads {
        let one = thread.join().map_err(|_| "a connection's thread panicked")??;
        all.accepted += one.accepted;
        all.ended = all.ended.max(one.ended);
        all.latency.add(one.latency)?;
    }
    Ok(all)
}

fn connection(mut client: Client, plan: Plan, began: u64, next: &AtomicU64) -> Result<Loaded, Failure> {
    let mut loaded = Loaded { accepted: 0, began, ended: began, latency: histogram()? };
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let intended = match plan.pace {
            Pace::Closed => now(),
            Pace::Open(rate) => began + number.saturating_mul(1_000_000_000) / rate.max(1),
        };
        if number >= plan.requests_max || intended >= began.saturating_add(plan.nanos) {
            return Ok(loaded);
        }
        let early = intended.saturating_sub(now());
        if early > 0 {
            thread::sleep(Duration::from_nanos(early));
        }
        match client.send(number, intended)? {
            200 | 202 => loaded.accepted += 1,
            other => return Err(format!("a command was answered with {other}").into()),
        }
        loaded.ended = now();
        loaded.latency.saturating_record(loaded.ended.saturating_sub(intended));
    }
}
