//! What a document says: a value at hand, or the bytes it was stored as.

use bytes::Bytes;
use std::{any::Any, fmt, sync::Arc};

/// A value that can be stored.
pub trait Content: fmt::Debug + Send + Sync + 'static {
    /// Adds to `out` what is stored of it.
    ///
    /// # Errors
    /// Why it cannot be.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), String>;

    /// The value itself.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// A value at hand, or the bytes it was stored as. A store takes both, and gives back either.
#[derive(Clone, Debug)]
pub enum Body {
    /// A value.
    Held(Arc<dyn Content>),
    /// Bytes.
    Stored(Bytes),
}

impl Body {
    /// Adds to `out` what is stored of it.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Held(content) => content.encode(out),
            Self::Stored(bytes) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}
