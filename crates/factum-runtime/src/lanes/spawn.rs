//! Where the lanes' work runs.

use factum_store::{BoxFuture, block_on};
use std::fmt;

/// Runs something beside its caller.
pub trait Spawn: fmt::Debug + Send + Sync + 'static {
    /// Runs `task` to its end.
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Runs something that may hold up who runs it, such as a database, where it holds up nobody else: on a thread
    /// of this name, where there are threads.
    fn spawn_beside(&self, name: &str, task: BoxFuture<'static, ()>) {
        let _ = name;
        self.spawn(task);
    }
}

/// On tokio inside its runtime, else on a thread of its own; what may hold it up always on one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSpawn;

impl Spawn for SystemSpawn {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(task)),
            Err(_) => {
                let named = std::thread::Builder::new().name("factum-lanes".to_owned());
                named.spawn(move || block_on(task)).expect("the system starts a thread for the lanes");
            }
        }
    }

    fn spawn_beside(&self, name: &str, task: BoxFuture<'static, ()>) {
        let runtime = tokio::runtime::Handle::try_current().ok();
        let run = move || {
            let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
            block_on(task);
        };
        let named = std::thread::Builder::new().name(name.to_owned());
        named.spawn(run).expect("the system starts a thread for each runner");
    }
}

/// Runs nothing: of an application that is opened at rest no part works.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSpawn;

impl Spawn for NoSpawn {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(task);
    }
}
