//! The events: the same for all, and so numbered that a run can be held to have written and read them all.
//! Each has a payload of JSON, a stream, and a tag that says the same as the stream.

use std::sync::Arc;

/// Bytes of a payload.
pub(crate) const PAYLOAD_BYTES: usize = 256;
/// The type of each.
pub(crate) const EVENT_TYPE: &str = "bank.deposited";

const OPENING: &str = r#"{"number":""#;
const MIDDLE: &str = r#"","note":""#;
const CLOSING: &str = r#""}"#;
/// Digits of the number, as many as are read back as one word.
const DIGITS: usize = 8;

/// Whom an event is of.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) stream: String,
    pub(crate) tag: String,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Accounts(Arc<[Account]>);

impl Accounts {
    pub(crate) fn new(count: u64) -> Self {
        let account =
            |number| Account { stream: format!("account-{number}"), tag: format!("account:{number}") };
        Self((0..count).map(account).collect())
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The account with this number; numbers go round.
    pub(crate) fn get(&self, number: u64) -> &Account {
        &self.0[usize::try_from(number % self.count()).expect("it is below a length")]
    }

    /// Whose the event with this number is: every account has one in as many events as there are accounts, in
    /// another order each time.
    pub(crate) fn number_of(&self, event: u64) -> u64 {
        let (round, place) = (event / self.count(), event % self.count());
        (place * 7919 + round * 31) % self.count()
    }

    /// The event with this number.
    pub(crate) fn event(&self, number: u64) -> Event<'_> {
        Event { account: self.get(self.number_of(number)), payload: payload(number) }
    }
}

/// What is appended.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) account: &'a Account,
    pub(crate) payload: Vec<u8>,
}

/// The payload of the event with this number.
pub(crate) fn payload(number: u64) -> Vec<u8> {
    let mut payload = Vec::with_capacity(PAYLOAD_BYTES);
    payload.extend_from_slice(OPENING.as_bytes());
    payload.extend_from_slice(&digits(number));
    payload.extend_from_slice(MIDDLE.as_bytes());
    payload.resize(PAYLOAD_BYTES - CLOSING.len(), b'x');
    payload.extend_from_slice(CLOSING.as_bytes());
    payload
}

fn digits(number: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
    }
    digits
}

/// What was read, so that it can be compared with what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) events: u64,
    bytes: u64,
    /// In any order.
    sum: u64,
    /// In this order.
    fold: u64,
}

impl Digest {
    /// Takes in an event as it was read.
    pub(crate) fn take(&mut self, payload: &[u8]) {
        let word = payload.get(OPENING.len()..OPENING.len() + DIGITS);
        let word = word.and_then(|word| word.try_into().ok()).map_or(0, u64::from_le_bytes);
        self.count(payload.len() as u64, word);
    }

    /// Takes in an event as it was written.
    pub(crate) fn expect(&mut self, number: u64) {
        self.count(PAYLOAD_BYTES as u64, u64::from_le_bytes(digits(number)));
    }

    fn count(&mut self, bytes: u64, word: u64) {
        self.events += 1;
        self.bytes += bytes;
        self.sum = self.sum.wrapping_add(word);
        self.fold = self.fold.wrapping_mul(31).wrapping_add(word);
    }

    /// Of events 0 to `count`, in order.
    pub(crate) fn of_all(count: u64) -> Self {
        let mut all = Self::default();
        (0..count).for_each(|number| all.expect(number));
        all
    }

    /// Whether it is of the same events, in whatever order.
    pub(crate) fn is_of_the_same(&self, other: &Self) -> bool {
        Self { fold: 0, ..*self } == Self { fold: 0, ..*other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json_of_the_same_size() {
        for number in [0, 7, 12_345_678] {
            let payload = payload(number);
            assert_eq!(payload.len(), PAYLOAD_BYTES);
            let json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(json["number"], format!("{number:08}"));
        }
    }

    #[test]
    fn every_account_has_its_share() {
        let accounts = Accounts::new(10_000);
        let mut hits = vec![0; 10_000];
        (0..30_000).for_each(|event| hits[usize::try_from(accounts.number_of(event)).unwrap()] += 1);
        assert!(hits.iter().all(|hits| *hits == 3));
    }

    #[test]
    fn a_digest_tells_an_order_a_gap_and_another_payload() {
        let read = |numbers: &[u64]| {
            let mut digest = Digest::default();
            numbers.iter().for_each(|number| digest.take(&payload(*number)));
            digest
        };
        let all = Digest::of_all(3);
        assert_eq!(read(&[0, 1, 2]), all);
        assert_ne!(read(&[1, 0, 2]), all);
        assert!(read(&[1, 0, 2]).is_of_the_same(&all));
        assert!(!read(&[0, 1]).is_of_the_same(&all));
        assert!(!read(&[0, 1, 3]).is_of_the_same(&all));
    }
}
