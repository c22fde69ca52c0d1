//! Keeps what was denied: `DIR/audit.log`, one JSON object a line, only ever appended to. An entry is with
//! the operating system before the refusal is answered, so it outlives the process; it is not synced, so a
//! power cut may take the last ones. At its bound the file becomes `audit.log.1`, in place of the one before.

use factum_http::{Audit, Denial};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Largest audit file, in bytes; there are two at most.
pub(crate) const AUDIT_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct AuditLog {
    path: PathBuf,
    bytes_max: u64,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    bytes: u64,
    /// Whether the last line was never finished.
    torn: bool,
}

impl AuditLog {
    /// The audit file at `path`, which is made if it is not there.
    pub(crate) fn open(path: PathBuf, bytes_max: u64) -> io::Result<Self> {
        let open = Mutex::new(Open::at(&path)?);
        Ok(Self { path, bytes_max, open })
    }

    fn append(&self, denial: &Denial) -> io::Result<()> {
        let mut line = serde_json::to_vec(denial).expect("texts make JSON");
        line.push(b'\n');
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let after = open.bytes.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        if open.bytes > 0 && after > self.bytes_max {
            fs::rename(&self.path, rotated(&self.path))?;
            *open = Open::at(&self.path)?;
        }
        open.write(&line)
    }
}

/// What the file before this one is called.
fn rotated(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        // It says who tried what: not for everybody.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let bytes = file.metadata()?.len();
        let mut last = [b'\n'];
        if bytes > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self { file, bytes, torn: last != *b"\n" })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let ended = if self.torn { &b"\n"[..] } else { b"" };
        let whole = [ended, line].concat();
        self.torn = true;
        self.file.write_all(&whole)?;
        self.torn = false;
        self.bytes += u64::try_from(whole.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

impl Audit for AuditLog {
    fn denied(&self, denial: &Denial) {
        if let Err(cause) = self.append(denial) {
            tracing::error!(path = %self.path.display(), %cause, "an entry of the audit was not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum::Timestamp;

    fn denial(reason: &str) -> Denial {
        let text = |text: &str| text.to_owned();
        Denial {
            at: Timestamp::EPOCH,
            actor: text("ann"),
            action: text("bank.withdraw"),
            method: text("POST"),
            path: text("/withdrawals"),
            reason: text(reason),
        }
    }

    fn reasons(path: &Path) -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        let line = |line: &str| {
            Some(serde_json::from_str::<serde_json::Value>(line).ok()?["reason"].as_str()?.to_owned())
        };
        text.lines().map(|text| line(text).unwrap_or_else(|| format!("torn: {text}"))).collect()
    }

    #[test]
    fn an_entry_is_a_line_that_says_who_and_what_and_why() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        AuditLog::open(path.clone(), 1000).unwrap().denied(&denial("a\nb"));
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            "{\"at\":\"1970-01-01T00:00:00.000000Z\",\"actor\":\"ann\",\"action\":\"bank.withdraw\",\"method\":\"POST\",\
             \"path\":\"/withdrawals\",\"reason\":\"a\\nb\"}\n"
        );
    }

    #[test]
    fn what_was_kept_before_a_restart_stays_and_a_torn_line_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        AuditLog::open(path.clone(), 10_000).unwrap().denied(&denial("first"));
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"{\"at\""].concat()).unwrap();
        let log = AuditLog::open(path.clone(), 10_000).unwrap();
        log.denied(&denial("second"));
        log.denied(&denial("third"));
        assert_eq!(reasons(&path), ["first", "torn: {\"at\"", "second", "third"]);
    }

    #[test]
    fn at_its_bound_the_file_steps_aside_and_no_more_than_two_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let line = u64::try_from(serde_json::to_vec(&denial("0")).unwrap().len()).unwrap() + 1;
        for nth in 0..7 {
            // Opened each time: the bound counts what is in the file, not what this process wrote.
            AuditLog::open(path.clone(), 2 * line).unwrap().denied(&denial(&nth.to_string()));
        }
        assert_eq!(
            (reasons(&rotated(&path)), reasons(&path)),
            (vec!["4".into(), "5".into()], vec!["6".into()])
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_entry_over_the_bound_is_kept_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        AuditLog::open(path.clone(), 1).unwrap().denied(&denial("long"));
        assert_eq!(reasons(&path), ["long"]);
        assert!(!rotated(&path).exists(), "nothing stepped aside for it");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        AuditLog::open(path.clone(), 1).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}
