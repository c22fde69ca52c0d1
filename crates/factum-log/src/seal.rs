//! Ends a segment for good: the footer at its end, and the index file beside it. Writes nothing but those;
//! the frames are read again and their checksums verified on the way.

use crate::{
    error::IndexDamage,
    format::{
        FOOTER_BYTES, Footer, INDEX_SUFFIX_NEXT, SEGMENT_HEADER_BYTES, index_name, is_unfinished_index,
        parse_index_name, segment_name,
    },
    frames::{Frames, Step},
    index::{Covered, Sealed, Sink},
    integrity::{Hash, Tree, chained},
    segment::Segment,
    storage::{OpenMode, Storage, of_file, read_full},
};
use factum_event::{LogIdentity, Sequence};
use std::{io, sync::Arc};

/// The footer of a segment, if it ends in a whole one.
pub(crate) fn footer(segment: &Segment) -> io::Result<Option<Footer>> {
    let read = || {
        let at = segment.file.len()?.checked_sub(FOOTER_BYTES as u64);
        let Some(at) = at.filter(|at| *at >= SEGMENT_HEADER_BYTES as u64) else { return Ok(None) };
        let mut bytes = [0; FOOTER_BYTES];
        let read = read_full(&*segment.file, &mut bytes, at)?;
        Ok(Footer::decode(&bytes[..read], segment.header.salt, at).ok())
    };
    read().map_err(of_file(&segment.name))
}

/// Writes the footer of a segment whose frames end at `end`, over whatever stands there.
pub(crate) fn write_footer(segment: &Segment, end: u64, before: &Hash) -> io::Result<Footer> {
    let write = || {
        let footer = summary(segment, end, before)?;
        if segment.file.len()? != end {
            segment.file.set_len(end)?;
        }
        segment.file.write_at(&footer.encode(segment.header.salt), end)?;
        segment.file.sync()?;
        Ok(footer)
    };
    write().map_err(of_file(&segment.name))
}

/// What the footer of a segment is to say.
fn summary(segment: &Segment, end: u64, before: &Hash) -> io::Result<Footer> {
    let start = SEGMENT_HEADER_BYTES as u64;
    let mut frames = Frames::new(&*segment.file, segment.header.salt, start, end)?;
    let (mut tree, mut last) = (Tree::default(), None);
    loop {
        match frames.step()? {
            Step::Commit { view, .. } => {
                tree.add(view.canonical());
                last = Some((view.sequence(), view.last_position(), view.recorded_at()));
            }
            Step::Flawed(flaw) => return Err(io::Error::new(io::ErrorKind::InvalidData, flaw.0)),
            Step::End => break,
        }
    }
    let Some((sequence, position, recorded_at)) = last.filter(|_| frames.at() == end) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its frames do not end where they should"));
    };
    let root = tree.root();
    Ok(Footer { sequence, position, recorded_at, end, root, chain: chained(before, &root) })
}

/// Writes an index file, whole or not at all, and maps it.
pub(crate) fn write_index(
    storage: &dyn Storage,
    sequences: std::ops::Range<u64>,
    write: impl FnOnce(&mut dyn Sink) -> io::Result<u64>,
) -> io::Result<Arc<Sealed>> {
    let name = index_name(Sequence::new(sequences.start), Sequence::new(sequences.end - 1));
    let next = format!("{}{INDEX_SUFFIX_NEXT}", name.trim_end_matches(".idx"));
    let made = || {
        let file = storage.open(&next, OpenMode::Create)?;
        let mut sink = &*file;
        let length = write(&mut sink)?;
        file.sync()?;
        storage.rename(&next, &name)?;
        storage.sync_dir()?;
        let sealed = Sealed::open(file.map(length)?, length, Some(name.clone()));
        sealed.map_err(|flaw| io::Error::new(io::ErrorKind::InvalidData, flaw.0))
    };
    match made() {
        Ok(sealed) => Ok(Arc::new(sealed)),
        Err(error) => {
            // What cannot be removed now is recognised and removed at the next open.
            let _ = storage.remove(&next);
            Err(of_file(&name)(error))
        }
    }
}

/// The index files to use, and those that would be used if they were right.
#[derive(Debug, Default)]
pub(crate) struct Adoption {
    pub(crate) adopted: Vec<Adopted>,
    pub(crate) damaged: Vec<IndexDamage>,
}

