//! The file of `--tokens`: who holds a token, known by its SHA-256, and which roles come with it. Read
//! once, strictly: what it does not understand it refuses, naming the entry and the field. It repeats no
//! value of the file, since somebody may have put a token there.

use crate::{Caller, Role, body::at_fault};
use factum::{Timestamp, limits::LABEL_BYTES_MAX};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};
use subtle::ConstantTimeEq;

/// Largest file of tokens, in bytes.
pub const TOKENS_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most tokens: each request is compared with all of them.
pub const TOKENS_MAX: usize = 4096;

const HASH_BYTES: usize = 32;
/// Permission bits of those who could make themselves administrators.
#[cfg(unix)]
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Who holds which token. Holds hashes only.
pub struct Tokens(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    sha256: [u8; HASH_BYTES],
    expires_at: Option<Timestamp>,
    caller: Caller,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotKnown {
    Unknown,
    Expired,
}

/// What is wrong with the text of a file of tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{place}`: {message}")]
pub struct InvalidTokens {
    /// The entry and the field, such as `tokens[1].sha256`; entries count from 0.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

/// Why a file of tokens is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// It cannot be read.
    #[error("could not read the tokens in {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It is over [`TOKENS_FILE_BYTES_MAX`].
    #[error("refused the tokens in {}: more than {TOKENS_FILE_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may write it.
    #[error(
        "refused the tokens in {}: its mode is {mode:o}, so that others than its owner could make themselves administrators; run `chmod go-w` on it",
        path.display()
    )]
    WritableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Its text is not of the form.
    #[error("refused the tokens in {}: {cause}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: InvalidTokens,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    actor: String,
    roles: Vec<String>,
    sha256: String,
    expires_at: Option<String>,
}

