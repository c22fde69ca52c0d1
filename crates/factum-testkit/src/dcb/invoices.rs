//! Invoice numbers without a gap: only the last event of a type is read.

use super::{Answer, Example, answer, number, told, unheard_of};
use factum::{App, NewEvent, block_on, prelude::*};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const EXAMPLE: Example = Example { name: "invoice-number", age: Duration::ZERO, event, when };

#[derive(Id)]
#[id(name = "invoice")]
struct InvoiceNumber(u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "invoices", tags(number))]
enum InvoiceEvent {
    Created { number: InvoiceNumber, data: Value },
}

#[derive(Debug, Clone)]
struct Next(u64);

impl Default for Next {
    fn default() -> Self {
        Self(1)
    }
}

#[derive(Subset)]
#[subset(of = InvoiceEvent)]
enum Numbered {
    Created { number: InvoiceNumber },
}

impl Model for Next {
    type Scope = Last<Everything>;
    type Event = Numbered;
    fn apply(&mut self, Numbered::Created { number }: Numbered) {
        self.0 = number.0 + 1;
    }
}

#[derive(Command)]
#[command(name = "invoices.create")]
struct Create(Value);

impl Decide for Create {
    type Event = InvoiceEvent;
    type Models = Next;
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, next: &Next, _: &Context) -> Decision<Self> {
        emit(InvoiceEvent::Created { number: next.0.into(), data: self.0.clone() })
    }
}

fn event(kind: &str, data: &Value) -> NewEvent {
    match kind {
        "InvoiceCreated" => {
            let number = number(data, "invoiceNumber").into();
            InvoiceEvent::Created { number, data: data["invoiceData"].clone() }.to_new()
        }
        other => unheard_of(other),
    }
}

fn when(app: &App, command: &str, data: &Value) -> Answer {
    let tell = |InvoiceEvent::Created { number, data }: &InvoiceEvent| {
        told("InvoiceCreated", json!({"invoiceNumber": number, "invoiceData": data}))
    };
    match command {
        "createInvoice" => answer(block_on(app.execute(Create(data["invoiceData"].clone()))), tell),
        other => unheard_of(other),
    }
}
