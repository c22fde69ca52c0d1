//! Owns how a model says that its states may be kept on disk, and how one is written and read back. A state
//! that does not come back as it was is not kept. Where it is kept, and whether it still holds, is the
//! runtime's.

use crate::{EventDescriptor, shape};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::TypeId,
    fmt::{self, Debug, Write},
};
use xxhash_rust::xxh3::xxh3_64;

/// Whether, and how often, the states of a model are kept on disk: `const SNAPSHOT: Snapshot<Self> =
/// Snapshot::every(500, 1);`.
///
/// A snapshot is only ever a baseline: what came after it is read and folded as always, and one that does not
/// fit is as good as none. It fits the same life of the same log, the same model under the same key, the same
/// fold version, the same fields and variants (as far as serde shows them) and the same events.
pub struct Snapshot<M> {
    plan: Option<Plan<M>>,
}

struct Plan<M> {
    every: u32,
    version: u32,
    save: fn(&M) -> Result<Vec<u8>, String>,
    load: fn(&[u8]) -> Result<M, String>,
    form: fn() -> String,
}

/// What a state must be to be kept on disk.
#[diagnostic::on_unimplemented(
    message = "`{Self}` asks for snapshots, and serde cannot write and read it",
    label = "not `Serialize` and `Deserialize`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`, and to the types of its fields",
    note = "or leave out `const SNAPSHOT`: a model without it needs no serde, and is folded from its events"
)]
pub trait SnapshotState: Serialize + DeserializeOwned + Debug {}

#[diagnostic::do_not_recommend]
impl<M: Serialize + DeserializeOwned + Debug> SnapshotState for M {}

impl<M> Snapshot<M> {
    /// Never: what a model has that says nothing.
    pub const NONE: Self = Self { plan: None };

    /// Whenever so many `events` were folded since the last one. Raise `fold_version` when the fold makes
    /// something else of the same events: states of another version are not used.
    ///
    /// # Panics
    /// When `events` is 0. In a const the build fails, though `cargo check` may not see it.
    pub const fn every(events: u32, fold_version: u32) -> Self
    where
        M: SnapshotState,
    {
        assert!(events > 0, "a snapshot every 0 events: say after how many");
        let plan = Plan {
            every: events,
            version: fold_version,
            save: save::<M>,
            load: load::<M>,
            form: shape::of::<M>,
        };
        Self { plan: Some(plan) }
    }

    pub(crate) fn plan(
        &self,
        model: &'static str,
        type_id: TypeId,
        key: &dyn Debug,
        events: &'static [EventDescriptor],
    ) -> Option<SnapshotPlan> {
        self.plan.as_ref().map(|plan| SnapshotPlan {
            model,
            type_id,
            key: format!("{key:?}"),
            every: plan.every,
            version: plan.version,
            form: plan.form,
            events,
        })
    }

    pub(crate) const fn is_some(&self) -> bool {
        self.plan.is_some()
    }

    pub(crate) fn save(&self, state: &M) -> Result<Vec<u8>, String> {
        self.plan.as_ref().map_or_else(|| Err(UNPLANNED.to_owned()), |plan| (plan.save)(state))
    }

    pub(crate) fn load(&self, stored: &[u8]) -> Result<M, String> {
        self.plan.as_ref().map_or_else(|| Err(UNPLANNED.to_owned()), |plan| (plan.load)(stored))
    }
}

const UNPLANNED: &str = "the model asks for no snapshots";

impl<M> Debug for Snapshot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = self.plan.as_ref().map(|plan| (plan.every, plan.version));
        f.debug_tuple("Snapshot").field(&every).finish()
    }
}

/// What the runtime must know to keep the states of one model under one key.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct SnapshotPlan {
    /// The path of the model's type. Who moves or renames it refolds it once.
    pub model: &'static str,
    /// The type itself: should two ever have one path, they are told apart by it.
    pub type_id: TypeId,
    /// The key, as `Debug` shows it.
    pub key: String,
    /// After how many events.
    pub every: u32,
    /// The version of the fold.
    pub version: u32,
    form: fn() -> String,
    events: &'static [EventDescriptor],
}

