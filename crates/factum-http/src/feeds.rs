//! What all services of the server have to tell, as one: lists that go on by cursor and streams of updates,
//! merged by recorded time, then by service. The commands and events themselves are in `commands` and `events`.

mod asked;
mod page;
mod sources;
mod stream;

pub(crate) use asked::{Asked, CURSOR, LIMIT, NOT_OF_THIS_LIST, SERVICE, describe, refused};
pub(crate) use page::Page;
pub(crate) use sources::{Apps, Begin, Merged, Slot};
pub(crate) use stream::{Streams, Told, last_event_id, streams};

/// What the routes over commands and events need.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) apps: Apps,
    pub(crate) streams: Streams,
}
