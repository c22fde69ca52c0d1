use factum::prelude::*;

#[derive(Id)]
struct WeightId(f64);

#[derive(Clone)]
struct Plain;
#[derive(Id)]
struct PlainId(Plain);

fn main() {}
