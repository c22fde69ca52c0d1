//! Files as memory, and every line of unsafe code of this crate. Shows bytes, never checks or changes them.
//!
//! What is assumed of a mapped file, as every engine that maps its files does:
//!
//! - Nobody cuts it below what was ever published. The engine itself cuts only above that: a torn tail before
//!   it is read, room ahead at roll and close. Where another program does it all the same, reading there ends
//!   the process (SIGBUS) instead of failing a read.
//! - Nobody writes below what was ever published: published bytes are never rewritten, and only they are
//!   asked for.
//! - The medium gives back what it took. A sector that cannot be read ends the process as well.
//!
//! On Linux address space is reserved beyond the end of the file, and comes to show what the file holds once
//! it has grown, so that a growing segment is mapped a few times only. Other Unix systems leave open what
//! stands there, so that there a map ends with its file and is made anew when the file has grown. Windows
//! refuses to cut or remove a file that is mapped, and 32 bits of addresses are too few: there a map is a copy.

use crate::storage::{StorageFile, read_full};
use memmap2::{Advice, Mmap, MmapOptions};
use std::{
    fmt,
    fs::File,
    io,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// A file as memory. Only what was written and will not change is asked for.
pub trait FileMap: fmt::Debug + Send + Sync {
    /// These bytes; none if the file was shorter when the map was last asked for, or if they were not asked for.
    fn slice(&self, range: Range<u64>) -> Option<&[u8]>;

    /// Advice: these bytes are read soon. They are fetched while the caller goes on.
    fn will_need(&self, range: Range<u64>) {
        let _ = range;
    }

    /// Whether the byte at `offset` can be read without waiting for the medium, as far as that is known.
    fn is_in_memory(&self, offset: u64) -> bool {
        let _ = offset;
        true
    }

    /// Advice: what is read next does not stand behind what was read last, so nothing is fetched ahead.
    fn random(&self) {}
}

impl FileMap for Vec<u8> {
    fn slice(&self, range: Range<u64>) -> Option<&[u8]> {
        self.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }
}

/// What `file` holds now of its first `bytes`.
pub(crate) fn copy_of(file: &(impl StorageFile + ?Sized), bytes: u64) -> io::Result<Arc<dyn FileMap>> {
    let mut copy = vec![0; usize::try_from(bytes.min(file.len()?)).map_err(io::Error::other)?];
    let filled = read_full(file, &mut copy, 0)?;
    copy.truncate(filled);
    Ok(Arc::new(copy))
}

/// Whether what lies beyond the end of a file may be mapped ahead.
const RESERVES: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The least that is mapped of a file, in bytes of address space, where it may be mapped ahead.
const RESERVED_BYTES_MIN: u64 = 1024 * 1024;

/// The map of an open file, made when it is first asked for and held as long as the file.
#[derive(Debug, Default)]
pub(crate) struct HeldMap(Mutex<Option<Arc<SharedMap>>>);

impl HeldMap {
    /// Whether a map shows the file itself on this system.
    pub(crate) const IN_PLACE: bool = cfg!(all(unix, target_pointer_width = "64"));

    /// The map of `file`, which is always the same file. Shows `bytes` of it, or what it holds now: `length`
    /// is asked if that may have changed.
    pub(crate) fn get(
        &self,
        file: &File,
        bytes: u64,
        length: impl FnOnce() -> io::Result<u64>,
    ) -> io::Result<Arc<dyn FileMap>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = &*held
            && bytes <= map.reach.load(Ordering::Acquire)
        {
            return Ok(Arc::clone(map) as Arc<dyn FileMap>);
        }
        let length = length()?;
        let map = match &*held {
            Some(map) if bytes.min(length) <= map.map.len() as u64 => map,
            _ => held.insert(Arc::new(SharedMap::new(file, bytes, length)?)),
        };
        map.reach.store(length.min(map.map.len() as u64), Ordering::Release);
        Ok(Arc::clone(map) as Arc<dyn FileMap>)
    }
}

