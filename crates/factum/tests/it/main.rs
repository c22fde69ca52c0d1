//! What the domain API promises, through the facade as an application sees it.

mod campus;
mod commands;
mod derived_ids;
mod diffs;
mod events;
mod examples;
mod given;
mod guide;
mod hygiene;
pub mod lints;
mod models;
mod rejections;
mod scopes;
mod subsets;
mod ui;
mod upcasting;
