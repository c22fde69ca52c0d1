//! What is lost on the way from the append to the log.

use super::fault::Fault;
use crate::Append;
use factum_event::{CommandPayload, Metadata, Timestamp, limits::LABEL_BYTES_MAX};
use std::{collections::BTreeMap, sync::Arc};

/// The append as it arrives.
pub(super) fn distorted(fault: Option<Fault>, mut append: Append) -> Append {
    let (command, events) = (&mut append.commit.command, &mut append.commit.events);
    match fault {
        Some(Fault::HeadersAsMap) => {
            let headers: BTreeMap<_, _> = std::mem::take(&mut command.metadata.headers).into_iter().collect();
            command.metadata.headers = headers.into_iter().collect();
        }
        Some(Fault::TimesInMilliseconds) => {
            for at in events.iter_mut().filter_map(|event| event.effective_at.as_mut()) {
                *at = Timestamp::from_micros(at.as_micros() / 1000 * 1000);
            }
        }
        Some(Fault::TagsSorted) => events.iter_mut().for_each(|event| event.tags.sort()),
        Some(Fault::LoggedPayloadLost) => {
            if let CommandPayload::Logged(_) = command.payload {
                command.payload = CommandPayload::None;
            }
        }
        Some(Fault::LongLabelsCut) => {
            let Metadata { actor, tenant, .. } = &mut command.metadata;
            for label in [actor, tenant].into_iter().flatten() {
                cut(label);
            }
        }
        _ => {}
    }
    append
}

fn cut(label: &mut Arc<str>) {
    if let Some(start) = label.get(..LABEL_BYTES_MAX) {
        *label = start.into();
    }
}
