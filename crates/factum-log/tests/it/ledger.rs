//! What was asked of a log and what it acknowledged, held against what is found in it.

use factum_event::{CommandId, Commit, Position, Sequence};
use factum_log::Log;
use factum_store::{Append, AppendError, ErrorKind, Store, Stored, Verdict, block_on};
use std::collections::HashMap;

/// Every commit that was offered to a log, and those that it said were stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    offered: HashMap<CommandId, Append>,
    acknowledged: HashMap<CommandId, Stored>,
    /// Said to be refused: they must not be there.
    refused: Vec<CommandId>,
}

impl Ledger {
    /// Hands a batch in and keeps what became of it.
    pub(crate) fn append(&mut self, log: &Log, batch: Vec<Append>) -> Vec<Verdict> {
        let commands: Vec<_> = batch.iter().map(|append| append.commit.command.id).collect();
        self.offered.extend(batch.iter().map(|append| (append.commit.command.id, append.clone())));
        let verdicts = log.append(batch);
        for (command, verdict) in commands.into_iter().zip(&verdicts) {
            self.refused.retain(|refused| *refused != command);
            match verdict {
                Ok(stored) => drop(self.acknowledged.insert(command, stored.clone())),
                Err(
                    AppendError::Unknown { .. }
                    | AppendError::AlreadyDecided { .. }
                    | AppendError::AlreadyApplied { .. },
                ) => {}
                Err(_) => self.refused.push(command),
            }
        }
        verdicts
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Sees that the log holds every acknowledged commit where it said, to the byte, none that it refused, every
    /// other one whole or not at all, and nothing else; that nothing has a gap. Gives the commands in their order.
    pub(crate) fn check(&self, log: &Log) -> Vec<CommandId> {
        let page = block_on(log.commits(Sequence::START, usize::MAX)).unwrap();
        assert_eq!(page.next, None, "a script fits one page");
        let (mut position, mut recorded_at, mut found) = (Position::START, None, HashMap::new());
        let mut commands = Vec::new();
        for (index, commit) in page.commits.iter().enumerate() {
            let command = commit.header.command_id;
            assert_eq!(commit.header.sequence.get(), index as u64 + 1, "sequences have no gap");
            for event in &commit.events {
                assert_eq!(event.position, position.next(), "positions have no gap");
                position = event.position;
            }
            assert!(recorded_at <= Some(commit.header.recorded_at), "recorded time never runs back");
            recorded_at = Some(commit.header.recorded_at);
            self.is_as_offered(commit);
            assert!(found.insert(command, commit).is_none(), "{command} is there twice");
            commands.push(command);
        }
        for (command, stored) in &self.acknowledged {
            let commit =
                found.get(command).unwrap_or_else(|| panic!("{command} was acknowledged: {stored:?}"));
            let revisions: Vec<_> = commit.events.iter().map(|event| event.revision).collect();
            assert_eq!((commit.header.sequence, &revisions), (stored.sequence, &stored.revisions));
            assert_eq!(commit.header.recorded_at, stored.recorded_at);
            assert!(commit.events.first().is_none_or(|event| event.position == stored.first));
        }
        let head = log.published();
        assert_eq!((head.position, head.sequence.get()), (position, commands.len() as u64));
        let came_back: Vec<_> = self.refused.iter().filter(|refused| found.contains_key(refused)).collect();
        assert!(came_back.is_empty(), "refused, and there: {came_back:?}");
        commands
    }

    fn is_as_offered(&self, commit: &Commit) {
        let offered = &self.offered[&commit.header.command_id];
        assert_eq!(commit.command(), offered.commit.command);
        assert_eq!(
            (&commit.outcome, &commit.tracking),
            (&offered.commit.outcome, &offered.condition.tracking)
        );
        assert_eq!(commit.events.len(), offered.commit.events.len(), "whole or not at all");
        for (index, (kept, given)) in commit.events.iter().zip(&offered.commit.events).enumerate() {
            assert_eq!(kept.id, offered.commit.event_id(index));
            assert_eq!((&kept.stream, &kept.event_type), (&given.stream, &given.event_type));
            assert_eq!((kept.version, kept.codec), (given.version, given.codec));
            assert_eq!((&kept.tags, &kept.payload), (&given.tags, &given.payload));
            assert_eq!(kept.corrects, given.corrects);
        }
    }
}

/// What to do about the verdict of a commit that was neither stored nor refused for good.
pub(crate) fn kind(verdict: &Verdict) -> Option<ErrorKind> {
    match verdict {
        Err(AppendError::Store(error)) => Some(error.kind()),
        Err(AppendError::Unknown { .. }) => Some(ErrorKind::Reopen),
        _ => None,
    }
}
