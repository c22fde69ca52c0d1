//! Serves an application: opens its logs, then listens, then tells where; on a signal drains and ends.

use crate::{
    Application,
    audit_log::{AUDIT_BYTES_MAX, AuditLog},
    layout::{self, ServiceDir},
    open_files,
    say::{note, say},
};
use factum::App;
use factum_http::{
    Access, Audit, DRAIN_TIME_MAX, Gate, Limits, Metrics, Server, Service, Tokens, start_text,
};
use std::{
    io,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

type Failure = Box<dyn std::error::Error>;

/// What the command line says about serving.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) tokens: Option<PathBuf>,
    pub(crate) limits: Limits,
}

pub(crate) fn run(application: &Application, options: &Options) -> ExitCode {
    match start(application, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", application.name());
            ExitCode::FAILURE
        }
    }
}

fn start(application: &Application, options: &Options) -> Result<(), Failure> {
    let Options { data, listen, tokens, limits } = options;
    // Before anything is made on disk.
    let access = match tokens {
        Some(path) => Access::from(Tokens::read(path)?),
        None => Access::default(),
    };
    access.check(*listen)?;
    layout::check_finished(data)?;
    let metrics = Metrics::default();
    let services = open(application, data, &metrics)?;
    let audit = audit(data, &access)?;
    let limits = Limits { connections_max: connections_max(limits.connections_max), ..*limits };
    let gate = Gate { access, limits, audit, ..Gate::default() };
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(application, data, *listen, gate, services, metrics))
}

/// As many connections as are wanted and the system lets us have.
fn connections_max(wanted: NonZeroUsize) -> NonZeroUsize {
    let files = open_files::raise();
    let most = open_files::connections_max(wanted, files);
    if let Some(files) = files.filter(|_| most < wanted) {
        note(&format!(
            "at most {most} connections at once, not {wanted}: the system allows {files} open files; raise \
             that with `ulimit -n`"
        ));
    }
    most
}

/// Where denials are kept, if there can be any.
fn audit(data: &Path, access: &Access) -> Result<Option<Arc<dyn Audit>>, Failure> {
    if let Access::Open = access {
        return Ok(None);
    }
    let path = layout::audit(data);
    let log = AuditLog::open(path.clone(), AUDIT_BYTES_MAX)
        .map_err(|cause| format!("could not open the audit in {}: {cause}", path.display()))?;
    Ok(Some(Arc::new(log)))
}

fn open(application: &Application, data: &Path, metrics: &Metrics) -> Result<Vec<Service>, Failure> {
    let mut services = Vec::new();
    for blueprint in &application.services {
        let dir = ServiceDir::new(data, blueprint.name);
        dir.create().map_err(|cause| {
            format!("could not create the folders of {} in {}: {cause}", blueprint.name, data.display())
        })?;
        let builder = App::embedded(dir.path()).observer(metrics.service(blueprint.name));
        let (app, report) = (blueprint.setup)(builder).start_reporting()?;
        if report.created {
            note(&format!("{}: a new log", blueprint.name));
        }
        report.warnings().iter().for_each(|warning| note(&format!("{}: {warning}", blueprint.name)));
        services.push((blueprint.build)(app));
    }
    Ok(services)
}

async fn serve(
    application: &Application,
    data: &Path,
    listen: SocketAddr,
    gate: Gate,
    services: Vec<Service>,
    metrics: Metrics,
) -> Result<(), Failure> {
    let stop = stopped()?;
    let (told, access) = (services.clone(), gate.access.clone());
    let server = Server::bind(listen, gate, services).await?.metrics(metrics);
    tell(application, data, server.address(), &told, &access);
    server.serve(stop).await;
    // What waits is decided at the next start; what is under way is not cut off.
    for service in told {
        if tokio::time::timeout(DRAIN_TIME_MAX, service.app.stop()).await.is_err() {
            note(&format!(
                "{}: ending while a command cannot be stored; it waits for the next start",
                service.name
            ));
        }
    }
    say(&format!("{} has stopped; its data is in {}\n", application.name(), data.display()));
    Ok(())
}

fn tell(application: &Application, data: &Path, address: SocketAddr, services: &[Service], access: &Access) {
    let url = format!("http://{address}");
    let text = format!("{} is up at {url}, its data in {}\n\n", application.name(), data.display());
    say(&(text + &start_text(services, &url, access) + "\nStop it with Ctrl-C.\n"));
}

/// Ready once the process is asked to end.
pub(crate) fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