/// An index file that is right, and the segments it covers.
#[derive(Clone, Debug)]
pub(crate) struct Adopted {
    pub(crate) sealed: Arc<Sealed>,
    pub(crate) segments: Vec<(Segment, Footer)>,
}

/// Which index files to use for the segments that end before `last` begins: they follow each other, the
/// widest first. Every byte of them is checked before anything is asked of them: what is decided on a wrong answer
/// stays wrong. What is not right is passed over.
pub(crate) fn adopt(
    storage: &dyn Storage,
    identity: LogIdentity,
    mode: OpenMode,
    last: Sequence,
) -> io::Result<Adoption> {
    let mut files: Vec<_> =
        storage.list()?.into_iter().filter_map(|name| Some((parse_index_name(&name)?, name))).collect();
    files.sort_by_key(|((first, end), _)| (*first, std::cmp::Reverse(*end)));
    let (mut found, mut due) = (Adoption::default(), Sequence::START.next());
    for ((first, end), name) in files {
        if first < due || end < first || end >= last {
            continue;
        }
        // One that cannot be read is of no use, and no reason not to open.
        let Ok(opened) = read_index(storage, &name) else { continue };
        let sealed = match opened.and_then(|sealed| sealed.verify().map(|()| sealed)) {
            Ok(sealed) => sealed,
            Err(flaw) => {
                found.damaged.push(IndexDamage { file: name, reason: flaw.0 });
                continue;
            }
        };
        if let Some(segments) = segments_of(storage, identity, mode, &sealed, (first, end))? {
            found.adopted.push(Adopted { sealed: Arc::new(sealed), segments });
            due = end.next();
        }
    }
    Ok(found)
}

/// The index file; what is wrong with its header, if something is.
pub(crate) fn read_index(
    storage: &dyn Storage,
    name: &str,
) -> io::Result<Result<Sealed, crate::format::Flaw>> {
    let file = storage.open(name, OpenMode::Read)?;
    let length = file.len()?;
    Ok(Sealed::open(file.map(length)?, length, Some(name.to_owned())))
}

/// The segments that an index file covers, if each is there, sealed, and the one it was made from.
fn segments_of(
    storage: &dyn Storage,
    identity: LogIdentity,
    mode: OpenMode,
    sealed: &Sealed,
    (first, last): (Sequence, Sequence),
) -> io::Result<Option<Vec<(Segment, Footer)>>> {
    let header = &sealed.header;
    let is_of_log = header.identity.log == identity.log && header.identity.generation <= identity.generation;
    // The counts are those of a header that may have been forged.
    let ends = header.base_sequence.get().checked_add(u64::from(header.commits));
    if !is_of_log || (header.base_sequence, ends) != (first, last.get().checked_add(1)) {
        return Ok(None);
    }
    let mut segments: Vec<(Segment, Footer)> = Vec::new();
    let (mut sequence, mut position) = (header.base_sequence, header.base_position);
    for covered in sealed.covered() {
        if (covered.base_sequence, covered.base_position) != (sequence, position) {
            return Ok(None);
        }
        let opened = match Segment::open(storage, &segment_name(sequence.get()), mode) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let Ok(segment) = opened else { return Ok(None) };
        let is_it = segment.header.identity.log == identity.log
            && footer(&segment)?.is_some_and(|footer| {
                (sequence, position) = (footer.sequence.next(), footer.position.next());
                segments.push((segment.clone(), footer));
                Covered::new(&segment.header, footer.end) == covered
            });
        if !is_it {
            return Ok(None);
        }
    }
    let events = header.base_position.get().checked_add(u64::from(header.events));
    let is_whole = segments.len() == header.segments as usize
        && Some(sequence.get()) == ends
        && Some(position.get()) == events;
    Ok(is_whole.then_some(segments))
}

/// Removes index files that are not used: what a crash left, and what is not right.
pub(crate) fn remove_unused(storage: &dyn Storage, used: &[&str]) -> io::Result<()> {
    for name in storage.list()? {
        let is_index = parse_index_name(&name).is_some() || is_unfinished_index(&name);
        if is_index && !used.contains(&name.as_str()) {
            storage.remove(&name)?;
        }
    }
    Ok(())
}
