//! How long after its acknowledgement an event is in a view, under a steady load.

use super::{
    Options,
    balances::{Balance, commit, payment},
};
use crate::{Failure, latency::Quantiles, machine};
use factum::{App, View, store::AppendError};
use hdrhistogram::Histogram;
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A commit holds one event, and so many are sent together, as many senders would.
const TOGETHER: u64 = 10;

pub(super) fn round(options: &Options, dir: &Path) -> Result<Quantiles, Failure> {
    let directory = tempfile::tempdir_in(dir)?.keep();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = App::embedded(&directory).view::<Balance>().start()?;
        let lags = Arc::new(Mutex::new(Histogram::<u64>::new(3)?));
        let pause = 1_000_000_000 * TOGETHER / options.rate;
        let began = machine::now();
        let mut waits = tokio::task::JoinSet::new();
        for burst in 0..options.rate * options.seconds / TOGETHER {
            let due = began + burst * pause;
            while machine::now() < due {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            let (app, lags, documents) = (app.clone(), Arc::clone(&lags), options.documents);
            waits.spawn(async move {
                let one =
                    |number| commit(app.fresh_command_id(), std::iter::once(payment(number, documents)));
                let batch = (0..TOGETHER).map(|nth| one(burst * TOGETHER + nth)).collect();
                let verdicts: Result<Vec<_>, AppendError> =
                    app.store().append(batch).await.into_iter().collect();
                let acknowledged = machine::now();
                let last = verdicts?.last().map(|stored| stored.first).unwrap_or_default();
                let seen = app.projections().reached(Balance::NAME, last, Duration::from_secs(60)).await?;
                let lag = machine::now() - acknowledged;
                if !seen {
                    return Err(Failure::from("an event was not seen within a minute"));
                }
                lags.lock().map_err(|_| "a wait panicked")?.record(lag)?;
                Ok(())
            });
        }
        while let Some(ended) = waits.join_next().await {
            ended??;
        }
        app.stop().await;
        let lags = lags.lock().map_err(|_| "a wait panicked")?;
        Ok(Quantiles::from(&*lags))
    })
}

pub(super) fn print(options: &Options, mut rounds: Vec<Quantiles>) {
    rounds.sort_by_key(|quantiles| quantiles.p99);
    let Some(middle) = rounds.get(rounds.len() / 2) else { return };
    let millis = |nanos| machine::seconds(nanos) * 1e3;
    println!("| load | lag of the view on SQLite, ms: p50 | p99 | p99.9 |");
    println!("|---|---:|---:|---:|");
    println!(
        "| {} events/s | {:.2} | {:.2} | {:.2} |",
        options.rate,
        millis(middle.half),
        millis(middle.p99),
        millis(middle.p999)
    );
}
