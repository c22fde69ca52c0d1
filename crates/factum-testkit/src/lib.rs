//! What tests of this workspace share: ports held by hand, and published cases run through the public API.

mod clock;
mod committed;
mod counted;
pub mod dcb;
mod entropy;
mod faulty;
mod faulty_models;
mod intercepted;
mod scheduler;
mod soak;
mod told;

pub use clock::VirtualClock;
pub use committed::committed;
pub use counted::Counted;
pub use entropy::SeededEntropy;
pub use faulty::{Death, Faults, FaultyStore, Life, Point};
pub use faulty_models::FaultyReadModels;
pub use intercepted::Intercepted;
pub use scheduler::{Process, Scheduler};
pub use soak::soak;
pub use told::{Told, told_during};
