//! A deserializer without data: it makes up the least that is asked for, and notes what that was.

use super::facts::{Facts, TEXTS};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
    value::{Error, StrDeserializer},
};

/// Deeper than this nothing is looked at.
const DEPTH_MAX: usize = 64;

/// One look at a form.
pub(super) struct Tracer<'a> {
    facts: &'a mut Facts,
    /// Where in the form it is.
    path: String,
    /// The structs and enums around that place.
    around: Vec<&'static str>,
    depth: usize,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(facts: &'a mut Facts) -> Self {
        Self { facts, path: String::new(), around: Vec::new(), depth: 0 }
    }

    fn note(&mut self, fact: &str) -> Result<(), Error> {
        let room = self.depth <= DEPTH_MAX && self.facts.note(&self.path, fact);
        if room { Ok(()) } else { Err(Error::custom("cut off")) }
    }

    /// Looks at a part of the form.
    fn part<T>(&mut self, name: &str, look: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let before = self.path.len();
        self.path.push('.');
        self.path.push_str(name);
        self.depth += 1;
        let seen = look(self);
        self.depth -= 1;
        self.path.truncate(before);
        seen
    }

    /// Looks at a struct or an enum by its name.
    fn named<T>(
        &mut self,
        name: &'static str,
        look: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.around.push(name);
        let seen = look(self);
        self.around.pop();
        seen
    }

    /// How often what is looked at stands within itself.
    fn within(&self) -> usize {
        let last = self.around.last();
        self.around.iter().filter(|name| Some(*name) == last).count().saturating_sub(1)
    }

    /// Offers one of `offers` values; if it is refused, the next pass offers another.
    fn offer<T>(
        &mut self,
        kind: &str,
        offers: usize,
        visit: impl FnOnce(usize) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.note(kind)?;
        visit(self.facts.offer(&self.path, offers))
    }

    fn fields<V: Visitor<'static>>(
        &mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Fields { tracer: self, left: fields })
    }

    fn items<V: Visitor<'static>>(&mut self, count: usize, visitor: V) -> Result<V::Value, Error> {
        self.note(&format!("tuple of {count}"))?;
        visitor.visit_seq(Items { tracer: self, next: 0, count })
    }
}

macro_rules! numbers {
    ($($deserialize:ident $visit:ident $kind:ident)*) => {$(
        fn $deserialize<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
            self.offer(stringify!($kind), 2, |offer| visitor.$visit(if offer == 0 { 0 } else { 1 }))
        }
    )*};
}

impl Deserializer<'static> for &mut Tracer<'_> {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i8 i8 deserialize_i16 visit_i16 i16 deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64 deserialize_i128 visit_i128 i128
        deserialize_u8 visit_u8 u8 deserialize_u16 visit_u16 u16 deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64 deserialize_u128 visit_u128 u128
    }

    fn deserialize_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("any")?;
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("bool")?;
        visitor.visit_bool(false)
    }

    fn deserialize_f32<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("f32")?;
        visitor.visit_f32(0.0)
    }

    fn deserialize_f64<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("f64")?;
        visitor.visit_f64(0.0)
    }

    fn deserialize_char<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("char")?;
        visitor.visit_char('a')
    }

    fn deserialize_str<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.offer("string", TEXTS.len(), |offer| visitor.visit_borrowed_str(TEXTS[offer]))
    }

    fn deserialize_string<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("bytes")?;
        visitor.visit_borrowed_bytes(b"")
    }

    fn deserialize_byte_buf<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("unit")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note(&format!("unit {name}"))?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("option")?;
        if self.within() > 0 { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note(&format!("newtype {name}"))?;
        self.part("0", |tracer| visitor.visit_newtype_struct(tracer))
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("sequence")?;
        let left = usize::from(self.within() == 0);
        visitor.visit_seq(Each { tracer: self, left })
    }

    fn deserialize_tuple<V: Visitor<'static>>(self, count: usize, visitor: V) -> Result<V::Value, Error> {
        self.items(count, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.named(name, |tracer| tracer.items(count, visitor))
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("map")?;
        let left = usize::from(self.within() == 0);
        visitor.visit_map(Each { tracer: self, left })
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note(&format!("struct {name} {{ {} }}", fields.join(", ")))?;
        self.named(name, |tracer| tracer.fields(fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note(&format!("enum {name} {{ {} }}", variants.join(", ")))?;
        self.named(name, |tracer| {
            let within = tracer.within();
            let at = tracer.facts.variant(name, variants.len(), within);
            let variant = variants.get(at).ok_or_else(|| Error::custom("no variant"))?;
            tracer.part(variant, |tracer| visitor.visit_enum(Variant { tracer, variant }))
        })
    }
}

fn name(text: &'static str) -> StrDeserializer<'static, Error> {
    text.into_deserializer()
}

/// The fields of a struct, one after another.
struct Fields<'t, 'a> {
    tracer: &'t mut Tracer<'a>,
    left: &'static [&'static str],
}

impl MapAccess<'static> for Fields<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'static>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.left.first().map(|field| seed.deserialize(name(field))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'static>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (field, left) = self.left.split_first().expect("a value follows its key");
        self.left = left;
        self.tracer.part(field, |tracer| seed.deserialize(tracer))
    }
}

/// The items of a tuple, by their numbers.
struct Items<'t, 'a> {
    tracer: &'t mut Tracer<'a>,
    next: usize,
    count: usize,
}

impl SeqAccess<'static> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'static>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.next == self.count {
            return Ok(None);
        }
        let number = self.next.to_string();
        self.next += 1;
        self.tracer.part(&number, |tracer| seed.deserialize(tracer)).map(Some)
    }
}

/// One item of a sequence, or one entry of a map.
struct Each<'t, 'a> {
    tracer: &'t mut Tracer<'a>,
    left: usize,
}

impl SeqAccess<'static> for Each<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'static>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.tracer.part("each", |tracer| seed.deserialize(tracer)).map(Some)
    }
}

impl MapAccess<'static> for Each<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'static>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.tracer.part("key", |tracer| seed.deserialize(tracer)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'static>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.tracer.part("value", |tracer| seed.deserialize(tracer))
    }
}

/// One variant of an enum.
struct Variant<'t, 'a> {
    tracer: &'t mut Tracer<'a>,
    variant: &'static str,
}

impl<'t, 'a> EnumAccess<'static> for Variant<'t, 'a> {
    type Error = Error;
    type Variant = &'t mut Tracer<'a>;

    fn variant_seed<V: DeserializeSeed<'static>>(self, seed: V) -> Result<(V::Value, Self::Variant), Error> {
        Ok((seed.deserialize(name(self.variant))?, self.tracer))
    }
}

impl VariantAccess<'static> for &mut Tracer<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.note("nothing")
    }

    fn newtype_variant_seed<T: DeserializeSeed<'static>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'static>>(self, count: usize, visitor: V) -> Result<V::Value, Error> {
        self.items(count, visitor)
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note(&format!("fields {{ {} }}", fields.join(", ")))?;
        self.fields(fields, visitor)
    }
}
