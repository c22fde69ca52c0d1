//! What is measured: one server, told what to do by lines on its standard input, and answering each with a
//! line on its standard output.

use crate::{
    Failure, bare,
    latency::Quantiles,
    machine::processor_time,
    outcomes::Outcomes,
    service::{Measuring, service},
    values,
};
use calculator::{CreateValue, UpdateValue};
use clap::{Args, ValueEnum};
use factum::{
    App,
    log::{Log, Options as LogOptions},
    store::Store,
};
use factum_http::{Gate, Metrics, Server};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    future::IntoFuture,
    io::{self, BufRead, Write},
    path::PathBuf,
    sync::Arc,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

/// Values are created so many at a time.
const CREATED_TOGETHER: usize = 512;

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A handler that appends one commit.
    Bare,
    /// `App::execute`: decided before the answer.
    Direct,
    /// `App::submit`: stored before the answer, then decided by the lanes.
    Logged,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare",
            Self::Direct => "direct",
            Self::Logged => "logged",
        })
    }
}

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// What is served.
    kind: Kind,
    /// The folder of its logs.
    dir: PathBuf,
    /// How many values there are.
    keys: u64,
}

/// What the server is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// A load begins.
    Begin,
    /// So many commands were accepted; the answer comes once they are decided.
    End(u64),
}

/// What it answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Nanoseconds of processor time since the load began.
    pub(crate) processor: u64,
    /// Events that were stored since then.
    pub(crate) events: u64,
    /// From the moment a command was meant to be sent to its durable outcome, and when the last one was; none
    /// where the answer is the outcome.
    pub(crate) outcomes: Option<(Quantiles, u64)>,
}

/// Serves until its standard input ends.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    let open = |name| Ok::<_, Failure>(Arc::new(Log::open(options.dir.join(name), LogOptions::default())?.0));
    let events = open("events")?;
    let (stop, stopped) = oneshot::channel::<()>();
    // The sender is dropped, never used.
    let stopped = async move { drop(stopped.await) };
    let mut outcomes = None;
    let serving = match options.kind {
        Kind::Bare => {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
            say(&listener.local_addr()?)?;
            let served = axum::serve(listener, bare::router(Arc::clone(&events)));
            runtime.spawn(served.with_graceful_shutdown(stopped).into_future())
        }
        Kind::Direct | Kind::Logged => {
            let metrics = Metrics::default();
            let _inside = runtime.enter();
            let app = App::on(Arc::clone(&events) as Arc<dyn Store>)
                .command_log(open("commands")?)
                .commands::<(CreateValue, UpdateValue)>()
                .observer(metrics.service("calculator"))
                .start();
            runtime.block_on(create(&app, options.keys))?;
            if options.kind == Kind::Logged {
                outcomes = Some(Outcomes::watch(Arc::clone(&events))?);
            }
            let service = service(Measuring { app, outcomes: outcomes.clone() });
            let bound = Server::bind(([127, 0, 0, 1], 0).into(), Gate::default(), vec![service]);
            let server = runtime.block_on(bound)?.metrics(metrics);
            say(&server.address())?;
            runtime.spawn(async {
                server.serve(stopped).await;
                Ok(())
            })
        }
    };
    obey(&events, outcomes.as_ref())?;
    drop(stop);
    Ok(runtime.block_on(serving)??)
}

/// Does as it is told until nobody tells any more.
fn obey(events: &Log, outcomes: Option<&Outcomes>) -> Result<(), Failure> {
    let (mut processor, mut position) = (processor_time(), events.published().position);
    for line in io::stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Told::Begin => {
                (processor, position) = (processor_time(), events.published().position);
                outcomes.inspect(|outcomes| outcomes.begin());
                say(&())?;
            }
            Told::End(accepted) => {
                let outcomes = outcomes.map(|outcomes| outcomes.decided(accepted)).transpose()?;
                let stored = events.published().position.get() - position.get();
                say(&Measured { processor: processor_time() - processor, events: stored, outcomes })?;
            }
        }
    }
    Ok(())
}

fn say(what: &impl Serialize) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, what)?;
    Ok(out.write_all(b"\n").and_then(|()| out.flush())?)
}

async fn create(app: &App, keys: u64) -> Result<(), Failure> {
    let one = |key| async move { app.execute(CreateValue { value_id: values::id(key), value: 0.0 }).await };
    let mut created = stream::iter(0..keys).map(one).buffer_unordered(CREATED_TOGETHER);
    while let Some(done) = created.next().await {
        done?;
    }
    Ok(())
}
