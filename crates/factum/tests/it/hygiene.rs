//! Generated code means the same whatever the user's module has in scope.

#![allow(dead_code, unused_macros, reason = "the names are there to be in the way")]

use factum::Event as _;

/// Everything generated code might have named carelessly.
mod crowded {
    use crate::campus::{CampusEvent, CourseId};
    use factum::{Context, Decide, Decision, Model, Tagged};

    type Result<T> = ::std::result::Result<T, String>;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Option;
    struct Vec;
    struct String;
    struct Read;
    struct Serialize;
    struct Deserialize;
    struct Event;
    struct Id;
    struct Command;
    trait Clone {}
    trait From {}
    mod std {}
    mod core {}
    mod serde {}
    macro_rules! matches {
        () => {};
    }
    macro_rules! vec {
        () => {};
    }

    #[derive(factum::Id)]
    pub(super) struct ThingId(pub(super) u64);

    #[derive(factum::Event, Debug)]
    #[event(context = "crowded", stream = thing, tags(thing, other))]
    pub(super) enum Crowded {
        A {
            thing: ThingId,
            other: ThingId,
        },
        #[event(version = 2, upcast(up))]
        B {
            thing: ThingId,
            r: u32,
        },
        Read,
    }
    fn up(thing: ThingId) -> Crowded {
        Crowded::B { thing, r: 0 }
    }

    #[derive(factum::Subset)]
    #[subset(of = Crowded)]
    pub(super) enum Part {
        A {
            thing: ThingId,
            #[meta]
            actor: ::core::option::Option<::std::string::String>,
        },
        Read,
    }

    /// An id with the name of a variant.
    #[derive(factum::Id)]
    pub(super) struct Shelf(pub(super) u64);
    #[derive(factum::Event, Debug)]
    #[event(context = "shelves", stream = shelf, tags(shelf))]
    pub(super) enum Shelves {
        Shelf { shelf: Shelf },
    }

    #[derive(Default, Clone, Debug)]
    pub(super) struct State(u64);
    #[factum::model]
    impl Model for State {
        type Scope = Tagged<ThingId>;
        fn apply(&mut self, event: Crowded) {
            match event {
                Crowded::A { thing, .. } => self.0 = thing.0,
                Crowded::B { r, .. } => self.0 += u64::from(r),
            }
        }
    }

    /// The name of the type that the attribute makes.
    #[derive(Default, Clone, Debug)]
    pub(super) struct __Read(u32);
    #[factum::model]
    impl Model for __Read {
        type Scope = Tagged<CourseId>;
        fn apply(&mut self, mut event: CampusEvent) {
            match event {
                CampusEvent::Enrolled { ref mut course, .. } => {
                    course.0 += 1;
                    self.0 += 1;
                }
            }
        }
    }

    #[derive(factum::Command)]
    #[command(name = "crowded.do")]
    pub(super) struct Do {
        pub(super) stored: ThingId,
        pub(super) to: u8,
        pub(super) from: u8,
    }
    impl Decide for Do {
        type Event = Crowded;
        type Models = (State, __Read);
        type Rejection = No;
        fn keys(&self) -> (ThingId, CourseId) {
            (self.stored, CourseId(1))
        }
        fn decide(&self, (state, _): &(State, __Read), _: &Context) -> Decision<Self> {
            factum::ensure!(state.0 > 0, No::No);
            factum::emit(Crowded::Read)
        }
    }

    #[derive(Debug, PartialEq, factum::Reject)]
    pub(super) enum No {
        No,
    }
    impl ::std::fmt::Display for No {
        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            f.write_str("no")
        }
    }
    impl ::std::error::Error for No {}
}

/// An enum that is private to its module, over an id from elsewhere; and names that are key words.
mod private {
    #[derive(factum::Event, Debug, Clone, PartialEq)]
    #[event(context = "r", stream = r#type, tags(r#type, r#in))]
    pub(super) enum Raw {
        Made { r#type: crate::campus::CourseId, r#in: Option<crate::campus::StudentId> },
    }

    #[derive(factum::Subset, Debug, PartialEq)]
    #[subset(of = Raw)]
    pub(super) enum Part {
        Made { r#in: Option<crate::campus::StudentId> },
    }
}

#[test]
fn a_crowded_module_changes_nothing() {
    use crowded::{Crowded, Do, No, Shelf, Shelves, ThingId};
    assert_eq!(Shelves::Shelf { shelf: Shelf(1) }.to_new().stream.as_str(), "shelf-1");
    let new = Crowded::A { thing: ThingId(1), other: ThingId(1) }.to_new();
    assert_eq!(crate::campus::tags(&new), ["thing:1"]);
    let command = Do { stored: ThingId(1), to: 1, from: 2 };
    assert_eq!(&factum::Command::encode(&command)[..], br#"{"stored":1,"to":1,"from":2}"#);
    factum::given_nothing().when(command).then_rejected(No::No);
}

#[test]
fn a_raw_name_is_stored_without_its_mark() {
    use factum::EventSet as _;
    let event = private::Raw::Made { r#type: crate::campus::COURSE, r#in: Some(crate::campus::ANN) };
    let new = event.to_new();
    assert_eq!(crate::campus::text(&new.payload), r#"{"type":1,"in":10}"#);
    assert_eq!(new.stream.as_str(), "course-1");
    assert_eq!(crate::campus::tags(&new), ["course:1", "student:10"]);
    let part = private::Part::decode(&crate::campus::recorded(new)).unwrap();
    assert_eq!(part, Some(private::Part::Made { r#in: Some(crate::campus::ANN) }));
}
