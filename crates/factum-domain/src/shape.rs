//! Owns the fingerprint of a serialised form: which fields and variants serde would read, found by letting it
//! read from a deserializer that has nothing and notes what it is asked for. What a type hides from serde
//! (a map that stands for a struct, an untagged enum, a form written by hand) is cut off there.

mod facts;
mod tracer;

use facts::Facts;
use serde::de::DeserializeOwned;
use tracer::Tracer;

/// A type is looked at so often at the most: once for each variant of each enum, and for each text it refuses.
const PASSES_MAX: usize = 512;

/// The names and kinds that make up the stored form of `T`, one a line, in order.
pub(crate) fn of<T: DeserializeOwned>() -> String {
    let mut facts = Facts::default();
    for _ in 0..PASSES_MAX {
        let ended = T::deserialize(&mut Tracer::new(&mut facts)).is_ok();
        if !facts.goes_on(ended) {
            break;
        }
    }
    facts.into_lines()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Deserializer};
    use std::{
        collections::{BTreeMap, HashMap},
        num::NonZeroU32,
    };

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    struct Seats {
        total: u32,
        #[serde(rename = "gone")]
        taken: Vec<Taken>,
        by: BTreeMap<String, Option<Channel>>,
        at: (f64, char),
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    struct Taken {
        by: uuid::Uuid,
        at: factum_event::Timestamp,
        row: NonZeroU32,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    enum Channel {
        Web,
        Desk { number: u8 },
        Phone(String),
        Both(bool, ()),
    }

    #[test]
    fn every_field_and_variant_is_found() {
        let expected = "\
            : struct Seats { total, gone, by, at }\n\
            .at: tuple of 2\n\
            .at.0: f64\n\
            .at.1: char\n\
            .by: map\n\
            .by.key: string\n\
            .by.value: option\n\
            .by.value: enum Channel { Web, Desk, Phone, Both }\n\
            .by.value.Both: tuple of 2\n\
            .by.value.Both.0: bool\n\
            .by.value.Both.1: unit\n\
            .by.value.Desk: fields { number }\n\
            .by.value.Desk.number: u8\n\
            .by.value.Phone: string\n\
            .by.value.Web: nothing\n\
            .gone: sequence\n\
            .gone.each: struct Taken { by, at, row }\n\
            .gone.each.at: string\n\
            .gone.each.by: string\n\
            .gone.each.row: u32\n\
            .total: u32\n";
        let mut lines: Vec<_> = of::<Seats>().lines().map(str::to_owned).collect();
        let mut expected: Vec<_> = expected.lines().map(str::to_owned).collect();
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected);
        assert_eq!(of::<Seats>(), of::<Seats>());
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    enum Tree {
        Node(Box<Tree>, Box<Tree>),
        Leaf(u8),
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    struct Chain {
        next: Option<Box<Chain>>,
        all: Vec<Chain>,
        named: HashMap<String, Chain>,
        last: u8,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    struct Endless(Box<Endless>);

    #[test]
    fn a_form_that_holds_itself_comes_to_an_end() {
        assert!(of::<Tree>().contains("Leaf: u8\n"));
        assert!(of::<Chain>().contains(".last: u8\n"), "{}", of::<Chain>());
        assert!(of::<Endless>().contains("newtype Endless"));
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    struct Mixed {
        first: u8,
        odd: Odd,
        free: serde_json::Value,
        last: Vec<Taken>,
    }

    #[expect(dead_code, reason = "only its form is looked at")]
    struct Odd(String);

    impl<'de> Deserialize<'de> for Odd {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let text = String::deserialize(from)?;
            if text == "odd" { Ok(Self(text)) } else { Err(serde::de::Error::custom("not odd")) }
        }
    }

    #[test]
    fn what_cannot_be_seen_through_is_cut_off_and_its_names_stay() {
        let lines = of::<Mixed>();
        assert!(lines.contains("struct Mixed { first, odd, free, last }"), "{lines}");
        assert!(lines.contains(".odd: string"), "{lines}");
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its form is looked at")]
    #[serde(tag = "kind")]
    enum Tagged {
        A { a: u8 },
    }

    #[test]
    fn a_form_that_depends_on_its_data_is_noted_as_such() {
        assert!(of::<Tagged>().contains(": any"), "{}", of::<Tagged>());
        assert_eq!(of::<()>(), ": unit\n");
    }
}
