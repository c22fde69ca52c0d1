//! Asks an index file that may hold anything everything that is ever asked of one.

use super::{Index, KeyKind, Part, Sealed, build::Sink, merge::write_merged, part::Probe};
use crate::{
    format::{SegmentHeader, segment_name},
    segment::Segment,
    storage::StorageFile,
};
use factum_event::{
    CommandId, CorrelationId, EventId, Position, Query, QueryItem, Sequence, StreamName, Tag,
};
use std::{io, sync::Arc};

/// How many commits, events, keys and answers are looked at: a fuzzer wants many short runs.
const LOOKED_AT: u32 = 8;

#[derive(Debug)]
struct NoFile;

impl StorageFile for NoFile {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn put(&mut self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn probe_everything(bytes: &[u8]) {
    let Ok(sealed) = Sealed::open(Arc::new(bytes.to_vec()), bytes.len() as u64, None) else { return };
    let _ = sealed.verify();
    let sealed = Arc::new(sealed);
    let mut index = Index::new(0);
    let header = SegmentHeader {
        identity: sealed.header.identity,
        ordinal: 1,
        base_position: sealed.header.base_position,
        base_sequence: sealed.header.base_sequence,
        salt: 0,
    };
    let name = segment_name(header.base_sequence.get());
    let segment = Segment { name: name.into(), header, file: Arc::new(NoFile) };
    index.begin_sealed(vec![(segment, 4096)], Arc::clone(&sealed));
    let _ = sealed.covered().count();
    for key in (0..sealed.header.keys.min(LOOKED_AT)).filter_map(|key| sealed.key(key)) {
        if let Some(kind) = KeyKind::from_code(key.kind) {
            let part = Part::Sealed(Arc::clone(&sealed));
            let _ = part.get().list(&Probe::new(0, kind, key.text)).last();
        }
        let Ok(text) = std::str::from_utf8(key.text) else { continue };
        let _ = index.revision(&StreamName::unchecked(text), sealed.header.base_position);
        let item = QueryItem::default().tag(Tag::unchecked(text)).tag(Tag::unchecked("a"));
        let items = [QueryItem::default().stream(StreamName::unchecked(text)), item];
        let query: Query = items.into_iter().collect();
        for backwards in [false, true] {
            let found = index.select(&query, Position::START, Position::new(u64::MAX), backwards);
            found
                .take(LOOKED_AT as usize)
                .map(|position| index.locate(position))
                .for_each(|location| assert!(location.event.start <= location.event.end));
        }
    }
    for commit in 0..sealed.header.commits.min(LOOKED_AT) {
        let sequence = Sequence::new(sealed.header.base_sequence.get() + u64::from(commit));
        let _ = index.locate_commit(sequence);
        let head = index.locate_head(sequence);
        assert!(head.start <= head.end);
        let Some(entry) = sealed.commit(commit) else { continue };
        let (command, event) = (entry.command(), EventId::derived(entry.command(), 1));
        let _ = (index.decided(command), index.event(event), index.commits_of(command).count());
        let _ = index.correlated(CorrelationId::of(command), Sequence::START).take(9).count();
    }
    let _ = index.decided(CommandId::from_mixed([7; 16]));
    for event in 0..sealed.header.events.min(LOOKED_AT) {
        let _ = index.locate(Position::new(sealed.header.base_position.get() + u64::from(event)));
    }
    let _ = write_merged(&[Arc::clone(&sealed), Arc::clone(&sealed)], sealed.header.identity, &mut Nowhere);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Active, Covered, write_active};
    use factum_event::{LogId, LogIdentity};

    fn file() -> Vec<u8> {
        let mut active = Active::new(1, 1, 1);
        for commit in 0..20_u32 {
            let id = uuid::Uuid::from_u128(u128::from(commit % 15) << 70);
            active.begin_commit(CommandId::new(id), true, 64 + commit * 100);
            let number =
                active.begin_event(64 + commit * 100 + 80, (commit % 4 == 0).then(|| EventId::new(id)));
            active.add(KeyKind::Stream, format!("a-{}", commit % 3).as_bytes(), number);
            active.add(KeyKind::Type, b"done", number);
            active.add(KeyKind::Tag, b"a", number);
            let tracking = factum_event::Tracking {
                source: factum_event::Source::unchecked("s"),
                progress: u64::from(commit),
            };
            active.end_commit(Some(CorrelationId::new(id)), Some(&tracking), Sequence::START);
        }
        let identity = LogIdentity { log: LogId::new(uuid::Uuid::from_u128(5)), generation: 1 };
        let covered = Covered {
            ordinal: 1,
            salt: 0,
            base_sequence: Sequence::new(1),
            base_position: Position::new(1),
            end: 4096,
        };
        let mut bytes = Vec::new();
        write_active(&active, identity, &[covered], &mut bytes).unwrap();
        bytes
    }

    /// As it is, and with the checksum of its header made right.
    fn looked_at(bytes: &[u8]) {
        crate::fuzzing::index_file(bytes);
        let mut mended = bytes.to_vec();
        crate::fuzzing::mend_index_file(&mut mended);
        crate::fuzzing::index_file(&mended);
    }

    #[test]
    fn no_byte_of_an_index_file_makes_a_look_at_it_panic() {
        let whole = file();
        assert!(
            Sealed::open(Arc::new(whole.clone()), whole.len() as u64, None)
                .is_ok_and(|it| it.verify().is_ok())
        );
        for at in (0..whole.len()).step_by(3) {
            for value in [0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                looked_at(&bytes);
            }
        }
        for length in (0..whole.len()).step_by(9) {
            looked_at(&whole[..length]);
        }
    }

    #[test]
    fn bytes_that_follow_from_a_seed_are_looked_at_without_a_panic() {
        let whole = file();
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            seed >> 33
        };
        for _ in 0..200 {
            let mut bytes = whole.clone();
            for _ in 0..8 {
                let at = usize::try_from(next()).unwrap() % bytes.len();
                bytes[at] = next().to_le_bytes()[0];
            }
            looked_at(&bytes);
            crate::fuzzing::frame(0, &bytes);
        }
    }
}
