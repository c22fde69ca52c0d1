//! Which projections an application has.

use super::{
    SqlProjection,
    definition::{Definition, OfTables, OfView},
    slot::Slot,
};
use factum_domain::View;
use factum_store::Sql;
use std::{collections::BTreeMap, sync::Arc};

/// The projections of an application about to start. Several versions of one may be in it: the newest is what is
/// read, or being made, and an earlier one is kept up to date until then.
#[derive(Clone, Debug, Default)]
pub struct ProjectionSet(BTreeMap<&'static str, Vec<Arc<dyn Definition>>>);

impl ProjectionSet {
    /// With a view.
    ///
    /// # Panics
    /// When its name, version or indexes are not as they should be, or it is there already.
    pub fn view<V: View>(&mut self) {
        self.add(Arc::new(OfView::<V>::new()));
    }

    /// With a projection into tables of the database `Db`.
    ///
    /// # Panics
    /// As [`Self::view`].
    pub fn project<Db: Sql, P: SqlProjection<Db>>(&mut self, projection: P) {
        self.add(Arc::new(OfTables::<P, Db>::new(projection)));
    }

    fn add(&mut self, definition: Arc<dyn Definition>) {
        let (name, version) = (definition.name(), definition.version());
        let versions = self.0.entry(name).or_default();
        let is_new = versions.iter().all(|other| other.version() != version);
        assert!(is_new, "the read model `{name}` version {version} is there twice: give one another name");
        versions.push(definition);
        versions.sort_by_key(|definition| definition.version());
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_slots(self) -> BTreeMap<&'static str, Arc<Slot>> {
        self.0.into_iter().map(|(name, versions)| (name, Arc::new(Slot::new(versions)))).collect()
    }
}
