//! The routes that a server has beside those of its services: what became of commands, any command by its
//! name, events, what operators and administrators do, health, measures, the services' documents, and what a newcomer
//! is told. All are added here, as [`Routes`], so that none is left out of a document.

use crate::{
    Metrics, Routes, Service, admin, any_command, commands,
    endpoint::get,
    events,
    feeds::{Streams, Watched},
    health, metrics, operate,
};
use axum::http::header::CONTENT_TYPE;
use std::sync::Arc;
use tokio::sync::watch;

/// What the platform's routes show.
pub(crate) struct Shown {
    pub(crate) metrics: Metrics,
    /// What `GET /` answers.
    pub(crate) start: String,
    /// The documents of services, each with its name.
    pub(crate) documents: Vec<(&'static str, String)>,
    /// The room for streams.
    pub(crate) streams: Streams,
}

impl Shown {
    /// Only to be described, for `service`.
    pub(crate) fn nothing(service: &'static str) -> Self {
        let (_, stopped) = watch::channel(false);
        Self {
            metrics: Metrics::default(),
            start: String::new(),
            documents: vec![(service, String::new())],
            streams: Streams::new(stopped),
        }
    }
}

/// The routes of a server for these services.
pub(crate) fn routes(services: &[Service], shown: Shown) -> Routes {
    let Shown { metrics, start, documents, streams } = shown;
    let apps: Arc<[_]> = services.iter().map(|service| (service.name, service.app.clone())).collect();
    let start = get(async move || start).about("Tells a newcomer what there is to try");
    let start = start.with(|route| route.answers_text("The services, and lines to try."));
    let own = Routes::new().open("/", start).with_state(());
    let watched = Watched { apps: Arc::clone(&apps), streams };
    let routes = [
        commands::routes(watched.clone()),
        any_command::routes(services),
        operate::routes(Arc::clone(&apps)),
        events::routes(watched),
        admin::routes(Arc::clone(&apps)),
        health::routes(metrics.clone(), Arc::clone(&apps)),
        metrics::routes(metrics, apps),
    ];
    routes
        .into_iter()
        .chain(documents.into_iter().map(|(service, text)| document(service, text)))
        .fold(own, Routes::merge)
}

/// Where the document of a service is found.
pub(crate) fn document_path(service: &str) -> String {
    format!("/openapi/{service}.json")
}

fn document(service: &'static str, text: String) -> Routes {
    let text: Arc<str> = text.into();
    let answer = get(async move || ([(CONTENT_TYPE, "application/json")], text.to_string()));
    let answer = answer.about("Shows this document").answers::<serde_json::Map<String, serde_json::Value>>();
    Routes::new().open(&document_path(service), answer).with_state(())
}
