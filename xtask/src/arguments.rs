//! The command line: words in, a verb out. Nothing here runs anything.

use crate::Failure;

pub(crate) const USAGE: &str = "\
cargo xtask VERB

  test                        every test, doc test and example program; ends with the counts
  soak [--minutes N] [--seed S]
                              the seeded tests, round after round, for N minutes (10 if not given)
  ci                          fmt, tidy, clippy, pure, doc, test, benches, and deny where it is installed
  tidy                        the house rules, one line for each violation";

/// Minutes of a soak that names none.
const SOAK_MINUTES: u64 = 10;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Help,
    Test,
    Soak { minutes: u64, seed: Option<u64> },
    Ci,
    Tidy,
}

impl Verb {
    /// The verb that `words` spell.
    pub(crate) fn parse(words: &[String]) -> Result<Self, Failure> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (verb, rest) = words.split_first().ok_or("a verb is missing")?;
        if *verb == "soak" {
            return soak(rest);
        }
        if let Some(word) = rest.first() {
            return Err(format!("`{verb}` takes no `{word}`"));
        }
        match *verb {
            "test" => Ok(Self::Test),
            "ci" => Ok(Self::Ci),
            "tidy" => Ok(Self::Tidy),
            "help" | "--help" | "-h" => Ok(Self::Help),
            other => Err(format!("there is no verb `{other}`")),
        }
    }
}

fn soak(mut words: &[&str]) -> Result<Verb, Failure> {
    let (mut minutes, mut seed) = (SOAK_MINUTES, None);
    while let [flag, rest @ ..] = words {
        let number = rest.first().and_then(|word| word.parse::<u64>().ok());
        match (*flag, number) {
            ("--minutes", Some(number)) => minutes = number,
            ("--seed", Some(number)) => seed = Some(number),
            ("--minutes" | "--seed", None) => return Err(format!("`{flag}` needs a whole number after it")),
            (other, _) => return Err(format!("`soak` takes no `{other}`")),
        }
        words = &rest[1..];
    }
    Ok(Verb::Soak { minutes, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Verb, Failure> {
        Verb::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn verbs_are_read() {
        assert_eq!(parse("test"), Ok(Verb::Test));
        assert_eq!(parse("soak"), Ok(Verb::Soak { minutes: SOAK_MINUTES, seed: None }));
        assert_eq!(parse("soak --seed 7 --minutes 2"), Ok(Verb::Soak { minutes: 2, seed: Some(7) }));
    }

    #[test]
    fn what_is_not_a_verb_is_refused() {
        for line in ["", "tests", "test --fast", "soak --minutes", "soak --minutes x", "soak 3"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
