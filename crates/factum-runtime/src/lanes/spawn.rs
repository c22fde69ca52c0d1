//! Where the lanes' work runs.

use factum_store::{BoxFuture, block_on};
use std::fmt;

/// Runs something beside its caller.
pub trait Spawn: fmt::Debug + Send + Sync + 'static {
    /// Runs `task` to its end.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// On tokio inside its runtime, else on a thread of its own.
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
}
