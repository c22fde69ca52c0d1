//! Prices that change while a customer looks at them: an old price holds for ten minutes more, for one
//! product or for several in one order.

use super::{Answer, Example, answer, number, text, told, unheard_of};
use factum::{App, NewEvent, Timestamp, block_on, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(10 * 60);

pub(super) const EXAMPLE: Example =
    Example { name: "dynamic-product-price", age: Duration::ZERO, event, when };

#[derive(Id)]
struct ProductId(String);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Item {
    product: ProductId,
    price: u64,
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "products", tags(product, products))]
enum ProductEvent {
    Defined { product: ProductId, price: u64 },
    PriceChanged { product: ProductId, price: u64 },
    Ordered { products: Vec<ProductId>, items: Vec<Item> },
}

#[derive(Subset)]
#[subset(of = ProductEvent)]
enum Priced {
    Defined {
        price: u64,
        #[meta]
        recorded_at: Timestamp,
    },
    PriceChanged {
        price: u64,
        #[meta]
        recorded_at: Timestamp,
    },
}

/// Every price a product had, with the time it began to hold.
#[derive(Debug, Clone, Default)]
struct Prices(Vec<(u64, Timestamp)>);

impl Model for Prices {
    type Scope = Tagged<ProductId>;
    type Event = Priced;
    fn apply(&mut self, event: Priced) {
        match event {
            Priced::Defined { price, recorded_at } | Priced::PriceChanged { price, recorded_at } => {
                self.0.push((price, recorded_at));
            }
        }
    }
}

impl Prices {
    /// Whether `price` holds at `now`: it is the current one, or was followed no longer ago than the grace.
    fn holds(&self, price: u64, now: Timestamp) -> bool {
        let followed = self.0.iter().skip(1).map(|(_, at)| Some(*at)).chain([None]);
        self.0.iter().zip(followed).any(|((was, _), followed)| {
            *was == price && followed.is_none_or(|followed| now.since(followed) <= GRACE)
        })
    }
}

#[derive(Command)]
#[command(name = "products.order")]
struct Order(Vec<Item>);

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
enum OrderRejected {
    #[error("invalid price for product \"{0}\"")]
    InvalidPrice(ProductId),
}

impl Decide for Order {
    type Event = ProductEvent;
    type Models = Vec<Prices>;
    type Rejection = OrderRejected;
    fn keys(&self) -> Vec<ProductId> {
        self.0.iter().map(|item| item.product.clone()).collect()
    }
    fn decide(&self, prices: &Vec<Prices>, context: &Context) -> Decision<Self> {
        for (item, prices) in self.0.iter().zip(prices) {
            ensure!(
                prices.holds(item.price, context.now()),
                OrderRejected::InvalidPrice(item.product.clone())
            );
        }
        emit(ProductEvent::Ordered { products: self.keys(), items: self.0.clone() })
    }
}

fn product(data: &Value) -> ProductId {
    text(data, "productId").to_owned().into()
}

fn event(kind: &str, data: &Value) -> NewEvent {
    let event = match kind {
        "ProductDefined" => ProductEvent::Defined { product: product(data), price: number(data, "price") },
        "ProductPriceChanged" => {
            ProductEvent::PriceChanged { product: product(data), price: number(data, "newPrice") }
        }
        other => unheard_of(other),
    };
    event.to_new()
}

fn when(app: &App, command: &str, data: &Value) -> Answer {
    let tell = |event: &ProductEvent| match event {
        ProductEvent::Ordered { items, .. } => {
            let items: Vec<_> =
                items.iter().map(|item| json!({"productId": item.product, "price": item.price})).collect();
            told("ProductsOrdered", json!({"items": items}))
        }
        other => panic!("ordering gave {other:?}"),
    };
    let item = |data: &Value| Item { product: product(data), price: number(data, "displayedPrice") };
    match command {
        "orderProducts" => {
            let items = data["items"].as_array().expect("an order has items").iter().map(item).collect();
            answer(block_on(app.execute(Order(items))), tell)
        }
        other => unheard_of(other),
    }
}

/// The fourteen published cases: a fixed price, a changing one, and several products.
pub(super) fn cases() -> Vec<Value> {
    let mut cases = Vec::new();
    let mut case = |description: &str, given: Vec<Value>, items: &[(&str, u64)], rejected: Option<&str>| {
        let shown = |(product, price): &(&str, u64)| json!({"productId": product, "displayedPrice": price});
        let paid = |(product, price): &(&str, u64)| json!({"productId": product, "price": price});
        let mut case = json!({
            "description": description,
            "givenEvents": given,
            "whenCommand": {
                "type": "orderProducts",
                "data": {"items": items.iter().map(shown).collect::<Vec<_>>()},
            },
        });
        match rejected {
            Some(product) => {
                case["thenExpectedError"] = json!(format!("invalid price for product \"{product}\""))
            }
            None => {
                let paid: Vec<_> = items.iter().map(paid).collect();
                case["thenExpectedEvent"] = told("ProductsOrdered", json!({"items": paid}));
            }
        }
        cases.push(case);
    };
    let p1 = "p1";
    case("fixed: invalid price", vec![defined(p1, 123, 0)], &[(p1, 100)], Some(p1));
    case("fixed: valid price", vec![defined(p1, 123, 0)], &[(p1, 123)], None);

    case("changing: invalid price", vec![defined(p1, 123, 0)], &[(p1, 100)], Some(p1));
    case("changing: valid price", vec![defined(p1, 123, 0)], &[(p1, 123)], None);
    let long_ago = || vec![defined(p1, 123, 20), changed(p1, 134, 15)];
    let just_now = || vec![defined(p1, 123, 20), changed(p1, 134, 9)];
    case("changing: a price that was never valid", just_now(), &[(p1, 100)], Some(p1));
    case("changing: a price that was changed more than 10 minutes ago", long_ago(), &[(p1, 123)], Some(p1));
    case("changing: the initial price", vec![defined(p1, 123, 20)], &[(p1, 123)], None);
    case("changing: a price that was changed less than 10 minutes ago", just_now(), &[(p1, 123)], None);
    case("changing: the new price", just_now(), &[(p1, 134)], None);

    let several = |mut given: Vec<Value>| {
        given.push(defined("p2", 321, 20));
        given
    };
    let both = |price: u64| [(p1, price), ("p2", 321)];
    case("several: a price that was never valid", several(just_now()), &both(100), Some(p1));
    case("several: a price changed more than 10 minutes ago", several(long_ago()), &both(123), Some(p1));
    case("several: the initial prices", several(vec![defined(p1, 123, 20)]), &both(123), None);
    case("several: a price changed less than 10 minutes ago", several(just_now()), &both(123), None);
    case("several: the valid prices", several(just_now()), &both(134), None);
    cases
}

fn defined(product: &str, price: u64, minutes_ago: u64) -> Value {
    let data = json!({"productId": product, "price": price});
    json!({"type": "ProductDefined", "data": data, "metadata": {"minutesAgo": minutes_ago}})
}

fn changed(product: &str, price: u64, minutes_ago: u64) -> Value {
    let data = json!({"productId": product, "newPrice": price});
    json!({"type": "ProductPriceChanged", "data": data, "metadata": {"minutesAgo": minutes_ago}})
}
