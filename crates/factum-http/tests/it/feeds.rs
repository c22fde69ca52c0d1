//! What is told of the commands and events of all services: lists by cursor, streams of updates.

mod board;
mod cursors;
mod lists;
mod refused;
mod seen;
mod streams;
