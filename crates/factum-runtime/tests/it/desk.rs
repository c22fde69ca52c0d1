//! What is decided: desks on which things are written, by commands of two kinds and several moods.

use factum::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};
use std::{cell::Cell, panic::resume_unwind};

thread_local! {
    /// Whether the build that runs has defects: commands that it cannot decide, or cannot read.
    static BROKEN: Cell<bool> = const { Cell::new(false) };
}

/// From here on commands are decided by a build with, or without, defects.
pub(crate) fn deploy(broken: bool) {
    BROKEN.set(broken);
}

#[derive(Id)]
pub(crate) struct DeskId(pub(crate) u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "desk", stream = desk)]
pub(crate) enum DeskEvent {
    Written { desk: DeskId, number: u64, seen: u64 },
}

/// How often something was written.
#[derive(Default, Debug, Clone, PartialEq)]
pub(crate) struct Desk(u64);

#[model]
impl Model for Desk {
    type Scope = Stream<DeskId>;
    fn apply(&mut self, event: DeskEvent) {
        match event {
            DeskEvent::Written { .. } => self.0 += 1,
        }
    }
}

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Once,
    Twice,
    Idle,
    Refused,
    /// A broken build panics on it, one without defects writes once.
    Panics,
    /// A broken build cannot read it.
    Unreadable,
    /// A broken build panics while it reads it.
    PanicsUnread,
}

pub(crate) const MOODS: [Mood; 7] =
    [Mood::Once, Mood::Twice, Mood::Idle, Mood::Refused, Mood::Panics, Mood::Unreadable, Mood::PanicsUnread];

impl Mood {
    /// How many events it comes to; none if it is refused.
    pub(crate) fn events(self) -> u64 {
        match self {
            Self::Idle | Self::Refused => 0,
            Self::Twice => 2,
            _ => 1,
        }
    }

    pub(crate) fn may_be_parked(self) -> bool {
        matches!(self, Self::Panics | Self::Unreadable | Self::PanicsUnread)
    }
}

impl Serialize for Mood {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = MOODS.iter().position(|mood| mood == self).unwrap();
        u8::try_from(number).unwrap().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Mood {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mood = MOODS[usize::from(u8::deserialize(deserializer)?)];
        match mood {
            Self::Unreadable if BROKEN.get() => Err(serde::de::Error::custom("this build cannot read it")),
            // Not by `panic!`, which would tell of each.
            Self::PanicsUnread if BROKEN.get() => resume_unwind(Box::new("this build cannot read it")),
            _ => Ok(mood),
        }
    }
}

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub(crate) enum Refusal {
    #[error("it is refused")]
    Refused,
}

fn decide<C>(desk: DeskId, number: u64, mood: Mood, seen: u64) -> Decision<C>
where
    C: Decide<Event = DeskEvent, Rejection = Refusal>,
{
    let written = |seen| DeskEvent::Written { desk, number, seen };
    match mood {
        Mood::Panics if BROKEN.get() => resume_unwind(Box::new("this build panics")),
        Mood::Refused => Err(Refusal::Refused),
        Mood::Idle => nothing(),
        Mood::Twice => emit([written(seen), written(seen + 1)]),
        _ => emit(written(seen)),
    }
}

macro_rules! command {
    ($command:ident, $name:literal) => {
        #[derive(Command, Clone, Copy)]
        #[command(name = $name)]
        pub(crate) struct $command {
            pub(crate) desk: DeskId,
            pub(crate) number: u64,
            pub(crate) mood: Mood,
        }

        impl Decide for $command {
            type Event = DeskEvent;
            type Models = Desk;
            type Rejection = Refusal;
            fn keys(&self) -> DeskId {
                self.desk
            }
            fn decide(&self, Desk(seen): &Desk, _: &Context) -> Decision<Self> {
                decide::<Self>(self.desk, self.number, self.mood, *seen)
            }
        }
    };
}

command!(Write, "desk.write");
command!(Sign, "desk.sign");
