//! The arguments that say which application is meant.

use super::{Failure, remote::TOKEN_BYTES_MAX};
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Which application is meant.
#[derive(Debug)]
pub(crate) enum Where {
    /// The one that is served there.
    Url { url: String, token: Option<String> },
    /// The one whose data is there, while nothing serves it.
    Data(PathBuf),
}

/// The arguments for [`wherever`].
pub(crate) fn where_args() -> [Arg; 4] {
    [
        Arg::new("data")
            .long("data")
            .value_name("DIR")
            .help("Where the data lives, of a service that does not run")
            .default_value("./factum-data")
            .conflicts_with("url")
            .value_parser(value_parser!(PathBuf)),
        Arg::new("url")
            .long("url")
            .value_name("URL")
            .help("The service that runs, such as http://127.0.0.1:3030")
            .value_parser(base_url),
        Arg::new("token")
            .long("token")
            .value_name("TOKEN")
            .help("A token with the role admin; others on this machine may see it in the list of processes")
            .requires("url"),
        Arg::new("token-file")
            .long("token-file")
            .value_name("FILE")
            .help("The file that has the token")
            .requires("url")
            .conflicts_with("token")
            .value_parser(value_parser!(PathBuf)),
    ]
}

/// Output for programs.
pub(crate) fn json() -> Arg {
    Arg::new("json").long("json").help("Print JSON").action(ArgAction::SetTrue)
}

/// Which application the arguments mean.
pub(crate) fn wherever(matches: &ArgMatches) -> Result<Where, Failure> {
    let Some(url) = matches.get_one::<String>("url").cloned() else {
        let dir: &PathBuf = matches.get_one("data").expect("it has a default");
        return Ok(Where::Data(dir.clone()));
    };
    let token = match matches.get_one::<PathBuf>("token-file") {
        Some(path) => Some(token_in(path)?),
        None => matches.get_one::<String>("token").cloned(),
    };
    Ok(Where::Url { url, token })
}

fn token_in(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    // What is longer than any token is refused as none, whatever is in it.
    let bytes_max = u64::try_from(TOKEN_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
    let read = File::open(path).and_then(|file| file.take(bytes_max).read_to_string(&mut text));
    read.map_err(|cause| Failure::TokenFile { path: path.to_owned(), cause })?;
    Ok(text.trim().to_owned())
}

/// The address of a service, without a slash at its end.
fn base_url(text: &str) -> Result<String, String> {
    let url: ureq::http::Uri = text.parse().map_err(|cause| format!("it is no URL: {cause}"))?;
    match url.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(
                "https is not spoken here: run this beside the service, or reach it through a tunnel \
                        such as `ssh -L 3030:127.0.0.1:3030 HOST`"
                    .to_owned(),
            );
        }
        _ => return Err("it begins with http://, such as http://127.0.0.1:3030".to_owned()),
    }
    if url.query().is_some() {
        return Err("it has nothing after a `?`".to_owned());
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("it has no user: say who you are with --token-file".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_plain_http_with_nothing_behind_it() {
        for (text, url) in [
            ("http://127.0.0.1:3030", "http://127.0.0.1:3030"),
            ("http://localhost:3030/", "http://localhost:3030"),
            ("http://proxy/factum/", "http://proxy/factum"),
        ] {
            assert_eq!(base_url(text).as_deref(), Ok(url));
        }
        for (text, why) in [
            ("https://localhost", "tunnel"),
            ("localhost:3030", "http://"),
            ("/admin", "http://"),
            ("ftp://localhost", "http://"),
            ("http://localhost/?a=b", "?"),
            ("http://ann:secret@localhost", "--token-file"),
            ("", "URL"),
        ] {
            let refused = base_url(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn a_token_is_read_from_its_file_without_the_end_of_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "factum_0123\n").unwrap();
        assert_eq!(token_in(&path).unwrap(), "factum_0123");
        let missing = token_in(&dir.path().join("missing")).unwrap_err().to_string();
        assert!(missing.contains("missing"), "{missing}");
    }
}
