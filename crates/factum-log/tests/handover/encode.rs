//! Stands in for the encoded commit, of which the queue only knows how long it is.

#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) frame: Vec<u8>,
}
