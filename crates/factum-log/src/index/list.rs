//! The numbers of a key as a query walks them, wherever they are kept. Never longer than what it borrows.

/// Numbers, ascending.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List<'a> {
    /// `first`, `first + 1` and so on.
    Run {
        first: u32,
        count: u32,
    },
    Words(&'a [u32]),
    /// Four bytes each, little-endian.
    Bytes(&'a [[u8; 4]]),
}

impl Default for List<'_> {
    fn default() -> Self {
        Self::Words(&[])
    }
}

impl List<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Run { count, .. } => *count as usize,
            Self::Words(words) => words.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at `index`, which is less than the length.
    pub(crate) fn get(&self, index: usize) -> u32 {
        match self {
            Self::Run { first, .. } => {
                first.saturating_add(u32::try_from(index).expect("a list is shorter than 2^32"))
            }
            Self::Words(words) => words[index],
            Self::Bytes(bytes) => u32::from_le_bytes(bytes[index]),
        }
    }

    pub(crate) fn last(&self) -> Option<u32> {
        self.len().checked_sub(1).map(|last| self.get(last))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// How many come before the first that is `number` or more.
    pub(crate) fn below(&self, number: u32) -> usize {
        match self {
            Self::Run { first, count } => number.saturating_sub(*first).min(*count) as usize,
            Self::Words(words) => words.partition_point(|one| *one < number),
            Self::Bytes(bytes) => bytes.partition_point(|one| u32::from_le_bytes(*one) < number),
        }
    }

    /// The same numbers without the first `count`.
    pub(crate) fn after(self, count: usize) -> Self {
        match self {
            Self::Run { first, count: all } => {
                let passed = u32::try_from(count).unwrap_or(u32::MAX).min(all);
                Self::Run { first: first.saturating_add(passed), count: all - passed }
            }
            Self::Words(words) => Self::Words(words.get(count..).unwrap_or_default()),
            Self::Bytes(bytes) => Self::Bytes(bytes.get(count..).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_the_same_wherever_its_numbers_are_kept() {
        let words = [4, 5, 6, 7];
        let bytes = words.map(u32::to_le_bytes);
        for list in [List::Run { first: 4, count: 4 }, List::Words(&words), List::Bytes(&bytes)] {
            assert_eq!(list.iter().collect::<Vec<_>>(), words);
            let below: Vec<_> = [0, 4, 6, 8, u32::MAX].iter().map(|number| list.below(*number)).collect();
            assert_eq!(below, [0, 0, 2, 4, 4]);
            assert_eq!(list.after(3).iter().collect::<Vec<_>>(), [7]);
            assert!(list.after(9).is_empty());
        }
    }
}
