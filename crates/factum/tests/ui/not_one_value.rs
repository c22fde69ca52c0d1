#[path = "shared/campus.rs"]
mod campus;
use campus::*;
use factum::prelude::*;

#[derive(Id)]
struct Pair(u32, u32);

#[derive(Id)]
#[derive(Debug, Clone)]
struct Twice(u64);

#[derive(Id)]
#[id(name = "a-b")]
struct Dashed(u64);

#[derive(Clone, Id)]
struct Both(u64);

fn main() {}