/// A file mapped for reading, shared with whoever writes it.
#[derive(Debug)]
struct SharedMap {
    map: Mmap,
    /// As many bytes of the file were there when it was last looked at: what follows must not be touched.
    reach: AtomicU64,
    random: AtomicBool,
}

impl SharedMap {
    fn new(file: &File, bytes: u64, length: u64) -> io::Result<Self> {
        let reserved = bytes.max(length).max(RESERVED_BYTES_MIN).checked_next_power_of_two();
        let bytes = reserved.filter(|_| RESERVES).unwrap_or(length);
        let bytes = usize::try_from(bytes).map_err(io::Error::other)?;
        #[expect(unsafe_code, reason = "a map is memory that others can change: see the module for who may")]
        // SAFETY: slices are handed out of `..reach` only, which the file held when it was looked at, and
        // callers ask only for what is published, which is neither cut nor written again.
        let map = unsafe { MmapOptions::new().len(bytes).map(file)? };
        Ok(Self { map, reach: AtomicU64::new(0), random: AtomicBool::new(false) })
    }
}

impl FileMap for SharedMap {
    fn slice(&self, range: Range<u64>) -> Option<&[u8]> {
        if range.end > self.reach.load(Ordering::Acquire) {
            return None;
        }
        self.map.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }

    fn will_need(&self, range: Range<u64>) {
        let range = range.start..range.end.min(self.reach.load(Ordering::Acquire));
        let start = usize::try_from(range.start).ok();
        let length = range.end.checked_sub(range.start).and_then(|bytes| usize::try_from(bytes).ok());
        if let Some((start, length)) = start.zip(length) {
            // Advice that is not taken costs time, nothing else.
            let _ = self.map.advise_range(Advice::WillNeed, start, length);
        }
    }

    #[cfg(target_os = "linux")]
    fn is_in_memory(&self, offset: u64) -> bool {
        let Some(byte) = self.slice(offset..offset + 1) else { return true };
        let mut resident = 0;
        let page = byte.as_ptr().map_addr(|address| address & !(page_bytes() - 1));
        #[expect(unsafe_code, reason = "the call takes pointers")]
        // SAFETY: the page is one of the map, which `self` holds; of one page one byte is told, into `resident`.
        let asked = unsafe { libc::mincore(page.cast_mut().cast(), 1, &raw mut resident) };
        asked != 0 || resident & 1 == 1
    }

    fn random(&self) {
        if !self.random.load(Ordering::Relaxed) && !self.random.swap(true, Ordering::Relaxed) {
            let _ = self.map.advise(Advice::Random);
        }
    }
}

#[cfg(target_os = "linux")]
fn page_bytes() -> usize {
    static PAGE_BYTES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *PAGE_BYTES.get_or_init(|| {
        #[expect(unsafe_code, reason = "the call is declared in C")]
        // SAFETY: it takes a number and gives one.
        let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(bytes).expect("the size of a page is known")
    })
}

/// Asks for the cache lines of `bytes`, which are read soon. Does nothing where there is no word for it.
#[inline]
pub(crate) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(CACHE_LINE_BYTES) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "the instruction takes a pointer")]
        // SAFETY: the pointer is that of a slice, and a prefetch neither faults nor changes anything.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// As [`std::str::from_utf8`], in less time for what nearly every name is: short and ASCII.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    let (whole, _) = bytes.as_chunks();
    let whole = whole.iter().fold(0, |bits, eight| bits | u64::from_le_bytes(*eight));
    let bits = match bytes.last_chunk() {
        // What is left over is the end of the last eight bytes.
        Some(last) => whole | u64::from_le_bytes(*last),
        None => bytes.iter().fold(0, |bits, byte| bits | u64::from(*byte)),
    };
    if bits & 0x8080_8080_8080_8080 != 0 {
        return std::str::from_utf8(bytes).ok();
    }
    #[expect(
        unsafe_code,
        reason = "the standard library looks at each byte for more than this needs to know"
    )]
    // SAFETY: no byte has its highest bit set, so all are ASCII, which is UTF-8.
    Some(unsafe { std::str::from_utf8_unchecked(bytes) })
}

