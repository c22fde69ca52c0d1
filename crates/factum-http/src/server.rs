//! Serves services on one port until told to stop, then lets what is under way end.

use crate::{
    Gate, Metrics, Problem, ProblemType, Service, any_command, commands, events,
    feeds::{Streams, Watched},
    health, metrics,
    observed::{Observed, observe},
    start_text,
};
use axum::{
    Router,
    http::{Method, Uri},
    middleware,
    routing::get,
};
use factum::{Entropy, store::SystemEntropy};
use std::{future::IntoFuture, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// After the signal to stop, requests under way have this long to end.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Others could reach the port, and nothing tells callers apart.
    #[error(
        "refused to listen on {address}: it can be reached from other machines, and without authentication every caller would be an administrator; listen on a loopback address such as 127.0.0.1:3030, or switch authentication on with --tokens FILE"
    )]
    OpenToOthers {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be bound.
    #[error("could not listen on {address}: {cause}; stop what uses it, or choose another with --listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    services: Vec<Service>,
    gate: Gate,
    observed: Observed,
}

impl Server {
    /// Listens on `address` for these services.
    ///
    /// # Errors
    /// When the address is open to others, or cannot be bound.
    pub async fn bind(address: SocketAddr, gate: Gate, services: Vec<Service>) -> Result<Self, ListenError> {
        gate.access.check(address)?;
        let bind = |cause| ListenError::Bind { address, cause };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let observed = Observed { metrics: Metrics::default(), entropy: Arc::new(SystemEntropy) };
        Ok(Self { listener, address, services, gate, observed })
    }

    /// Shows `metrics` at `/metrics`; services that were given theirs count there.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.observed.metrics = metrics;
        self
    }

    /// Takes the ids of spans, and of traces that begin here, from `entropy`.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.observed.entropy = entropy;
        self
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready, then ends what is under way, for [`DRAIN_TIME_MAX`] at most.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (stopped, mut seen) = watch::channel(false);
        let stop = async move {
            stop.await;
            stopped.send_replace(true);
        };
        let streams = Streams::new(seen.clone());
        let router = router(self.services, self.address, self.gate, self.observed, streams);
        let served = axum::serve(self.listener, router).with_graceful_shutdown(stop).into_future();
        let overdue = async move {
            if seen.wait_for(|stopped| *stopped).await.is_ok() {
                tokio::time::sleep(DRAIN_TIME_MAX).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = served => ended,
            () = overdue => {
                tracing::warn!("requests were still under way after {DRAIN_TIME_MAX:?}: ending without them");
                Ok(())
            }
        }
    }
}

/// The routes of all services, and those that span them, behind the gate and observed.
fn router(
    services: Vec<Service>,
    address: SocketAddr,
    gate: Gate,
    observed: Observed,
    streams: Streams,
) -> Router {
    let start = start_text(&services, &format!("http://{address}"), &gate.access);
    let apps: Arc<[_]> = services.iter().map(|service| (service.name, service.app.clone())).collect();
    let watched = Watched { apps: Arc::clone(&apps), streams };
    let router = commands::routes(watched.clone())
        .merge(any_command::routes(&services))
        .merge(events::routes(watched))
        .merge(health::routes(Arc::clone(&apps)))
        .merge(metrics::routes(observed.metrics.clone(), apps))
        .route("/", get(async move || start));
    let router = services
        .into_iter()
        .fold(router, |router, service| {
            router.merge(service.routes.under(service.name, Arc::new(service.permissions)))
        })
        .fallback(async |uri: Uri| {
            Problem::new(ProblemType::NotFound, format!("there is nothing at {}", uri.path()))
        })
        .method_not_allowed_fallback(wrong_method);
    gate.before(router).layer(middleware::from_fn_with_state(observed, observe))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(ProblemType::Method, format!("{} does not take {method}", uri.path()))
}
