//! What the code tells through `tracing`, caught for a test to look at.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, OnceLock},
};
use tracing::{
    Dispatch, Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::{LookupSpan, Registry},
};

/// One event.
#[derive(Clone, Debug)]
pub struct Told {
    /// `INFO`, `WARN` and so on.
    pub level: &'static str,
    /// Its fields and those of the spans around it, the inner one where two have the same name; `span` is the
    /// outermost span.
    pub fields: BTreeMap<String, String>,
    /// Its own fields alone: what is left where spans are filtered out.
    pub own: BTreeMap<String, String>,
}

/// The events that were told on this thread while `work` ran, in order.
pub fn told_during(work: impl FnOnce()) -> Vec<Told> {
    // As long as one subscriber only is known, a span that another thread meets first, without one, is taken
    // to be of no interest to anybody. With two more that stay it is asked about everywhere.
    static STAY: OnceLock<[Dispatch; 2]> = OnceLock::new();
    STAY.get_or_init(|| [Dispatch::new(Registry::default()), Dispatch::new(Registry::default())]);
    let seen = Seen::default();
    with_default(Registry::default().with(seen.clone()), work);
    let mut told = seen.0.lock().expect("nothing panics while it holds it");
    std::mem::take(&mut *told)
}

#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<Told>>>);

#[derive(Debug, Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).expect("it is new").extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("it is open");
        record.record(span.extensions_mut().get_mut::<Fields>().expect("put there when it was new"));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let own = fields.0.clone();
        for span in context.event_scope(event).into_iter().flatten() {
            fields.0.insert("span".to_owned(), span.name().to_owned());
            let extensions = span.extensions();
            let around = extensions.get::<Fields>().expect("put there when it was new");
            for (name, value) in &around.0 {
                fields.0.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        let told = Told { level: event.metadata().level().as_str(), fields: fields.0, own };
        self.0.lock().expect("nothing panics while it holds it").push(told);
    }
}
