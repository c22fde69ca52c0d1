//! One service: an app, the routes over it, and what a newcomer may try.

use axum::Router;
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
    pub routes: Router,
    /// Shell lines to try, `{url}` standing for where it is served.
    pub hints: &'static [&'static str],
}
