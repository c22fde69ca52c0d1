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
    /// The id that a client's idempotency key stands for. The same parts give the same id, so that a
    /// repeat finds the first outcome. Parts are set apart by a zero byte, which none of them may hold
    /// (`scope` is the actor and, over HTTP, the method and path).
    ///
    /// ```
    /// use factum_event::CommandId;
    /// let one = CommandId::from_idempotency_key(&["ann", "POST", "/values"], "k1");
    /// assert_eq!(one, CommandId::from_idempotency_key(&["ann", "POST", "/values"], "k1"));
    /// assert_ne!(one, CommandId::from_idempotency_key(&["bob", "POST", "/values"], "k1"));
    /// ```
    pub fn from_idempotency_key(scope: &[&str], key: &str) -> Self {
        let mut text = Vec::new();
        for part in scope {
            text.extend_from_slice(part.as_bytes());
            text.push(0);
        }
        text.extend_from_slice(key.as_bytes());
        Self(Uuid::new_v5(&IDEMPOTENCY_NAMESPACE, &text))
    }

    /// The `index`th id that a decision over this command may mint: the same at every attempt.
    pub fn fresh(self, index: u32) -> Uuid {
        Uuid::new_v5(&self.0, &index.to_be_bytes())
    }

    /// The part an id shares with those of its events: what an index needs to find a command by either.
    pub fn family(self) -> [u8; 12] {
        family(self.0)
    }
}

impl EventId {
    /// The id of the `index`th event (from 0) that `command` led to: a UUID of version 8 that keeps the
    /// command's first twelve bytes, so that an index over commands finds events as well.
    ///
    /// ```
    /// use factum_event::{CommandId, EventId};
    /// let command = CommandId::from_idempotency_key(&[], "k");
    /// assert_ne!(EventId::derived(command, 0), EventId::derived(command, 1));
    /// assert_eq!(EventId::derived(command, 7).family(), command.family());
    /// ```
    pub fn derived(command: CommandId, index: u32) -> Self {
        let mut bytes = *command.0.as_bytes();
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        for (byte, mask) in bytes[12..].iter_mut().zip((index.wrapping_add(1)).to_be_bytes()) {
            *byte ^= mask;
        }
        Self(Uuid::from_bytes(bytes))
    }

    /// The part a derived id shares with its command, see [`CommandId::family`].
    pub fn family(self) -> [u8; 12] {
        family(self.0)
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

fn family(id: Uuid) -> [u8; 12] {
    let mut out = [0; 12];
    out.copy_from_slice(&id.as_bytes()[..12]);
    out[6] &= 0x0f;
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_stored_never_change() {
        let command: CommandId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(EventId::derived(command, 0).to_string(), "01890a5d-ac96-874b-bcce-b302099a8056");
        assert_eq!(EventId::derived(command, 1).to_string(), "01890a5d-ac96-874b-bcce-b302099a8055");
        assert_eq!(command.fresh(0), command.fresh(0));
        assert_ne!(command.fresh(0), command.fresh(1));
    }
}
