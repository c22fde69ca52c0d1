#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Debug, Clone)]
struct Plain;

#[derive(Default, Debug, Clone, Serialize, Deserialize)]
struct ByRatio;
impl View for ByRatio {
    const NAME: &'static str = "by-ratio";
    const VERSION: u32 = 1;
    type Event = CampusEvent;
    type Key = f64;
    fn keys(_: &CampusEvent) -> Vec<f64> {
        Vec::new()
    }
    fn apply(&mut self, _: &f64, _: &CampusEvent) {}
}

#[derive(Default, Debug, Clone, Serialize, Deserialize)]
struct OfPlain;
impl View for OfPlain {
    const NAME: &'static str = "of-plain";
    const VERSION: u32 = 1;
    type Event = Plain;
    type Key = CourseId;
    fn keys(_: &Plain) -> Vec<CourseId> {
        Vec::new()
    }
    fn apply(&mut self, _: &CourseId, _: &Plain) {}
}

struct OfNumbers;
impl Projection for OfNumbers {
    const NAME: &'static str = "of-numbers";
    const VERSION: u32 = 1;
    type Event = u64;
}

async fn read(app: &App) {
    let _ = App::in_memory().view::<Plain>();
    let _ = app.documents::<Seats>().get(&CourseId(1)).await;
    let _ = app.tables::<Plain>();
    let _ = given_nothing().document::<Seats>(CourseId(1));
}

fn main() {}
