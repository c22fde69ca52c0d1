//! One service: an app, the routes over it, and what a newcomer may try.

use crate::{Permissions, Routes};
use factum::App;

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