#[cfg(target_arch = "x86_64")]
const CACHE_LINE_BYTES: usize = 64;

#[cfg(test)]
mod texts {
    #[test]
    fn text_is_what_the_standard_library_takes_for_text() {
        let plain = b"account-0123456789:deposited";
        for length in 0..plain.len() {
            for at in 0..length {
                for byte in [0, b'~', 0x7f, 0x80, 0xbf, 0xc3, 0xff] {
                    let mut bytes = plain[..length].to_vec();
                    bytes[at] = byte;
                    assert_eq!(super::text(&bytes), std::str::from_utf8(&bytes).ok(), "{bytes:?}");
                }
            }
            for at in 0..length.saturating_sub(2) {
                let mut bytes = plain[..length].to_vec();
                bytes[at..at + 2].copy_from_slice("ß".as_bytes());
                assert_eq!(super::text(&bytes), std::str::from_utf8(&bytes).ok(), "{bytes:?}");
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn get(held: &HeldMap, file: &File, bytes: u64) -> Arc<dyn FileMap> {
        held.get(file, bytes, || Ok(file.metadata()?.len())).unwrap()
    }

    fn made(bytes: &[u8]) -> (tempfile::TempDir, File) {
        let dir = tempfile::tempdir().unwrap();
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).open(dir.path().join("file")).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        (dir, file)
    }

    #[test]
    fn nothing_beyond_the_end_of_a_file_is_within_reach() {
        let (_dir, file) = made(b"twelve bytes");
        let map = get(&HeldMap::default(), &file, 1 << 20);
        assert_eq!(map.slice(0..12), Some(&b"twelve bytes"[..]));
        assert_eq!(map.slice(0..13), None);
        assert_eq!(map.slice(5000..5001), None);
    }

    #[test]
    fn what_a_file_has_grown_by_is_within_reach_once_it_is_asked_for() {
        let (_dir, file) = made(b"twelve bytes");
        let held = HeldMap::default();
        let before = get(&held, &file, 12);
        // Beyond what the last page of the file held, and beyond the least that is reserved.
        for at in [40_000, 3 * RESERVED_BYTES_MIN] {
            file.write_all_at(b"more", at).unwrap();
            assert_eq!(get(&held, &file, 12).slice(at..at + 4), None, "nobody looked");
            assert_eq!(get(&held, &file, at + 4).slice(at..at + 4), Some(&b"more"[..]));
        }
        assert_eq!(before.slice(7..12), Some(&b"bytes"[..]));
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_growing_file_keeps_its_map() {
        let (_dir, file) = made(b"");
        let held = HeldMap::default();
        let first = get(&held, &file, 1);
        for end in (1..RESERVED_BYTES_MIN).step_by(60_000) {
            file.write_all_at(b"x", end - 1).unwrap();
            let map = get(&held, &file, end);
            assert_eq!(map.slice(end - 1..end), Some(&b"x"[..]));
            assert!(Arc::ptr_eq(&first, &map));
        }
    }

    #[test]
    fn advice_may_name_what_is_not_there() {
        let (_dir, file) = made(b"twelve bytes");
        let map = get(&HeldMap::default(), &file, 12);
        map.random();
        for (start, end) in [(3, 5), (0, 12), (10, 4000), (7000, 9000), (9, 3), (u64::MAX, u64::MAX)] {
            map.will_need(start..end);
        }
        prefetch(map.slice(0..12).unwrap());
        prefetch(&[]);
        assert_eq!(map.slice(0..6), Some(&b"twelve"[..]));
    }
}
