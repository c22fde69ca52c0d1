//! Files of the tree that code makes: kept so that they can be read, and compared so that they stay true.

use std::{env, fs, path::Path};

/// Set to anything, the files are written instead of compared.
const BLESS: &str = "FACTUM_BLESS";

/// Compares the file at `path` with the text that the code makes, byte by byte. With `FACTUM_BLESS` set, writes
/// it there.
///
/// # Panics
/// When they differ, with the line and how to renew the file; or when it cannot be read or written.
pub fn committed(path: &Path, made: &str) {
    if env::var_os(BLESS).is_some() {
        fs::write(path, made).unwrap_or_else(|error| panic!("could not write {}: {error}", path.display()));
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_else(|error| format!("no file: {error}"));
    if let Some(difference) = difference(&kept, made) {
        panic!(
            "{} is not what the code makes: {difference}\nrenew it: run this test with {BLESS}=1",
            path.display()
        );
    }
}

/// The first line that differs.
fn difference(kept: &str, made: &str) -> Option<String> {
    if kept == made {
        return None;
    }
    let (mut in_file, mut in_code) = (kept.split('\n'), made.split('\n'));
    let mut line = 0;
    loop {
        line += 1;
        match (in_file.next(), in_code.next()) {
            (None, None) => return Some("by nothing that a line shows".to_owned()),
            (kept, made) if kept == made => {}
            (kept, made) => {
                let shown =
                    |text: Option<&str>| text.map_or("nothing".to_owned(), |text| format!("`{text}`"));
                return Some(format!("line {line} is {}, and should be {}", shown(kept), shown(made)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "a\nc\n").unwrap(), "line 2 is `b`, and should be `c`");
        assert_eq!(difference("a\n", "a").unwrap(), "line 2 is ``, and should be nothing");
        assert_eq!(difference("", "a").unwrap(), "line 1 is ``, and should be `a`");
    }

    #[test]
    #[should_panic(expected = "FACTUM_BLESS=1")]
    fn a_file_that_is_not_there_is_no_match() {
        committed(Path::new("/nowhere/at/all.json"), "{}");
    }
}
