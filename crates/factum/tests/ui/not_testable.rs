use factum::prelude::*;

#[derive(Id)]
struct ShelfId(u64);

#[derive(Event)]
#[event(context = "stock", stream = shelf)]
enum NoDebug {
    Stored { shelf: ShelfId },
}

#[derive(Event, Debug)]
#[event(context = "stock", stream = shelf)]
enum NoPartialEq {
    Stored { shelf: ShelfId },
}

#[derive(Command)]
#[command(name = "stock.store")]
struct Store(ShelfId);
impl Decide for Store {
    type Event = NoPartialEq;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        emit(NoPartialEq::Stored { shelf: self.0 })
    }
}

fn main() {
    let shelf = ShelfId(1);
    given([NoDebug::Stored { shelf }]);
    given_nothing().when(Store(shelf)).then(NoPartialEq::Stored { shelf });
}
