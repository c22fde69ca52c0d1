//! What a newcomer is told: the services, where they are described, and for each three lines to try. The command line prints it,
//! `GET /` answers with it.

use crate::{Access, Service, platform::document_path};

/// Most lines to try that are shown of one service.
const HINTS_MAX: usize = 3;

/// What the lines to try begin with, and with it the token that the reader has in `$TOKEN`.
const CURL: &str = "curl ";
const CURL_WITH_TOKEN: &str = r#"curl -H "Authorization: Bearer $TOKEN" "#;

/// The services and the lines to try, as plain text, for a server at `url`.
pub fn start_text(services: &[Service], url: &str, access: &Access) -> String {
    let curl = match access {
        Access::Open => CURL,
        Access::Tokens(_) => CURL_WITH_TOKEN,
    };
    let mut text = String::new();
    for service in services {
        text += &format!("  {:<14} {}\n", service.name, service.about);
    }
    text += "\nDescribed (OpenAPI):\n\n";
    for service in services {
        text += &format!("  {url}{}\n", document_path(service.name));
    }
    text += "\nTry it:\n";
    for service in services.iter().filter(|service| !service.hints.is_empty()) {
        text += "\n";
        for hint in service.hints.iter().take(HINTS_MAX) {
            text += &format!("  {}\n", hint.replace("{url}", url).replace(CURL, curl));
        }
    }
    text
}
