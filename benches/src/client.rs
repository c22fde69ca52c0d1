//! One connection that is kept alive: HTTP/1.1 by hand over a blocking socket, so that the client takes as
//! little as possible of the machine that it shares with what it measures.

use crate::{Failure, values};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

/// The header that says when a request was meant to be sent, by the clock of the machine.
pub(crate) const INTENDED: &str = "x-intended";
/// How the time is written, so that it can be put into a request that was rendered before.
const DIGITS: usize = 16;
/// An answer that takes longer ends the run.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Most headers of an answer.
const HEADERS_MAX: usize = 16;

/// A request for each key, rendered once.
#[derive(Clone, Debug)]
pub(crate) struct Requests(Arc<[Vec<u8>]>);

impl Requests {
    /// For values 0 to `keys`.
    pub(crate) fn new(address: SocketAddr, keys: u64) -> Self {
        let render = |key| {
            let (id, body) = (values::id(key), values::BODY);
            // The time stands last, right before the body.
            let head = format!(
                "PUT /values/{id} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{INTENDED}: {:0DIGITS$x}\r\n\r\n",
                body.len(),
                0
            );
            [head.as_bytes(), body.as_bytes()].concat()
        };
        Self((0..keys).map(render).collect())
    }

    /// The request for one of the keys, the same for the same `number`.
    fn of(&self, number: u64) -> &[u8] {
        let key = scrambled(number) % self.0.len().max(1) as u64;
        &self.0[usize::try_from(key).expect("it is below a length")]
    }
}

/// SplitMix64: numbers in a row become evenly spread ones.
fn scrambled(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    requests: Requests,
    sent: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr, requests: Requests) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
        Ok(Self { stream, requests, sent: Vec::new(), answer: vec![0; ANSWER_BYTES_MAX] })
    }

    /// Sends the request with this number and reads its answer; the status.
    pub(crate) fn send(&mut self, number: u64, intended: u64) -> Result<u16, Failure> {
        self.sent.clear();
        self.sent.extend_from_slice(self.requests.of(number));
        let end = self.sent.len() - values::BODY.len() - "\r\n\r\n".len();
        write!(&mut self.sent[end - DIGITS..end], "{intended:0DIGITS$x}")?;
        self.stream.write_all(&self.sent)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<u16, Failure> {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.answer[filled..])?;
            if read == 0 {
                return Err("the server closed the connection, or its answer is too large".into());
            }
            filled += read;
            if let Some((status, length)) = parse(&self.answer[..filled])?
                && filled >= length
            {
                return Ok(status);
            }
        }
    }
}

/// The status and the length in bytes of the answer that begins here, once its head is whole.
fn parse(bytes: &[u8]) -> Result<Option<(u16, usize)>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.ok_or("an answer without a status")?;
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.ok_or("an answer without a content-length")?;
    let length: usize = std::str::from_utf8(length.value)?.parse()?;
    Ok(Some((status, head + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_its_body_is() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(&answer[..20]).unwrap(), None);
        assert_eq!(parse(&answer[..44]).unwrap(), Some((202, 46)));
        assert!(parse(b"HTTP/1.1 202 Accepted\r\n\r\n").is_err());
    }

    #[test]
    fn every_key_has_its_share() {
        let mut hits = [0; 8];
        (0..8000).for_each(|number| hits[usize::try_from(scrambled(number) % 8).unwrap()] += 1);
        assert!(hits.iter().all(|hits| (800..1200).contains(hits)), "{hits:?}");
    }
}
