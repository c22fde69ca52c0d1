//! What must hold before a write, part by part.

use super::{
    fault::{Fault, Part},
    matching::{Asker, matches},
    state::State,
};
use crate::{Append, AppendError};
use factum_event::{Condition, Expected, InvalidCommit, Position, Query, QueryItem, RecordedEvent};

/// How far back a guard looks that sees only what is recent.
const WINDOW: usize = 64;

impl State {
    pub(super) fn judge(
        &mut self,
        fault: Option<Fault>,
        part: Part,
        append: &Append,
    ) -> Result<(), AppendError> {
        match part {
            Part::Valid => valid(fault, append),
            Part::Decided => self.judge_decided(append),
            Part::Tracking => self.judge_tracking(fault, &append.condition),
            Part::Absent => self.judge_absent(fault, &append.condition),
            Part::Streams => self.judge_streams(fault, append),
            Part::Fresh => self.judge_fresh(fault, &append.condition),
            Part::Ids => self.judge_ids(append),
        }
    }

    fn judge_decided(&self, append: &Append) -> Result<(), AppendError> {
        let command = append.commit.command.id;
        match self.decided.get(&command) {
            Some(sequence) => Err(AppendError::AlreadyDecided { command, sequence: *sequence }),
            None => Ok(()),
        }
    }

    fn judge_tracking(&mut self, fault: Option<Fault>, condition: &Condition) -> Result<(), AppendError> {
        let Some(tracking) = &condition.tracking else { return Ok(()) };
        if let Some((reached, sequence)) = self.reached(fault, &tracking.source) {
            let applied = match fault {
                Some(Fault::LastProgressWins) => false,
                Some(Fault::EqualProgressHolds) => tracking.progress < reached,
                _ => tracking.progress <= reached,
            };
            if applied {
                return Err(AppendError::AlreadyApplied { tracking: tracking.clone(), reached, sequence });
            }
        }
        if fault == Some(Fault::RefusedMovesProgress) {
            self.track(fault, tracking, self.taken.sequence.next());
        }
        Ok(())
    }

    fn judge_absent(&mut self, fault: Option<Fault>, condition: &Condition) -> Result<(), AppendError> {
        let Some(query) = &condition.absent else { return Ok(()) };
        if fault == Some(Fault::AbsentCached) && !self.absent.insert(format!("{query:?}")) {
            return Ok(());
        }
        let from = match fault {
            Some(Fault::AbsentSeesRecentOnly) => self.events.len().saturating_sub(WINDOW),
            _ => 0,
        };
        let matching = |event: &&RecordedEvent| matches(fault, Asker::Guard, query, event);
        let found = match fault {
            Some(Fault::AbsentTellsLast) => self.events[from..].iter().rfind(matching),
            _ => self.events[from..].iter().find(matching),
        };
        match found {
            Some(event) => Err(AppendError::AlreadyExists { position: event.position }),
            None => Ok(()),
        }
    }

    fn judge_streams(&self, fault: Option<Fault>, append: &Append) -> Result<(), AppendError> {
        let expected = match fault {
            Some(Fault::FirstStreamOnly) => {
                &append.condition.streams[..append.condition.streams.len().min(1)]
            }
            _ => &append.condition.streams[..],
        };
        for (stream, expected) in expected {
            let written = append.commit.events.iter().any(|event| event.stream == *stream);
            let actual = self.revision(stream, Position::new(u64::MAX));
            let holds = match (fault, expected) {
                (Some(Fault::OnlyWrittenStreams), _) if !written => true,
                (Some(Fault::ExactlyIsAtLeast), Expected::Exactly(revision)) => actual >= Some(*revision),
                _ => expected.holds(actual),
            };
            if !holds {
                return Err(AppendError::WrongRevision {
                    stream: stream.clone(),
                    expected: *expected,
                    actual,
                });
            }
        }
        Ok(())
    }

    fn judge_fresh(&self, fault: Option<Fault>, condition: &Condition) -> Result<(), AppendError> {
        let Some((query, read_up_to)) = &condition.fresh else { return Ok(()) };
        let first_item;
        let query = match (fault, query) {
            (Some(Fault::FreshFirstItemOnly), Query::Items(items)) => {
                first_item = items.iter().take(1).cloned().collect::<Query>();
                &first_item
            }
            _ => query,
        };
        let read_up_to = match fault {
            Some(Fault::FreshOffByOne) => read_up_to.get().saturating_add(1),
            _ => read_up_to.get(),
        };
        let from = match fault {
            Some(Fault::GuardsSeeRecentOnly) => self.events.len().saturating_sub(WINDOW),
            _ => 0,
        };
        let matching = |event: &&RecordedEvent| {
            event.position.get() > read_up_to && matches(fault, Asker::Guard, query, event)
        };
        let found = match fault {
            Some(Fault::StaleTellsFirst) => self.events[from..].iter().find(matching),
            _ => self.events[from..].iter().rfind(matching),
        };
        match found {
            Some(event) => Err(AppendError::Stale { position: event.position }),
            None => Ok(()),
        }
    }

    pub(super) fn judge_ids(&self, append: &Append) -> Result<(), AppendError> {
        let ids = (0..append.commit.events.len()).map(|index| append.commit.event_id(index));
        for id in ids {
            if let Some(position) = self.ids.get(&id) {
                return Err(AppendError::EventExists { id, position: *position });
            }
        }
        Ok(())
    }
}

pub(super) fn valid(fault: Option<Fault>, append: &Append) -> Result<(), AppendError> {
    match (fault, append.commit.check()) {
        (Some(Fault::RepeatedIdsPass), Err(InvalidCommit::RepeatedId { .. })) => {}
        (_, checked) => checked?,
    }
    if fault == Some(Fault::ConditionsNotChecked) {
        return Ok(());
    }
    append.condition.check().map_err(AppendError::InvalidCondition)
}

/// Whether what must be fresh is named by tags in every item.
pub(super) fn guards_a_tag(append: &Append) -> bool {
    let named = |item: &QueryItem| !item.tags.is_empty();
    match &append.condition.fresh {
        Some((Query::Items(items), _)) => items.iter().all(named),
        _ => false,
    }
}
