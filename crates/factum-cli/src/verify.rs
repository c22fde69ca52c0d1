//! Reads every byte of an application's logs. Damage is told with its segment and offset, and ends the
//! process with code 1; so does an end that cannot be checked, and an index file that does not say what the log says.

use crate::{
    backup::{self, manifest::Found},
    layout::{self, DataError},
    say::say,
};
use factum::log::LogDigest;
use std::{fmt::Write, path::Path, process::ExitCode};

pub(crate) fn run(data: &Path) -> ExitCode {
    match verify(data) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("verify: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Every log, also after one was found damaged; whether all are whole, as far as can be told: without its
/// `head` none can be vouched for.
fn verify(data: &Path) -> Result<bool, DataError> {
    let mut whole = match Found::read(data) {
        Ok(Found::None) => true,
        // A backup: what its manifest says of every file counts as well.
        Ok(_) => told(backup::check(data)),
        Err(failure) => told(Err(failure)),
    };
    for (service, dir) in layout::services(data)? {
        whole &= verify_log(&service, &dir.events());
        if dir.has_commands() {
            whole &= verify_log(&format!("{service} (commands)"), &dir.commands());
        }
    }
    Ok(whole)
}

fn told(checked: Result<String, backup::Failure>) -> bool {
    match checked {
        Ok(text) => say(&text),
        Err(failure) => {
            eprintln!("verify: {failure}");
            return false;
        }
    }
    true
}

fn verify_log(name: &str, dir: &Path) -> bool {
    match factum::log::verify(dir) {
        Ok(verified) => {
            say(&format!(
                "{name}: whole, {} commits and {} events in {} segments, {} bytes{}\n",
                verified.head.sequence,
                verified.head.position,
                verified.segments,
                verified.bytes,
                verified.digest.as_ref().map(digest).unwrap_or_default()
            ));
            if let Some(torn) = verified.torn {
                say(&format!(
                    "{name}: after them {} bytes of a write that was never acknowledged, in {} from byte {}; \
                     the next start cuts them off\n",
                    torn.bytes, torn.segment, torn.offset
                ));
            }
            if verified.watermark_lost {
                eprintln!(
                    "{name}: head is lost: the end of the log cannot be checked, and commits that were \
                     acknowledged may be missing there. Compare with a backup; the next start makes head anew"
                );
            }
            for damage in &verified.index_damage {
                eprintln!(
                    "{name}: {damage}. The log is whole and nothing is lost: remove the file while nothing \
                     runs, and the next start makes it anew. Look at the disk"
                );
            }
            !verified.watermark_lost && verified.index_damage.is_empty()
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            false
        }
    }
}

/// What the sealed segments hold, as one number to keep elsewhere.
fn digest(digest: &LogDigest) -> String {
    let mut text = format!(", digest up to commit {}: ", digest.reaches.sequence);
    for byte in digest.chain {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
