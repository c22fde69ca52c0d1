//! Serves the byte ranges of a page in their order. Where the file can be seen as memory, from its map, what
//! comes next fetched into the caches meanwhile; else by reads, those ranges that stand near each other with
//! one. Never says what the bytes mean.

mod residence;

pub(crate) use residence::Residence;

use crate::{
    error::{Damage, damaged_read, failed_read},
    format::Flaw,
    index::Index,
    limits::{
        FETCH_BYTES_MAX, FETCH_PLACES_MIN, PREFETCH_BYTES_MAX, PREFETCH_PLACES, READ_GAP_BYTES, SCAN_BYTES,
    },
    map::prefetch,
    segment::Segment,
    storage::{FileMap, read_full},
};
use factum_store::StoreError;
use std::{ops::Range, sync::Arc};

/// A range of bytes that a page needs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Which of the [`Segments`] of the page.
    slot: usize,
    bytes: Range<u32>,
}

impl Place {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn range(&self) -> Range<u64> {
        u64::from(self.bytes.start)..u64::from(self.bytes.end)
    }
}

/// The segments of a page, as its places come to them.
#[derive(Debug, Default)]
pub(crate) struct Segments(Vec<(usize, Segment)>);

impl Segments {
    /// The place of these bytes of the segment with this number.
    pub(crate) fn place(&mut self, index: &Index, number: usize, bytes: &Range<u32>) -> Place {
        if self.0.last().is_none_or(|(last, _)| *last != number) {
            self.0.push((number, index.segment(number).clone()));
        }
        Place { slot: self.0.len() - 1, bytes: bytes.clone() }
    }
}

/// A segment of the page.
#[derive(Debug)]
struct Source {
    segment: Segment,
    /// None where the file is read instead.
    map: Option<Arc<dyn FileMap>>,
}

/// The bytes of a place.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) start: u32,
    pub(crate) bytes: &'a [u8],
}

impl Shown<'_> {
    /// They are not what should stand there.
    pub(crate) fn damaged(&self, flaw: Flaw) -> StoreError {
        damaged(self.segment, self.start, flaw)
    }
}

/// What was read last, and what comes next.
#[derive(Debug)]
pub(crate) struct Window {
    sources: Vec<Source>,
    places: Vec<Place>,
    next: usize,
    /// What was read: of which segment, from where on.
    slot: usize,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// For these places, which are asked for in this order, forwards or backwards.
    pub(crate) fn new(segments: Segments, places: Vec<Place>, residence: &Residence) -> Self {
        let mut ends = vec![0; segments.0.len()];
        for place in &places {
            ends[place.slot] = place.bytes.end.max(ends[place.slot]);
        }
        let source = |((_, segment), end): ((usize, Segment), u32)| {
            let in_place = end > 0 && segment.file.maps_in_place();
            // Where there is no room for a map the file can still be read.
            let map = in_place.then(|| segment.file.map(u64::from(end)).ok()).flatten();
            map.iter().for_each(|map| map.random());
            Source { segment, map }
        };
        let sources = segments.0.into_iter().zip(ends).map(source).collect();
        let window = Self { sources, places, next: 0, slot: usize::MAX, start: 0, bytes: Vec::new() };
        window.fetch(residence);
        (0..PREFETCH_PLACES).for_each(|ahead| window.prefetch(ahead));
        window
    }

    /// The bytes of the next place.
    pub(crate) fn get(&mut self) -> Result<Shown<'_>, StoreError> {
        self.prefetch(self.next + PREFETCH_PLACES);
        let Place { slot, bytes: Range { start, .. } } = self.places[self.next];
        let range = self.places[self.next].range();
        self.next += 1;
        if self.sources[slot].map.is_none() {
            self.read(slot, &range)?;
        }
        let Source { segment, map } = &self.sources[slot];
        let bytes = match map {
            Some(map) => map.slice(range).ok_or_else(|| segment.file.len().unwrap_or(0)),
            None => self.part(&range).ok_or_else(|| self.start + self.bytes.len() as u64),
        };
        let bytes = bytes.map_err(|end| cut_off(segment, end))?;
        Ok(Shown { segment, start, bytes })
    }

    /// This part of what was read.
    fn part(&self, range: &Range<u64>) -> Option<&[u8]> {
        let offset = |at: u64| usize::try_from(at - self.start).ok();
        self.bytes.get(offset(range.start)?..offset(range.end)?)
    }

    /// Reads what is wanted, with what comes after it and stands near, unless it has been read.
    fn read(&mut self, slot: usize, wanted: &Range<u64>) -> Result<(), StoreError> {
        let end = self.start + self.bytes.len() as u64;
        if slot == self.slot && wanted.start >= self.start && wanted.end <= end {
            return Ok(());
        }
        let (range, _) = run(&self.places[self.next - 1..], SCAN_BYTES as u64);
        let length = usize::try_from(range.end - range.start).expect("a frame fits the memory");
        self.bytes.resize(length, 0);
        let segment = &self.sources[slot].segment;
        let read = read_full(&*segment.file, &mut self.bytes, range.start)
            .map_err(|error| failed_read(&segment.name, &error))?;
        self.bytes.truncate(read);
        (self.slot, self.start) = (slot, range.start);
        Ok(())
    }

    /// Where much of the page is not in memory, has all of it fetched at once instead of place by place.
    fn fetch(&self, residence: &Residence) {
        if self.places.len() < FETCH_PLACES_MIN || self.sources.iter().all(|source| source.map.is_none()) {
            return;
        }
        let mut sample = self.places.iter().step_by(self.places.len().div_ceil(residence.looks()));
        let in_memory = |place: &Place| {
            let map = self.sources[place.slot].map.as_ref();
            map.is_none_or(|map| map.is_in_memory(u64::from(place.bytes.start)))
        };
        let all_in_memory = sample.all(in_memory);
        residence.found(all_in_memory);
        if all_in_memory {
            return;
        }
        let mut rest = &self.places[..];
        while let Some(first) = rest.first() {
            let (range, count) = run(rest, FETCH_BYTES_MAX);
            if let Some(map) = &self.sources[first.slot].map {
                map.will_need(range);
            }
            rest = &rest[count..];
        }
    }

    #[inline]
    fn prefetch(&self, place: usize) {
        if let Some(place) = self.places.get(place)
            && let Some(map) = &self.sources[place.slot].map
        {
            let range = place.range();
            let near = range.start..range.end.min(range.start + PREFETCH_BYTES_MAX);
            map.slice(near).into_iter().for_each(prefetch);
        }
    }
}

