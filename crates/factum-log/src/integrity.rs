//! The integrity tree: SHA-256 over the canonical bytes of a segment's frames as RFC 9162 has it, and the chain
//! over the roots of all segments. It tells what checksums cannot: bytes that were changed on purpose.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub(crate) type Hash = [u8; 32];

/// What the chain of the first segment goes on from.
pub(crate) const CHAIN_START: Hash = [0; 32];

/// A tree that grows by a leaf at a time. Holds one hash for each level.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    leaves: u64,
    /// The roots of the full subtrees, greatest first.
    roots: Vec<Hash>,
}

impl Tree {
    /// Adds the frame with these canonical bytes.
    pub(crate) fn add(&mut self, canonical: &[u8]) {
        let mut root = hash(0, &[canonical]);
        // Each bit that carries joins two subtrees of a size.
        for _ in 0..self.leaves.trailing_ones() {
            let left = self.roots.pop().expect("a full subtree stands for every bit of the count");
            root = hash(1, &[&left, &root]);
        }
        self.roots.push(root);
        self.leaves += 1;
    }

    pub(crate) fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return Sha256::digest([]).into() };
        roots.fold(*last, |right, left| hash(1, &[left, &right]))
    }
}

/// The chain after a segment with this root.
pub(crate) fn chained(before: &Hash, root: &Hash) -> Hash {
    hash(2, &[before, root])
}

fn hash(kind: u8, parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new_with_prefix([kind]);
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// As the RFC defines it: split at the greatest power of two that is less than the count.
    fn defined(leaves: &[&[u8]]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => hash(0, &[leaf]),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                hash(1, &[&defined(&leaves[..split]), &defined(&leaves[split..])])
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_for_any_number_of_leaves() {
        let leaves: Vec<Vec<u8>> = (0..70_u8).map(|leaf| vec![leaf; usize::from(leaf)]).collect();
        let mut tree = Tree::default();
        for count in 0..leaves.len() {
            let slices: Vec<&[u8]> = leaves[..count].iter().map(Vec::as_slice).collect();
            assert_eq!(tree.root(), defined(&slices), "{count} leaves");
            tree.add(&leaves[count]);
        }
    }

    /// The eight leaves that implementations of certificate transparency test with, and the roots they state.
    #[test]
    fn known_leaves_have_the_roots_that_others_computed() {
        let leaves: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        for (count, root) in roots.iter().enumerate() {
            assert_eq!(hex(tree.root()), *root, "{count} leaves");
            if let Some(leaf) = leaves.get(count) {
                tree.add(leaf);
            }
        }
    }

    #[test]
    fn the_chain_binds_a_root_to_all_before_it() {
        let (a, b) = (hash(0, &[b"a"]), hash(0, &[b"b"]));
        let chain = chained(&chained(&CHAIN_START, &a), &b);
        assert_ne!(chain, chained(&chained(&CHAIN_START, &b), &a));
        let mut bytes = vec![2];
        bytes.extend_from_slice(&[0; 32]);
        bytes.extend_from_slice(&a);
        assert_eq!(chained(&CHAIN_START, &a), Hash::from(Sha256::digest(&bytes)));
    }
}
