//! The numbers of a key in memory, ascending. Most keys have few, or all in a row: those are kept in place.

use super::list::List;

/// As many as fit beside a length in the room of a `Vec`.
const FEW: usize = 3;

#[derive(Debug)]
pub(crate) enum Postings {
    /// `first`, `first + 1` and so on.
    Run {
        first: u32,
        count: u32,
    },
    Few {
        length: u8,
        numbers: [u32; FEW],
    },
    Many(Vec<u32>),
}

impl Postings {
    pub(crate) fn one(number: u32) -> Self {
        Self::Run { first: number, count: 1 }
    }

    pub(crate) fn list(&self) -> List<'_> {
        match self {
            Self::Run { first, count } => List::Run { first: *first, count: *count },
            Self::Few { length, numbers } => List::Words(&numbers[..usize::from(*length)]),
            Self::Many(numbers) => List::Words(numbers),
        }
    }

    /// Adds a number that is greater than all before it; how many there are then.
    pub(crate) fn push(&mut self, number: u32) -> u32 {
        debug_assert!(self.list().last().is_none_or(|last| last < number), "postings ascend");
        match self {
            Self::Many(numbers) => {
                numbers.push(number);
                super::number(numbers.len())
            }
            Self::Run { first, count } if *count == 0 || *first + *count == number => {
                *first = number - *count;
                *count += 1;
                *count
            }
            Self::Few { length, numbers } if usize::from(*length) < FEW => {
                numbers[usize::from(*length)] = number;
                *length += 1;
                u32::from(*length)
            }
            _ => self.grow(number),
        }
    }

    #[cold]
    fn grow(&mut self, number: u32) -> u32 {
        let list = self.list();
        let length = list.len() + 1;
        if length <= FEW {
            let mut numbers = [0; FEW];
            list.iter().chain([number]).zip(&mut numbers).for_each(|(number, into)| *into = number);
            *self = Self::Few { length: u8::try_from(length).expect("they are few"), numbers };
        } else {
            let mut many = Vec::with_capacity((2 * length).next_power_of_two());
            many.extend(list.iter().chain([number]));
            *self = Self::Many(many);
        }
        super::number(length)
    }

    /// Drops every number from `kept` on.
    pub(crate) fn cut(&mut self, kept: u32) {
        let length = self.list().below(kept);
        match self {
            Self::Run { count, .. } => *count = super::number(length),
            Self::Few { length: few, .. } => *few = u8::try_from(length).expect("they are few"),
            Self::Many(numbers) => numbers.truncate(length),
        }
    }

    /// Bytes outside of the room in place.
    pub(crate) fn outside(&self) -> usize {
        match self {
            Self::Many(numbers) => numbers.capacity() * size_of::<u32>(),
            Self::Run { .. } | Self::Few { .. } => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(postings: &Postings) -> Vec<u32> {
        postings.list().iter().collect()
    }

    #[test]
    fn postings_take_the_room_of_a_vec() {
        assert_eq!(size_of::<Postings>(), size_of::<Vec<u32>>());
    }

    #[test]
    fn postings_keep_their_order_beyond_the_room_in_place() {
        for step in [1, 2] {
            for run in [1, 2, 3, 5] {
                let mut postings = Postings::one(0);
                let all: Vec<u32> = (0..run).chain((run..9).map(|number| number * step + 1)).collect();
                for (index, number) in all.iter().enumerate().skip(1) {
                    assert_eq!(postings.push(*number) as usize, index + 1);
                }
                assert_eq!(numbers(&postings), all);
                postings.cut(all[6]);
                assert_eq!(numbers(&postings), all[..6]);
                postings.cut(0);
                assert!(postings.list().is_empty());
                postings.push(70);
                assert_eq!(numbers(&postings), [70]);
            }
        }
    }
}
