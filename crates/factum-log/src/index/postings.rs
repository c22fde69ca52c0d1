//! The numbers of a key, ascending. Most keys have few, which are kept in place.

/// As many as fit beside a length in the room of a `Vec`.
const FEW: usize = 3;

#[derive(Debug)]
pub(crate) enum Postings {
    Few { length: u8, numbers: [u32; FEW] },
    Many(Vec<u32>),
}

impl Default for Postings {
    fn default() -> Self {
        Self::Few { length: 0, numbers: [0; FEW] }
    }
}

impl Postings {
    pub(crate) fn as_slice(&self) -> &[u32] {
        match self {
            Self::Few { length, numbers } => &numbers[..usize::from(*length)],
            Self::Many(numbers) => numbers,
        }
    }

    /// Adds a number that is greater than all before it.
    pub(crate) fn push(&mut self, number: u32) {
        debug_assert!(self.as_slice().last().is_none_or(|last| *last < number), "postings ascend");
        match self {
            Self::Many(numbers) => numbers.push(number),
            Self::Few { length, numbers } if usize::from(*length) < FEW => {
                numbers[usize::from(*length)] = number;
                *length += 1;
            }
            Self::Few { numbers, .. } => {
                let mut many = Vec::with_capacity(4 * FEW);
                many.extend_from_slice(numbers);
                many.push(number);
                *self = Self::Many(many);
            }
        }
    }

    pub(crate) fn pop(&mut self) {
        match self {
            Self::Many(numbers) => {
                numbers.pop();
            }
            Self::Few { length, .. } => *length = length.saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_take_the_room_of_a_vec() {
        assert_eq!(size_of::<Postings>(), size_of::<Vec<u32>>());
    }

    #[test]
    fn postings_keep_their_order_beyond_the_room_in_place() {
        let mut postings = Postings::default();
        (0..9).for_each(|number| postings.push(number * 2));
        assert_eq!(postings.as_slice(), [0, 2, 4, 6, 8, 10, 12, 14, 16]);
        (0..9).for_each(|_| postings.pop());
        assert!(postings.as_slice().is_empty());
    }
}
