//! One service: an app, the routes over it, and what a newcomer may try.

use crate::{
    Permissions, Routes,
    openapi::{Described, document},
    platform::{self, Shown},
};
use factum::App;
use std::{slice, sync::Arc};

/// A service, ready to be served alone or beside others.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name: also its folder's.
    pub name: &'static str,
    /// One line on what it does.
    pub about: &'static str,
    /// Its app.
    pub app: App,
    /// Its routes.
    pub routes: Routes,
    /// Which roles may do what, once callers are told apart.
    pub permissions: Permissions,
    /// Shell lines to try, `{url}` standing for where it is served.
    pub hints: &'static [&'static str],
}

impl Service {
    /// Its OpenAPI document, of its own routes and those that every server has: JSON, the same whenever the
    /// routes are the same. Served at `/openapi/{name}.json`.
    pub fn openapi(&self) -> String {
        let own = self.routes.clone().under(self.name, Arc::new(self.permissions.clone()));
        let platform = platform::routes(slice::from_ref(self), Shown::nothing(self.name));
        let (name, about) = (self.name, self.about);
        document(&Described { name, about, own: own.declared(), platform: platform.declared() })
    }
}
