//! Works on an application's data while nothing serves it: opens its services in this process.

use super::{Answer, Failure, Opened};
use crate::{
    Application,
    application::Blueprint,
    layout::{self, ServiceDir},
};
use factum::{App, log::OpenError};
use factum_http::{Administered, Administration};
use rustix::process::getuid;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Data {
    dir: PathBuf,
    apps: Vec<App>,
    administration: Administration,
}

impl Data {
    /// Opens those services of `application` that have data in `dir`.
    pub(super) async fn open(
        application: &Application,
        dir: PathBuf,
        opened: Opened,
    ) -> Result<Self, Failure> {
        layout::check_finished(&dir)?;
        let found = layout::services(&dir)?;
        let mut apps = Vec::new();
        for (name, service) in &found {
            if let Some(blueprint) = blueprint(application, name, service.path() == dir) {
                apps.push((blueprint.name, open(blueprint, service, opened, &dir).await?));
            }
        }
        if apps.is_empty() {
            let found = found.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ");
            let known = application.services.iter().map(|blueprint| blueprint.name);
            return Err(Failure::Foreign { dir, found, known: known.collect::<Vec<_>>().join(", ") });
        }
        // Who it is on this machine: there is no token to tell by.
        let actor = format!("uid-{}", getuid().as_raw());
        let administration = Administration::new(&actor, apps.clone());
        let apps = apps.into_iter().map(|(_, app)| app).collect();
        Ok(Self { dir, apps, administration })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) async fn ask(&self, method: &'static str, path: &str, body: Option<String>) -> Answer {
        let Administered { status, link, body } = self.administration.ask(method, path, body).await;
        Answer { status, link, body }
    }

    /// Ends what runs, after what it is at.
    pub(super) async fn close(self) {
        for app in self.apps {
            app.stop().await;
        }
    }
}

/// The service whose data is in a folder of this name. The folder of one service may be called anything where it is
/// named itself, and the application has but one.
fn blueprint<'a>(application: &'a Application, name: &str, is_whole: bool) -> Option<&'a Blueprint> {
    let mut services = application.services.iter();
    match &*application.services {
        [only] if is_whole => Some(only),
        _ => services.find(|blueprint| blueprint.name == name),
    }
}

async fn open(
    blueprint: &Blueprint,
    service: &ServiceDir,
    opened: Opened,
    dir: &Path,
) -> Result<App, Failure> {
    let builder = (blueprint.setup)(App::embedded(service.path())).lanes_at_rest();
    let app = match opened {
        Opened::AtRest => builder.start_at_rest().await,
        Opened::Running => builder.start(),
    };
    let app = app.map_err(|error| match error {
        OpenError::Locked { .. } => Failure::InUse { dir: dir.to_owned() },
        other => Failure::Open(other),
    })?;
    for name in app.projections().names() {
        // Looked at once it is opened; what there is to be said of it is said when it is asked about.
        let _ = app.projections().status(name).await;
    }
    Ok(app)
}