impl SnapshotPlan {
    /// A fingerprint of the serialised form and of the events that are folded.
    pub fn shape(&self) -> u64 {
        xxh3_64(format!("{}\n{}", (self.form)(), described(self.events)).as_bytes())
    }
}

/// The events a fold reads, with every name they ever had: a name that is added lets older events in.
fn described(events: &[EventDescriptor]) -> String {
    let line =
        |event: &EventDescriptor| format!("{:?} {}\n", event.names().collect::<Vec<_>>(), event.version);
    let mut lines: Vec<_> = events.iter().map(line).collect();
    lines.sort();
    lines.concat()
}

fn save<M: SnapshotState>(state: &M) -> Result<Vec<u8>, String> {
    let stored = serde_json::to_vec(state).map_err(|cause| format!("serde cannot write it: {cause}"))?;
    if shown(&load::<M>(&stored)?) != shown(state) {
        let why = "it does not come back as it was: a field that is skipped or rounded is lost in a snapshot";
        return Err(why.to_owned());
    }
    Ok(stored)
}

fn load<M: DeserializeOwned>(stored: &[u8]) -> Result<M, String> {
    serde_json::from_slice(stored).map_err(|cause| format!("serde cannot read it: {cause}"))
}

/// How often each byte stands in what `Debug` shows: maps and sets may come back in another order.
#[derive(PartialEq)]
struct Shown([u64; 256]);

impl Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.0[usize::from(byte)] += 1);
        Ok(())
    }
}

fn shown(state: &impl Debug) -> Shown {
    let mut shown = Shown([0; 256]);
    write!(shown, "{state:?}").expect("counting does not fail");
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::HashSet;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Kept {
        names: HashSet<String>,
        rate: f64,
        #[serde(skip)]
        lost: u8,
    }

    const SNAPSHOT: Snapshot<Kept> = Snapshot::every(500, 1);

    #[test]
    fn a_state_comes_back_as_it_was() {
        let kept = Kept { names: ('a'..='z').map(String::from).collect(), rate: 0.1, lost: 0 };
        assert_eq!(SNAPSHOT.load(&SNAPSHOT.save(&kept).unwrap()), Ok(kept));
    }

    #[test]
    fn a_state_that_would_lose_something_is_not_kept() {
        let told = SNAPSHOT.save(&Kept { lost: 7, ..Kept::default() }).unwrap_err();
        assert!(told.contains("skipped"), "{told}");
        let told = SNAPSHOT.save(&Kept { rate: f64::NAN, ..Kept::default() }).unwrap_err();
        assert!(told.contains("serde cannot read it"), "{told}");
        assert!(Snapshot::<Kept>::NONE.save(&Kept::default()).is_err());
    }

    #[test]
    #[should_panic(expected = "say after how many")]
    fn a_snapshot_every_0_events_is_refused() {
        let _: Snapshot<Kept> = Snapshot::every(0, 1);
    }

    const OPENED: EventDescriptor = EventDescriptor { name: "opened", earlier: &[], version: 1 };

    fn shape_of<M: SnapshotState>(events: &'static [EventDescriptor]) -> u64 {
        let snapshot = Snapshot::<M>::every(1, 1);
        snapshot.plan("m", TypeId::of::<u8>(), &(), events).unwrap().shape()
    }

    #[test]
    fn the_shape_is_that_of_the_form_and_of_the_events() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Renamed {
            other: u8,
        }
        const CLOSED: EventDescriptor = EventDescriptor { name: "closed", ..OPENED };
        let shape = shape_of::<Kept>(&[OPENED, CLOSED]);
        assert_eq!(shape, shape_of::<Kept>(&[CLOSED, OPENED]), "the order of arms is no difference");
        let others = [
            shape_of::<Renamed>(&[OPENED, CLOSED]),
            shape_of::<Kept>(&[OPENED]),
            shape_of::<Kept>(&[OPENED, EventDescriptor { version: 2, ..CLOSED }]),
            shape_of::<Kept>(&[OPENED, EventDescriptor { earlier: &["shut"], ..CLOSED }]),
        ];
        assert!(others.iter().all(|other| *other != shape));
    }
}
