//! What reads bytes that may be anything, for those who feed it such bytes: the targets in `fuzz/` and the tests
//! that replay their corpus. No part of the API.

use crate::{
    decode,
    format::{
        EVENT_CHECKSUM, EVENT_HEADER_BYTES, EVENT_REVISION, FRAME_HEADER_BYTES, FRAME_MAGIC,
        SEGMENT_HEADER_BYTES, bind, footer_length, mend_frame_header, mend_record, right_index_header,
    },
    index::probe_everything,
    limits::FRAME_BYTES_MAX,
    view::commit_at,
};
use factum_event::{Position, Revision};

/// Reads `bytes` as a frame or a footer of a segment with this salt, and all that it holds. Whether a whole
/// commit stands there.
pub fn frame(salt: u32, bytes: &[u8]) -> bool {
    let Ok(Some(view)) = commit_at(bytes, salt) else { return false };
    let told = view.events().map(|event| event.tags.count() + event.payload.len()).sum::<usize>();
    assert!(told <= bytes.len(), "events hold more than their frame");
    assert_eq!(view.events().count(), view.event_count());
    if let Ok(commit) = decode::commit(&view) {
        assert_eq!(commit.events.len(), view.event_count());
        assert!(view.outcome().is_some_and(|outcome| outcome.is_final() == view.is_final()));
    }
    true
}

/// Makes the checksums of a segment right, as far as something that looks like a frame stands there.
pub fn mend_segment(bytes: &mut [u8]) {
    let Some((header, _)) = bytes.split_at_mut_checked(SEGMENT_HEADER_BYTES) else { return };
    mend_record(header);
    let salt = word(header, 56);
    let mut at = SEGMENT_HEADER_BYTES;
    while at < bytes.len() {
        at += mend_frame(salt, &mut bytes[at..]).max(1);
    }
}

/// Makes the checksums of `meta`, or of a slot of `head`, right.
pub fn mend_file(bytes: &mut [u8], record: usize) {
    if let Some(record) = bytes.get_mut(..record) {
        mend_record(record);
    }
}

/// Makes the checksums of the frame or footer right that `bytes` begin with; how long it is, 0 if there is none.
pub fn mend_frame(salt: u32, bytes: &mut [u8]) -> usize {
    if let Some(length) = footer_length(bytes) {
        if let Some(footer) = bytes.get_mut(..length)
            && length >= 16
        {
            mend_frame_header(footer, salt);
        }
        return length;
    }
    if bytes.len() < FRAME_HEADER_BYTES || bytes[..4] != FRAME_MAGIC {
        return 0;
    }
    let (length, commit) = (FRAME_HEADER_BYTES + size(bytes, 24), FRAME_HEADER_BYTES + size(bytes, 28));
    if length > FRAME_BYTES_MAX || length > bytes.len() || commit > length {
        mend_frame_header(&mut bytes[..FRAME_HEADER_BYTES], salt);
        return 0;
    }
    let part = crc32fast::hash(&bytes[FRAME_HEADER_BYTES..commit]);
    bytes[36..40].copy_from_slice(&part.to_le_bytes());
    let mut position = u64::from_le_bytes(array(bytes, 56));
    let (mut at, mut words) = (commit, crc32fast::Hasher::new());
    while at + EVENT_HEADER_BYTES <= length {
        let event_length = size(bytes, at);
        if event_length < EVENT_HEADER_BYTES || event_length > length - at {
            break;
        }
        let event = &mut bytes[at..at + event_length];
        let revision = Revision::new(u64::from_le_bytes(array(event, EVENT_REVISION.start)));
        let checksum = bind(crc32fast::hash(&event[EVENT_REVISION.end..]), Position::new(position), revision);
        event[EVENT_CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        words.update(&checksum.to_le_bytes());
        position = position.wrapping_add(1);
        at += event_length;
    }
    bytes[40..44].copy_from_slice(&words.finalize().to_le_bytes());
    mend_frame_header(&mut bytes[..FRAME_HEADER_BYTES], salt);
    length
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    *bytes[at..].first_chunk().expect("the bytes are longer than the field")
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

/// A length; one that no memory holds is longer than all bytes there are.
fn size(bytes: &[u8], at: usize) -> usize {
    usize::try_from(word(bytes, at)).unwrap_or(usize::MAX / 4)
}

/// Makes the checksum and the length in the header of an index file right, and leaves its sections as they are.
pub fn mend_index_file(bytes: &mut [u8]) {
    right_index_header(bytes);
}

/// Opens an index file and looks up what it says it holds.
pub fn index_file(bytes: &[u8]) {
    probe_everything(bytes);
}
