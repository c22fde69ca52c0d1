//! What is told of commands and events, against what the logs hold: from any place on, exactly the rest.

mod arrivals;
mod causes;
mod events;
mod history;
mod played;
mod statuses;
mod updates;
