//! Ids. An event's id follows from its command's id and its place in the commit, so that deciding the
//! same command again can never mint a second id for the same fact.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this value.
            pub const fn new(value: Uuid) -> Self {
                Self(value)
            }

            /// The bare UUID.
            pub const fn get(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// One request to change something.
    CommandId
}
id! {
    /// One fact.
    EventId
}
id! {
    /// What ties together everything that followed from one first request.
    CorrelationId
}
id! {
    /// The event or command that led to a command.
    CausationId
}
id! {
    /// One log. A copy or a restore is another generation of it, see [`crate::LogIdentity`].
    LogId
}

impl CommandId {
    /// The id that a client's idempotency key stands for. The same parts give the same id, so that a repeat
    /// finds the first outcome; each part counts with its length, so that no two lists of parts are one.
    /// `scope` is who the key belongs to: tenant and actor, and what it was sent to.
    ///
    /// ```
    /// use factum_event::CommandId;
    /// let one = CommandId::from_idempotency_key(&["ann", "POST", "/values"], "k1");
    /// assert_eq!(one, CommandId::from_idempotency_key(&["ann", "POST", "/values"], "k1"));
    /// assert_ne!(one, CommandId::from_idempotency_key(&["bob", "POST", "/values"], "k1"));
    /// ```
    pub fn from_idempotency_key(scope: &[&str], key: &str) -> Self {
        let mut text = Vec::new();
        for part in scope.iter().chain([&key]) {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        Self(Uuid::new_v5(&IDEMPOTENCY_NAMESPACE, &text))
    }

    /// The `index`th id that a decision over this command may mint: the same at every attempt.
    pub fn fresh(self, index: u32) -> Uuid {
        Uuid::new_v5(&self.0, &index.to_be_bytes())
    }

    /// The id with its bits spread: ids that were counted up end far apart. One to one, so that nothing of
    /// the id is lost.
    pub fn mixed(self) -> [u8; 16] {
        mix(*self.0.as_bytes())
    }

    /// The id whose [`Self::mixed`] form this is.
    pub fn from_mixed(mixed: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(unmix(mixed)))
    }

    /// The part of its mixed form that it shares with the ids of its events: what an index needs to find a
    /// command by either.
    pub fn family(self) -> [u8; 12] {
        family(&self.mixed())
    }
}

impl EventId {
    /// The id of the `index`th event (from 0) that `command` led to: a UUID of version 8 with the command's
    /// family in its first twelve bytes, so that an index over commands finds events as well. The last four
    /// tell the events of one command apart; two commands share a family by accident once in 2^90.
    ///
    /// ```
    /// use factum_event::{CommandId, EventId};
    /// let command = CommandId::from_idempotency_key(&[], "k");
    /// assert_ne!(EventId::derived(command, 0), EventId::derived(command, 1));
    /// assert_eq!(EventId::derived(command, 7).family(), command.family());
    /// ```
    pub fn derived(command: CommandId, index: u32) -> Self {
        let mut bytes = command.mixed();
        bytes[6] = (bytes[6] & !VERSION) | 0x80;
        bytes[8] = (bytes[8] & !VARIANT) | 0x80;
        for (byte, mask) in bytes[12..].iter_mut().zip(index.to_be_bytes()) {
            *byte ^= mask;
        }
        Self(Uuid::from_bytes(bytes))
    }

    /// The part a derived id shares with its command, see [`CommandId::family`].
    pub fn family(self) -> [u8; 12] {
        family(self.0.as_bytes())
    }
}

impl CorrelationId {
    /// The correlation that a command begins when it was given none.
    pub const fn of(command: CommandId) -> Self {
        Self(command.0)
    }
}

/// Stored ids follow from it: it never changes.
const IDEMPOTENCY_NAMESPACE: Uuid = Uuid::from_u128(0x6fac_7d3b_51d0_4c0e_9f1e_0d0c_fac7_0001);

/// The bits of byte 6 that say a UUID's version.
const VERSION: u8 = 0xf0;
/// The bits of byte 8 that say a UUID's variant.
const VARIANT: u8 = 0xc0;

fn family(bytes: &[u8; 16]) -> [u8; 12] {
    let mut out = [0; 12];
    out.copy_from_slice(&bytes[..12]);
    out[6] &= !VERSION;
    out[8] &= !VARIANT;
    out
}

/// The rounds of [`mix`]. Stored ids follow from them: they never change.
const ROUNDS: [u64; 4] =
    [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03, 0x8cb9_2ba7_2f3d_8dd7, 0xabc9_8388_fb8f_ac03];

/// A Feistel network over the two halves, which no round function can make ambiguous.
fn mix(id: [u8; 16]) -> [u8; 16] {
    let (mut left, mut right) = halves(id);
    for round in ROUNDS {
        (left, right) = (right, left ^ scramble(right ^ round));
    }
    whole(left, right)
}

fn unmix(mixed: [u8; 16]) -> [u8; 16] {
    let (mut left, mut right) = halves(mixed);
    for round in ROUNDS.into_iter().rev() {
        (left, right) = (right ^ scramble(left ^ round), left);
    }
    whole(left, right)
}

/// The finishing step of SplitMix64.
fn scramble(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn halves(bytes: [u8; 16]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes(rest))
}

fn whole(left: u64, right: u64) -> [u8; 16] {
    ((u128::from(left) << 64) | u128::from(right)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_stored_never_change() {
        let command: CommandId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(EventId::derived(command, 0).to_string(), "d086ae25-3fd6-8927-85fc-dc9a8f5971d7");
        assert_eq!(EventId::derived(command, 1).to_string(), "d086ae25-3fd6-8927-85fc-dc9a8f5971d6");
        assert_eq!(command.fresh(0).to_string(), "0d5bd8f1-74b6-5c3c-869e-b2f6a41119ff");
        assert_eq!(
            CommandId::from_idempotency_key(&["ann", "PUT", "/values/1"], "k1").to_string(),
            "b1fce1d8-6d76-5c86-8031-f952cff9daea"
        );
    }

    #[test]
    fn derived_ids_are_uuids_of_version_8() {
        let id = EventId::derived(CommandId::new(Uuid::from_u128(1)), 70_000).get();
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
    }

    #[test]
    fn no_two_scopes_are_one() {
        let id = CommandId::from_idempotency_key;
        assert_ne!(id(&["ann", "bank.open\0k"], ""), id(&["ann\0bank.open"], "k"));
        assert_ne!(id(&["ann", ""], "k"), id(&["", "ann"], "k"));
    }

    #[test]
    fn mixing_loses_nothing() {
        for number in [0, 1, 2, u128::MAX, 1 << 64, 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057] {
            let command = CommandId::new(Uuid::from_u128(number));
            assert_eq!(CommandId::from_mixed(command.mixed()), command);
        }
    }

    #[test]
    fn commands_that_count_their_ids_have_families_of_their_own() {
        let families: std::collections::HashSet<_> =
            (0..10_000).map(|number| CommandId::new(Uuid::from_u128(number)).family()).collect();
        assert_eq!(families.len(), 10_000);
    }
}
