//! What reads bytes that anyone may have written, as plain functions for a fuzzer. None of them panics, whatever
//! the bytes are. Not part of the interface.

use crate::{
    format::{FOOTER_BYTES, Footer, Record, record_at},
    index::probe_everything,
    view::{CommitView, commit_at},
};

/// Reads a frame, or a footer, and all that is in it.
pub fn frame(bytes: &[u8]) {
    // A fuzzer does not guess checksums: past a header that does not match, its fields are taken as they are.
    for salt in [0, 0x5a17] {
        if let Ok(Some(view)) = commit_at(bytes, salt) {
            walk(&view);
        }
        if let Ok(Record::Frame(header)) = record_at(bytes, salt)
            && let Ok(view) = CommitView::read(header, bytes)
        {
            walk(&view);
        }
        if let Some(footer) = bytes.get(..FOOTER_BYTES) {
            let _ = Footer::decode(footer, salt, 0);
        }
        let _ = Footer::decode(bytes, salt, bytes.len() as u64);
    }
}

fn walk(view: &CommitView<'_>) {
    let _ = (view.part.fields(), view.outcome(), view.canonical().len(), view.last_position());
    for event in view.events() {
        let _ = event.tags.count();
    }
}

/// Opens an index file and looks up what it says it holds. With its header's checksum put right, so that a
/// fuzzer gets behind it.
pub fn index_file(bytes: &[u8]) {
    probe_everything(bytes);
    let mut righted = bytes.to_vec();
    if crate::format::right_index_header(&mut righted) {
        probe_everything(&righted);
    }
}
