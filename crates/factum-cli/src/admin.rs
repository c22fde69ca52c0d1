//! Where an application is administered: at a service that runs, or on its data while none does. Both are asked in
//! the words of the admin API, and answer alike.

mod args;
mod data;
mod failure;
mod remote;
pub(crate) mod wire;

pub(crate) use args::{Where, json, where_args, wherever};
pub(crate) use failure::Failure;

use crate::Application;
use data::Data;
use remote::Remote;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;
use tokio::runtime::{Builder, Runtime};
use wire::Standing;

/// How an application's data is opened for what is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Nothing is applied: what is asked for is written down at the most.
    AtRest,
    /// Projections run, and catch up.
    Running,
}

/// What answers.
#[derive(Debug)]
enum Reach {
    Url(Remote),
    Data(Data),
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    link: Option<String>,
    body: Vec<u8>,
}

/// Asks an application what an administrator may ask.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) runtime: Runtime,
    reach: Reach,
}

impl Admin {
    /// Does something with the application there; its data is closed afterwards, whatever came of it.
    pub(crate) fn at<T>(
        application: &Application,
        place: Where,
        opened: Opened,
        act: impl FnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let runtime = Builder::new_multi_thread().enable_all().build().map_err(Failure::System)?;
        let reach = match place {
            Where::Url { url, token } => Reach::Url(Remote::new(url, token)?),
            Where::Data(dir) => Reach::Data(runtime.block_on(Data::open(application, dir, opened))?),
        };
        let admin = Self { runtime, reach };
        let done = act(&admin);
        let Self { runtime, reach } = admin;
        if let Reach::Data(data) = reach {
            runtime.block_on(data.close());
        }
        done
    }

    /// The data directory, if that is what is asked.
    pub(crate) fn data(&self) -> Option<&Path> {
        match &self.reach {
            Reach::Url(_) => None,
            Reach::Data(data) => Some(data.dir()),
        }
    }

    /// Reads what is at `path`.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        Ok(self.ask("GET", path, None)?.0)
    }

    /// Does what is at `path`.
    pub(crate) fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        Ok(self.ask("POST", path, body)?.0)
    }

    /// Reads a list, all of its pages.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let (page, link) = self.ask("GET", &path, None)?;
            items.extend(read::<Vec<Value>>(page)?);
            next = link.as_deref().and_then(next_page);
        }
        Ok(items)
    }

    /// How all projections stand.
    pub(crate) fn standings(&self) -> Result<Vec<Standing>, Failure> {
        read(self.get("/admin/projections")?)
    }

    fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Value, Option<String>), Failure> {
        let body = body.map(Value::to_string);
        let answer = match &self.reach {
            Reach::Url(remote) => remote.ask(method, path, body)?,
            Reach::Data(data) => self.runtime.block_on(data.ask(method, path, body)),
        };
        let parsed = serde_json::from_slice(&answer.body);
        match parsed {
            Ok(value) if answer.status < 300 => Ok((value, answer.link)),
            Ok(problem) => Err(Failure::of_problem(answer.status, path, &problem)),
            Err(_) => Err(Failure::Strange { status: answer.status, path: path.to_owned() }),
        }
    }
}

/// An answer as what it is to be.
pub(crate) fn read<T: DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(Failure::Unread)
}

/// Where a list goes on, as its header `Link` has it.
fn next_page(link: &str) -> Option<String> {
    let (path, rest) = link.strip_prefix('<')?.split_once('>')?;
    (path.starts_with('/') && rest.contains("rel=\"next\"")).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_where_its_link_says_and_at_no_other_host() {
        for (link, next) in [
            ("</admin/x?limit=2&cursor=4>; rel=\"next\"", Some("/admin/x?limit=2&cursor=4")),
            ("</admin/x>; rel=\"prev\"", None),
            ("<http://elsewhere/admin/x>; rel=\"next\"", None),
            ("", None),
        ] {
            assert_eq!(next_page(link).as_deref(), next, "{link}");
        }
    }
}
