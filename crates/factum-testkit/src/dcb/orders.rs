//! Orders that are not placed twice: a token that the client chose is a boundary of its own.

use super::{Answer, Example, answer, text, told, unheard_of};
use factum::{App, NewEvent, block_on, prelude::*};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const EXAMPLE: Example =
    Example { name: "prevent-record-duplication", age: Duration::ZERO, event, when };

#[derive(Id)]
struct OrderId(String);
#[derive(Id)]
#[id(name = "idempotency")]
struct IdempotencyToken(String);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "orders", stream = order, tags(order, token))]
enum OrderEvent {
    Placed { order: OrderId, token: IdempotencyToken },
}

#[derive(Debug, Clone, Default)]
struct Used(bool);

#[model]
impl Model for Used {
    type Scope = Tagged<IdempotencyToken>;
    fn apply(&mut self, event: OrderEvent) {
        match event {
            OrderEvent::Placed { .. } => self.0 = true,
        }
    }
}

#[derive(Command)]
#[command(name = "orders.place")]
struct Place {
    order: OrderId,
    token: IdempotencyToken,
}

impl Decide for Place {
    type Event = OrderEvent;
    type Models = Used;
    type Rejection = Refused;
    fn keys(&self) -> Keys<Self> {
        self.token.clone()
    }
    fn decide(&self, used: &Used, _: &Context) -> Decision<Self> {
        ensure!(!used.0, "Re-submission");
        emit(OrderEvent::Placed { order: self.order.clone(), token: self.token.clone() })
    }
}

fn parts(data: &Value) -> (OrderId, IdempotencyToken) {
    (text(data, "orderId").to_owned().into(), text(data, "idempotencyToken").to_owned().into())
}

fn event(kind: &str, data: &Value) -> NewEvent {
    let (order, token) = parts(data);
    match kind {
        "OrderPlaced" => OrderEvent::Placed { order, token }.to_new(),
        other => unheard_of(other),
    }
}

fn when(app: &App, command: &str, data: &Value) -> Answer {
    let (order, token) = parts(data);
    let tell = |OrderEvent::Placed { order, token }: &OrderEvent| {
        told("OrderPlaced", json!({"orderId": order, "idempotencyToken": token}))
    };
    match command {
        "placeOrder" => answer(block_on(app.execute(Place { order, token })), tell),
        other => unheard_of(other),
    }
}
