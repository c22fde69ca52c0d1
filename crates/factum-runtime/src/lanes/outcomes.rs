//! Who waits for what becomes of a command, within this process.

use factum_event::CommandId;
use futures_channel::oneshot::{Receiver, Sender, channel};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Those who wait, by command.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    waiting: Mutex<BTreeMap<CommandId, Vec<Sender<()>>>>,
}

impl Outcomes {
    /// Ready once something became of the command after this call.
    pub(crate) fn changed(&self, command: CommandId) -> Receiver<()> {
        let (sender, receiver) = channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_command = waiting.entry(command).or_default();
        // Those who gave up waiting are forgotten here, or when something becomes of the command.
        of_command.retain(|sender| !sender.is_canceled());
        of_command.push(sender);
        receiver
    }

    /// Something became of the command.
    pub(crate) fn tell(&self, command: CommandId) {
        let told = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&command);
        for sender in told.into_iter().flatten() {
            // Whoever gave up waiting is not told.
            let _ = sender.send(());
        }
    }

    /// Nothing becomes of any command any more, in this process.
    pub(crate) fn tell_all(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
