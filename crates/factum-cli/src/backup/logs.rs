//! Copies the logs of a service into a backup, and sums up their files.

use super::{
    Failure,
    files::{self, Summing},
    manifest::{Log, Segment},
    progress::Progress,
};
use factum::log::{CopyOptions, Cut, copy};
use std::path::Path;

/// The file that says which log it is.
pub(crate) const META: &str = "meta";

/// Copies a log up to its cut, and goes on from `before` where the target has a part of it.
pub(crate) fn keep(
    from: &Path,
    to: &Path,
    cut: Cut,
    before: Option<&Log>,
    progress: &Progress,
) -> Result<Log, Failure> {
    let before = before.filter(|before| before.identity() == cut.identity);
    let held = before.map(Log::held).unwrap_or_default();
    let mut summing: Vec<(String, Summing)> = Vec::new();
    let copied =
        copy(from, to, &CopyOptions { held: &held, ..CopyOptions::new(cut) }, &mut |name, bytes| {
            if summing.last().is_none_or(|(last, _)| last != name) {
                summing.push((name.to_owned(), Summing::default()));
            }
            if let Some((_, sum)) = summing.last_mut() {
                sum.add(bytes);
            }
            progress.add(bytes.len() as u64);
        })?;
    let mut segments = Vec::with_capacity(copied.segments.len());
    for segment in &copied.segments {
        let read = summing.iter().position(|(name, _)| *name == segment.name);
        let known = before.and_then(|before| before.segments.iter().find(|one| one.file == segment.name));
        let sum = match (read, known) {
            (Some(read), _) => summing.swap_remove(read).1.sum(),
            (None, Some(known)) => known.sum.clone(),
            (None, None) => unreachable!("a segment is read unless it was held"),
        };
        let (file, head) = (segment.name.clone(), segment.head);
        segments.push(Segment { file, sum, position: head.position, sequence: head.sequence });
    }
    let meta = files::sum(&to.join(META), u64::MAX, &mut |_| {})?;
    Ok(Log {
        id: copied.identity.log.get(),
        generation: copied.identity.generation,
        position: copied.head.position,
        sequence: copied.head.sequence,
        bytes: segments.iter().map(|segment| segment.sum.bytes).sum::<u64>() + meta.bytes,
        watermark_lost: cut.watermark_lost,
        segments,
        meta,
    })
}

/// Whether every file of a log in a backup is as it was written.
pub(crate) fn check(dir: &Path, log: &Log, progress: &Progress) -> Result<(), Failure> {
    let mut told = |bytes| progress.add(bytes);
    files::check(&dir.join(META), &log.meta, &mut told)?;
    log.segments
        .iter()
        .try_for_each(|segment| files::check(&dir.join(&segment.file), &segment.sum, &mut told))
}
