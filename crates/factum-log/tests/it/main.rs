//! What the log engine holds, shown through its public surface.

mod model;
mod sim;
mod support;
