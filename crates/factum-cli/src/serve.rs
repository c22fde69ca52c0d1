//! Serves an application: opens its logs, then listens, then tells where; on a signal drains and ends.

use crate::{Application, layout::ServiceDir};
use factum::App;
use factum_http::{Access, Server, Service, start_text};
use std::{
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

type Failure = Box<dyn std::error::Error>;

pub(crate) fn run(application: &Application, data: &Path, listen: SocketAddr) -> ExitCode {
    match start(application, data, listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", application.name());
            ExitCode::FAILURE
        }
    }
}

fn start(application: &Application, data: &Path, listen: SocketAddr) -> Result<(), Failure> {
    // Before anything is made on disk.
    Access::default().check(listen)?;
    let services = open(application, data)?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(application, data, listen, services))
}

fn open(application: &Application, data: &Path) -> Result<Vec<Service>, Failure> {
    let mut services = Vec::new();
    for blueprint in &application.services {
        let dir = ServiceDir::new(data, blueprint.name);
        dir.create().map_err(|cause| {
            format!("could not create the folders of {} in {}: {cause}", blueprint.name, data.display())
        })?;
        let (app, report) = App::embedded(dir.path()).start_reporting()?;
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
    services: Vec<Service>,
) -> Result<(), Failure> {
    let stop = stopped()?;
    let told = services.clone();
    let server = Server::bind(listen, Access::default(), services).await?;
    tell(application, data, server.address(), &told);
    drop(told);
    server.serve(stop).await?;
    say(&format!("{} has stopped; its data is in {}\n", application.name(), data.display()));
    Ok(())
}

fn tell(application: &Application, data: &Path, address: SocketAddr, services: &[Service]) {
    let url = format!("http://{address}");
    let text = format!("{} is up at {url}, its data in {}\n\n", application.name(), data.display());
    say(&(text + &start_text(services, &url) + "\nStop it with Ctrl-C.\n"));
}

/// To standard error, beside the logging, which may be off.
fn note(line: &str) {
    // As with `say`.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Output that nobody reads any more is no reason to stop serving.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Ready once the process is asked to end.
fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
