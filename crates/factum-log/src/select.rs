//! Shows what a query selects where it stands, a step of events at a time. The index is locked to find the
//! events of a step, never while they are shown.

use crate::{
    engine::Engine,
    format::EventView,
    index::EventLocation,
    limits::SELECT_STEP_EVENTS,
    window::{Segments, Window},
};
use factum_event::{Position, Query};
use factum_store::{Head, ReadOptions, StoreError};
use std::ops::ControlFlow;

impl Engine {
    /// Visits what `query` selects, at most `options.limit` events, up to the head of this moment.
    pub(crate) fn select(
        &self,
        query: &Query,
        options: ReadOptions,
        visit: &mut dyn FnMut(&EventView<'_>) -> ControlFlow<()>,
    ) -> Result<Head, StoreError> {
        let head = self.watch.head();
        let (mut after, mut up_to) =
            (options.after, options.up_to.unwrap_or(head.position).min(head.position));
        let mut left = options.limit.max(1);
        loop {
            let step = left.min(SELECT_STEP_EVENTS);
            let (mut segments, mut places, mut positions) = (Segments::default(), Vec::new(), Vec::new());
            self.ask(|index, _| {
                positions.extend(index.select(query, after, up_to, options.backwards).take(step));
                index.locate_all(&positions, |EventLocation { segment, event, .. }| {
                    places.push(segments.place(index, segment, &event));
                });
            });
            left -= positions.len();
            let (found, last) = (positions.len(), positions.last().copied());
            let mut window = Window::new(segments, places, &self.residence);
            for position in positions {
                let shown = window.get()?;
                let event = EventView::read(shown.bytes, position).map_err(|flaw| shown.damaged(flaw))?;
                if visit(&event).is_break() {
                    return Ok(head);
                }
            }
            match last {
                Some(last) if found == step && left > 0 => {
                    if options.backwards {
                        up_to = Position::new(last.get() - 1);
                    } else {
                        after = last;
                    }
                }
                _ => return Ok(head),
            }
        }
    }
}
