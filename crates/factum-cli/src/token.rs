//! Makes a token: prints it once, with the entry for the file of `--tokens`. Keeps neither.

use factum::{Entropy, store::SystemEntropy};
use factum_http::{InvalidTokens, Tokens, sha256_hex};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// What a token begins with, so that one that was left lying about is recognised.
const PREFIX: &str = "factum_";
/// Random bytes in a token: as many as its hash has.
const RANDOM_BYTES: usize = 32;

pub(crate) fn run(actor: &str, roles: &[String], expires_at: Option<&String>) -> ExitCode {
    match made(&SystemEntropy, actor, roles, expires_at) {
        Ok((token, entry)) => {
            println!("token: {token}\nentry: {entry}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let field = error.place.strip_prefix("tokens[0].").unwrap_or(&error.place);
            eprintln!("token: `{field}` {}", error.message);
            ExitCode::from(2)
        }
    }
}

/// A token and its entry, which [`Tokens`] takes.
fn made(
    entropy: &dyn Entropy,
    actor: &str,
    roles: &[String],
    expires_at: Option<&String>,
) -> Result<(String, Value), InvalidTokens> {
    let mut random = [0; RANDOM_BYTES];
    entropy.fill(&mut random);
    let token = random.iter().fold(PREFIX.to_owned(), |token, byte| token + &format!("{byte:02x}"));
    let mut entry = Map::from_iter([
        ("actor".to_owned(), json!(actor)),
        ("roles".to_owned(), json!(roles)),
        ("sha256".to_owned(), json!(sha256_hex(&token))),
    ]);
    entry.extend(expires_at.map(|time| ("expires_at".to_owned(), json!(time))));
    let entry = Value::Object(entry);
    Tokens::parse(json!({ "tokens": [entry] }).to_string().as_bytes())?;
    Ok((token, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum_testkit::SeededEntropy;

    fn make(actor: &str, roles: &[&str], expires_at: Option<&str>) -> Result<(String, Value), InvalidTokens> {
        let roles: Vec<_> = roles.iter().map(|role| (*role).to_owned()).collect();
        made(&SeededEntropy::new(1), actor, &roles, expires_at.map(ToOwned::to_owned).as_ref())
    }

    #[test]
    fn a_token_is_random_and_its_entry_holds_its_hash_only() {
        let (token, entry) = make("ann", &["writer", "auditor"], Some("2027-01-31T12:00:00Z")).unwrap();
        assert_eq!(token.len(), PREFIX.len() + 2 * RANDOM_BYTES);
        assert_eq!(
            entry,
            json!({
                "actor": "ann",
                "roles": ["writer", "auditor"],
                "sha256": sha256_hex(&token),
                "expires_at": "2027-01-31T12:00:00Z",
            })
        );
        let other = made(&SeededEntropy::new(2), "ann", &["writer".to_owned()], None).unwrap();
        assert_ne!(other.0, token);
        assert_eq!(other.1.get("expires_at"), None);
    }

    #[test]
    fn what_the_file_would_not_take_makes_no_token() {
        for (actor, roles, expires_at, place) in [
            ("", &["writer"][..], None, "actor"),
            ("ann", &["Writer"], None, "roles[0]"),
            ("ann", &["writer"], Some("soon"), "expires_at"),
        ] {
            let refused = make(actor, roles, expires_at).unwrap_err();
            assert_eq!(refused.place, format!("tokens[0].{place}"));
        }
    }
}