impl Tokens {
    /// The tokens of a file.
    ///
    /// # Errors
    /// When it cannot be read, others may write it, or it is not of the form.
    pub fn read(path: &Path) -> Result<Self, TokensError> {
        let read = |cause| TokensError::Read { path: path.to_owned(), cause };
        let file = fs::File::open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
            if mode & WRITABLE_BY_OTHERS != 0 {
                return Err(TokensError::WritableByOthers { path: path.to_owned(), mode });
            }
        }
        if metadata.len() > TOKENS_FILE_BYTES_MAX {
            return Err(TokensError::TooLarge { path: path.to_owned() });
        }
        let mut text = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, TOKENS_FILE_BYTES_MAX), &mut text).map_err(read)?;
        Self::parse(&text).map_err(|cause| TokensError::Invalid { path: path.to_owned(), cause })
    }

    /// The tokens of a file's text.
    ///
    /// ```
    /// use factum_http::{Tokens, sha256_hex};
    /// let sha256 = sha256_hex("factum_9f86d081884c7d65");
    /// let text = format!(r#"{{"tokens": [{{"actor": "ann", "roles": ["writer"], "sha256": "{sha256}"}}]}}"#);
    /// assert!(Tokens::parse(text.as_bytes()).is_ok());
    /// let error = Tokens::parse(br#"{"tokens": [{"actor": "ann"}]}"#).unwrap_err();
    /// assert_eq!(error.place, "tokens[0].roles");
    /// ```
    ///
    /// # Errors
    /// When it is not of the form: the entry and the field at fault.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidTokens> {
        no_list_for_an_object(text)?;
        let mut json = serde_json::Deserializer::from_slice(text);
        let file: File = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            not_of_the_form(&path, error.inner())
        })?;
        json.end().map_err(|error| not_of_the_form(".", &error))?;
        if file.tokens.is_empty() || file.tokens.len() > TOKENS_MAX {
            return Err(invalid("tokens", format!("has {}, give 1 to {TOKENS_MAX}", file.tokens.len())));
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (index, raw) in file.tokens.into_iter().enumerate() {
            let entry = entry(index, raw)?;
            if let Some(twin) = entries.iter().position(|other| other.sha256 == entry.sha256) {
                return Err(invalid(format!("tokens[{index}].sha256"), format!("is that of tokens[{twin}]")));
            }
            entries.push(entry);
        }
        Ok(Self(entries))
    }

    /// Who holds `token`. Takes the same time whichever entry it is compared with.
    ///
    /// # Errors
    /// When nobody does, or not any more.
    pub(crate) fn caller(&self, token: &[u8], now: Timestamp) -> Result<Caller, NotKnown> {
        let shown = sha256(token);
        // Every entry is compared, also after one was found.
        let found = self.0.iter().fold(None, |found, entry| {
            if bool::from(entry.sha256.ct_eq(&shown)) { Some(entry) } else { found }
        });
        let entry = found.ok_or(NotKnown::Unknown)?;
        match entry.expires_at {
            Some(end) if end <= now => Err(NotKnown::Expired),
            _ => Ok(entry.caller.clone()),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

fn entry(index: usize, raw: Raw) -> Result<Entry, InvalidTokens> {
    let at = |field: &str| format!("tokens[{index}].{field}");
    let Raw { actor, roles, sha256, expires_at } = raw;
    if actor.is_empty() || actor.len() > LABEL_BYTES_MAX || actor.chars().any(char::is_control) {
        let message = format!("is not 1 to {LABEL_BYTES_MAX} bytes without control characters");
        return Err(invalid(at("actor"), message));
    }
    if roles.is_empty() {
        return Err(invalid(at("roles"), "names no role, so that the token would open nothing"));
    }
    let roles = roles.into_iter().enumerate().map(|(nth, role)| {
        Role::new(role).map_err(|error| invalid(at(&format!("roles[{nth}]")), error.to_string()))
    });
    let roles = roles.collect::<Result<_, _>>()?;
    let sha256 = from_hex(&sha256)
        .ok_or_else(|| invalid(at("sha256"), "is not the SHA-256 of a token: give 64 hexadecimal digits"))?;
    let expires_at = expires_at.map(|text| text.parse()).transpose().map_err(|_| {
        invalid(
            at("expires_at"),
            "is not a time: write RFC 3339 with an offset, such as 2026-01-31T12:00:00Z",
        )
    })?;
    Ok(Entry { sha256, expires_at, caller: Caller { actor: actor.into(), roles } })
}

fn invalid(place: impl Into<String>, message: impl Into<String>) -> InvalidTokens {
    InvalidTokens { place: place.into(), message: message.into() }
}

/// To serde a list passes for an object, field by field.
fn no_list_for_an_object(text: &[u8]) -> Result<(), InvalidTokens> {
    let json: Value = serde_json::from_slice(text).map_err(|error| not_of_the_form(".", &error))?;
    let listed = json["tokens"].as_array().and_then(|tokens| tokens.iter().position(Value::is_array));
    let place = listed.map(|nth| format!("tokens[{nth}]")).or(json.is_array().then(|| "the file".to_owned()));
    place.map_or(Ok(()), |place| Err(invalid(place, "is a list: give an object with named fields")))
}

fn not_of_the_form(path: &str, error: &serde_json::Error) -> InvalidTokens {
    let message = error.to_string();
    if !error.is_data() {
        return invalid("the file", format!("is not JSON: {message}"));
    }
    let place = at_fault(path, &message);
    match message.strip_prefix("invalid ").and_then(|rest| rest.rsplit_once("expected ")) {
        // What stands between repeats the value.
        Some((_, expected)) => invalid(place, format!("is not as it should be: expected {expected}")),
        None => invalid(place, message),
    }
}

fn sha256(token: &[u8]) -> [u8; HASH_BYTES] {
    Sha256::digest(token).into()
}

/// The SHA-256 of a token as it stands in a file of tokens: 64 hexadecimal digits.
pub fn sha256_hex(token: &str) -> String {
    sha256(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; HASH_BYTES]> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<_>>>()?;
    let bytes = digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]));
    let bytes = bytes.collect::<Result<Vec<_>, _>>().ok()?;
    bytes.try_into().ok().filter(|_| digits.len() == 2 * HASH_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn one(actor: &str, roles: &str, sha256: &str, more: &str) -> String {
        format!(r#"{{"tokens": [{{"actor": "{actor}", "roles": {roles}, "sha256": "{sha256}"{more}}}]}}"#)
    }

    fn refused(text: &str) -> String {
        Tokens::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(sha256_hex("test"), HASH);
    }

    #[test]
    fn a_token_is_known_by_its_hash_until_it_expires() {
        let text = one("ann", r#"["writer", "auditor"]"#, HASH, r#", "expires_at": "1970-01-01T00:00:10Z""#);
        let tokens = Tokens::parse(text.as_bytes()).unwrap();
        let at = |token: &[u8], micros| tokens.caller(token, Timestamp::from_micros(micros));
        let ann = at(b"test", 9_999_999).unwrap();
        assert_eq!((&*ann.actor, &*ann.roles), ("ann", &[Role::WRITER, Role::named("auditor")][..]));
        assert_eq!(at(b"test", 10_000_000), Err(NotKnown::Expired));
        assert_eq!(at(b"tes", 0), Err(NotKnown::Unknown));
        assert_eq!(at(HASH.as_bytes(), 0), Err(NotKnown::Unknown), "a hash opens nothing");
        assert_eq!(format!("{tokens:?}"), "Tokens(1)");
    }

    #[test]
    fn every_token_of_several_is_found() {
        let entry = |actor: &str| {
            format!(r#"{{"actor": "{actor}", "roles": ["reader"], "sha256": "{}"}}"#, sha256_hex(actor))
        };
        let names = ["ann", "bob", "cid"];
        let text = format!(r#"{{"tokens": [{}]}}"#, names.map(entry).join(", "));
        let tokens = Tokens::parse(text.as_bytes()).unwrap();
        for name in names {
            assert_eq!(&*tokens.caller(name.as_bytes(), Timestamp::EPOCH).unwrap().actor, name);
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_entry_and_field() {
        let ok = r#"["writer"]"#;
        for (text, told) in [
            ("".to_owned(), "`the file`: is not JSON"),
            (one("ann", ok, HASH, "") + "x", "`the file`: is not JSON"),
            ("{}".to_owned(), "`tokens`: missing field"),
            ("[[]]".to_owned(), "`the file`: is a list"),
            (format!(r#"{{"tokens": [["ann", ["writer"], "{HASH}", null]]}}"#), "`tokens[0]`: is a list"),
            (r#"{"tokens": [], "version": 1}"#.to_owned(), "`version`: unknown field"),
            (r#"{"tokens": []}"#.to_owned(), "`tokens`: has 0, give 1 to 4096"),
            (one("", ok, HASH, ""), "`tokens[0].actor`: "),
            (one("a\\nb", ok, HASH, ""), "`tokens[0].actor`: "),
            (one(&"x".repeat(256), ok, HASH, ""), "`tokens[0].actor`: "),
            (one("ann", "[]", HASH, ""), "`tokens[0].roles`: names no role"),
            (one("ann", r#"["writer", "No"]"#, HASH, ""), "`tokens[0].roles[1]`: not the name of a role"),
            (one("ann", "3", HASH, ""), "`tokens[0].roles`: is not as it should be: expected a sequence"),
            (one("ann", ok, &HASH[1..], ""), "`tokens[0].sha256`: "),
            (one("ann", ok, &format!("{HASH}0"), ""), "`tokens[0].sha256`: "),
            (one("ann", ok, &format!("{HASH}00"), ""), "`tokens[0].sha256`: "),
            (one("ann", ok, &HASH.replace('9', "g"), ""), "`tokens[0].sha256`: "),
            (one("ann", ok, HASH, r#", "expires_at": "soon""#), "`tokens[0].expires_at`: is not a time"),
            (one("ann", ok, HASH, r#", "colour": "red""#), "`tokens[0].colour`: unknown field"),
            (one("ann", ok, HASH, r#", "actor": "bob""#), "`tokens[0]"),
            (
                r#"{"tokens": [{"actor": "ann", "roles": ["writer"]}]}"#.to_owned(),
                "`tokens[0].sha256`: missing",
            ),
        ] {
            assert!(refused(&text).starts_with(told), "{text}: {}", refused(&text));
        }
    }

    #[test]
    fn a_hash_stands_for_one_entry() {
        let entry = |hash: &str| format!(r#"{{"actor": "ann", "roles": ["writer"], "sha256": "{hash}"}}"#);
        let twice = [HASH.to_owned(), sha256_hex("x"), HASH.to_uppercase()].map(|hash| entry(&hash));
        let told = refused(&format!(r#"{{"tokens": [{}]}}"#, twice.join(", ")));
        assert_eq!(told, "`tokens[2].sha256`: is that of tokens[0]");
    }

    #[test]
    fn a_refusal_repeats_no_value() {
        let ok = r#"["writer"]"#;
        for text in [
            one("ann", r#""hunter2""#, HASH, ""),
            one("ann", r#"["Hunter2-hunter2"]"#, HASH, ""),
            one("ann", ok, "hunter2", ""),
            one("ann", ok, HASH, r#", "expires_at": "hunter2""#),
            one("ann", ok, HASH, r#", "expires_at": ["hunter2"]"#),
            r#"{"tokens": "expected hunter2"}"#.to_owned(),
            r#"{"tokens": ["hunter2"]}"#.to_owned(),
        ] {
            assert!(!refused(&text).to_lowercase().contains("hunter2"), "{}", refused(&text));
        }
    }

    #[test]
    fn too_many_tokens_are_refused() {
        let entry = |nth: usize| {
            format!(
                r#"{{"actor": "ann", "roles": ["writer"], "sha256": "{}"}}"#,
                sha256_hex(&nth.to_string())
            )
        };
        let file =
            |count| format!(r#"{{"tokens": [{}]}}"#, (0..count).map(entry).collect::<Vec<_>>().join(","));
        assert!(Tokens::parse(file(TOKENS_MAX).as_bytes()).is_ok());
        assert_eq!(refused(&file(TOKENS_MAX + 1)), "`tokens`: has 4097, give 1 to 4096");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_or_that_is_too_large_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        assert!(matches!(Tokens::read(&path), Err(TokensError::Read { .. })));
        fs::write(&path, one("ann", r#"["writer"]"#, HASH, "")).unwrap();
        for (mode, fits) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let told = Tokens::read(&path).map_err(|error| error.to_string());
            assert_eq!(told.is_ok(), fits, "{mode:o}");
            if let Err(told) = told {
                assert!(told.contains(&format!("{mode:o}")) && told.contains("chmod go-w"), "{told}");
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, " ".repeat(usize::try_from(TOKENS_FILE_BYTES_MAX).unwrap() + 1)).unwrap();
        assert!(matches!(Tokens::read(&path), Err(TokensError::TooLarge { .. })));
        fs::write(&path, "{}").unwrap();
        let told = Tokens::read(&path).unwrap_err().to_string();
        assert!(told.contains("tokens.json: `tokens`: missing field"), "{told}");
    }
}
