//! Serves the byte ranges of a page in their order, those that stand near each other with one read.

use crate::{
    error::{Damage, damaged_read, failed_read},
    limits::{READ_GAP_BYTES, SCAN_BYTES},
    segment::Segment,
    storage::read_full,
};
use factum_store::StoreError;
use std::ops::Range;

/// A range of a segment that a page needs.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    segment: usize,
    bytes: Range<u64>,
}

impl Need {
    pub(crate) fn new(segment: usize, bytes: &Range<u32>) -> Self {
        Self { segment, bytes: u64::from(bytes.start)..u64::from(bytes.end) }
    }
}

/// What was read last, and what comes next.
#[derive(Debug)]
pub(crate) struct Window {
    needs: Vec<Need>,
    next: usize,
    segment: usize,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// For these ranges, which are asked for in this order, forwards or backwards.
    pub(crate) fn new(needs: Vec<Need>) -> Self {
        Self { needs, next: 0, segment: usize::MAX, start: 0, bytes: Vec::new() }
    }

    /// The bytes of the next range, which stands in `segment`.
    pub(crate) fn get(&mut self, segment: &Segment) -> Result<&[u8], StoreError> {
        let need = self.needs[self.next].clone();
        let end = self.start + self.bytes.len() as u64;
        if need.segment != self.segment || need.bytes.start < self.start || need.bytes.end > end {
            self.fill(segment)?;
        }
        self.next += 1;
        let offset = |at: u64| usize::try_from(at - self.start).ok();
        let wanted = offset(need.bytes.start).zip(offset(need.bytes.end));
        wanted.and_then(|(start, end)| self.bytes.get(start..end)).ok_or_else(|| {
            damaged_read(&Damage {
                segment: segment.name.to_string(),
                offset: self.start + self.bytes.len() as u64,
                reason: "the segment ends before the last commit in it".to_owned(),
            })
        })
    }

    fn fill(&mut self, segment: &Segment) -> Result<(), StoreError> {
        let first = &self.needs[self.next];
        let (number, mut range) = (first.segment, first.bytes.clone());
        for need in &self.needs[self.next + 1..] {
            let gap =
                need.bytes.start.saturating_sub(range.end).max(range.start.saturating_sub(need.bytes.end));
            let (start, end) = (range.start.min(need.bytes.start), range.end.max(need.bytes.end));
            if need.segment != number || gap > READ_GAP_BYTES || end - start > SCAN_BYTES as u64 {
                break;
            }
            range = start..end;
        }
        let length = usize::try_from(range.end - range.start).expect("a frame fits the memory");
        self.bytes.resize(length, 0);
        let read = read_full(&*segment.file, &mut self.bytes, range.start)
            .map_err(|error| failed_read(&segment.name, &error))?;
        self.bytes.truncate(read);
        (self.segment, self.start) = (number, range.start);
        Ok(())
    }
}