/// The range of the first place with those that follow it near, in one segment, as far as that is at most
/// `bytes` long; and how many places these are.
fn run(places: &[Place], bytes: u64) -> (Range<u64>, usize) {
    let mut range = places[0].range();
    for (count, place) in places.iter().enumerate().skip(1) {
        let next = place.range();
        let gap = next.start.saturating_sub(range.end).max(range.start.saturating_sub(next.end));
        let (start, end) = (range.start.min(next.start), range.end.max(next.end));
        if place.slot != places[0].slot || gap > READ_GAP_BYTES || end - start > bytes {
            return (range, count);
        }
        range = start..end;
    }
    (range, places.len())
}

pub(crate) fn damaged(segment: &Segment, offset: u32, Flaw(reason): Flaw) -> StoreError {
    damaged_read(&Damage { segment: segment.name.to_string(), offset: u64::from(offset), reason })
}

fn cut_off(segment: &Segment, offset: u64) -> StoreError {
    let reason = "the segment ends before the last commit in it".to_owned();
    damaged_read(&Damage { segment: segment.name.to_string(), offset, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{format::SegmentHeader, storage::StorageFile};
    use factum_event::{LogId, LogIdentity, Position, Sequence};
    use std::{
        io,
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };
    use uuid::Uuid;

    /// A file whose map tells what it was asked for, and whether any of it is in memory.
    #[derive(Clone, Debug)]
    struct Asked {
        in_memory: bool,
        looks: Arc<AtomicUsize>,
        asked: Arc<Mutex<Vec<Range<u64>>>>,
    }

    impl FileMap for Asked {
        fn slice(&self, _: Range<u64>) -> Option<&[u8]> {
            None
        }

        fn will_need(&self, range: Range<u64>) {
            self.asked.lock().unwrap().push(range);
        }

        fn is_in_memory(&self, _: u64) -> bool {
            self.looks.fetch_add(1, Ordering::Relaxed);
            self.in_memory
        }
    }

    impl StorageFile for Asked {
        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            unreachable!("a file that is mapped in place is not read")
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
            Ok(1 << 20)
        }

        fn maps_in_place(&self) -> bool {
            true
        }

        fn map(&self, _: u64) -> io::Result<Arc<dyn FileMap>> {
            Ok(Arc::new(self.clone()))
        }
    }

    /// What is asked for ahead of a page of these places, in two segments, and how many it was looked at.
    fn looked(in_memory: bool, places: &[(usize, u32)], residence: &Residence) -> (Vec<Range<u64>>, usize) {
        let file = Asked { in_memory, looks: Arc::default(), asked: Arc::default() };
        let header = SegmentHeader {
            identity: LogIdentity { log: LogId::new(Uuid::nil()), generation: 0 },
            ordinal: 1,
            base_position: Position::new(1),
            base_sequence: Sequence::new(1),
            salt: 0,
        };
        let segment = Segment { name: "one".into(), header, file: Arc::new(file.clone()) };
        let segments = Segments(vec![(0, segment.clone()), (1, segment)]);
        let place = |(slot, start): &(usize, u32)| Place { slot: *slot, bytes: *start..*start + 30 };
        Window::new(segments, places.iter().map(place).collect(), residence);
        let asked = file.asked.lock().unwrap().clone();
        (asked, file.looks.load(Ordering::Relaxed))
    }

    fn asked(in_memory: bool, places: &[(usize, u32)]) -> Vec<Range<u64>> {
        looked(in_memory, places, &Residence::default()).0
    }

    #[test]
    fn what_is_not_in_memory_is_found_by_few_looks_as_well() {
        let places: Vec<_> = (0..50).map(|at| (0, at * 20_000)).collect();
        let residence = Residence::default();
        let page = |in_memory: bool| looked(in_memory, &places, &residence);
        let many = page(true).1;
        while page(true).1 == many {}
        assert_eq!(page(true), (Vec::new(), 2));
        assert_eq!(page(false).0.len(), places.len());
        assert_eq!(page(true), (Vec::new(), many));
    }

    #[test]
    fn what_is_not_in_memory_is_asked_for_at_once_and_together_where_it_stands_near() {
        let far = 100_000;
        let places = [far, far + 500, 3 * far, 5 * far, 5 * far + 40, 6 * far, 7 * far].map(|at| (0, at));
        let places: Vec<_> = places.into_iter().chain([(1, 7 * far)]).collect();
        let ranges = [(far, 530), (3 * far, 30), (5 * far, 70), (6 * far, 30), (7 * far, 30), (7 * far, 30)];
        let due = ranges.map(|(start, length)| u64::from(start)..u64::from(start + length));
        assert_eq!(asked(false, &places), due);
        assert_eq!(asked(true, &places), []);
        assert_eq!(asked(false, &places[1..]), [], "a few places are not worth a look");
    }
}
