//! What tests of this workspace share: ports held by hand, and published cases run through the public API.

mod clock;
pub mod dcb;
mod entropy;
mod intercepted;
mod soak;

pub use clock::VirtualClock;
pub use entropy::SeededEntropy;
pub use intercepted::Intercepted;
pub use soak::soak;
