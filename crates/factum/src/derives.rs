//! The derives with their attributes, described where their examples can run.

/// Makes an enum the events of a context, one variant for each thing that can happen.
///
/// The derive makes a stored form of each variant, its named fields in JSON, so the enum needs no serde
/// derive; its fields need one. Attributes of the enum:
///
/// - `context = "campus"`: begins every stored name.
/// - `stream = field`: the home of each event that has the field. An event without one lives in the stream
///   named by the context.
/// - `tags(field, ..)`: what events can be found by: ids, or collections of ids.
///
/// Attributes of a variant:
///
/// - `name = "campus.enrolled"`: the stored name, in full. Without it: the context, a dot, and the variant in
///   kebab case. Renaming a variant is a new name: write the old one into `was`.
/// - `was("campus.signed-up", ..)`: names it was stored under before. Queries ask for them too.
/// - `version = 3, upcast(from_1, from_2)`: the schema's version, and a function from each version to the
///   next. The last one returns the enum. Old versions are read through them, under whatever name.
///
/// Attributes of a field: `#[stream]` and `#[tag]`, where the enum's do not say it, and a `#[stream]` goes
/// before what the enum says; `#[serde(..)]` as for any struct.
///
/// Beside it an event needs no derive, but in tests: `Debug` to be given and shown, `PartialEq` to be compared.
///
/// ```
/// use factum::{Event as _, prelude::*};
///
/// #[derive(Id)]
/// struct CourseId(u64);
/// #[derive(Id)]
/// struct StudentId(u64);
///
/// #[derive(Event, Debug, PartialEq)]
/// #[event(context = "campus", stream = course, tags(course, student))]
/// enum CampusEvent {
///     CourseOpened { course: CourseId, seats: u32 },
///     #[event(was("campus.signed-up"), version = 2, upcast(enrolled_from_1))]
///     Enrolled { course: CourseId, student: StudentId, paid: bool },
///     ClassFormed {
///         #[tag]
///         members: Vec<StudentId>,
///     },
/// }
/// #[derive(serde::Deserialize)]
/// struct EnrolledV1 {
///     course: CourseId,
///     student: StudentId,
/// }
/// fn enrolled_from_1(old: EnrolledV1) -> CampusEvent {
///     CampusEvent::Enrolled { course: old.course, student: old.student, paid: false }
/// }
///
/// let enrolled = CampusEvent::Enrolled { course: CourseId(1), student: StudentId(2), paid: true };
/// let new = enrolled.to_new();
/// assert_eq!((new.stream.as_str(), new.event_type.as_str()), ("course-1", "campus.enrolled"));
/// assert_eq!((new.tags[1].as_str(), new.version), ("student:2", 2));
/// assert_eq!(&new.payload[..], br#"{"course":1,"student":2,"paid":true}"#);
/// let formed = CampusEvent::ClassFormed { members: vec![StudentId(1), StudentId(2)] }.to_new();
/// assert_eq!((formed.stream.as_str(), formed.tags.len()), ("campus", 2));
/// ```
pub use factum_macros::Event;

/// Makes an enum the part of a context's events that a model reads, with only the fields it reads.
///
/// `#[subset(of = CampusEvent)]` names the context's enum. A field marked `#[meta]` comes from the record,
/// by its name; `#[meta(recorded_at)]` lets the field have another name:
///
/// - `position`: [`Position`](crate::Position), `id`: [`EventId`](crate::EventId)
/// - `stream`: [`StreamName`](crate::StreamName), `revision`: [`Revision`](crate::Revision)
/// - `recorded_at`, `effective_at`: [`Timestamp`](crate::Timestamp)
/// - `actor`, `tenant`: `Option<String>` or `Option<Arc<str>>`
/// - `command_id`: [`CommandId`](crate::CommandId), `correlation`: [`CorrelationId`](crate::CorrelationId)
///
/// To read everything of the record, wrap the subset in [`crate::Recorded`].
///
/// ```
/// use factum::prelude::*;
///
/// #[derive(Id)]
/// struct CourseId(u64);
/// #[derive(Event)]
/// #[event(context = "campus", stream = course)]
/// enum CampusEvent {
///     CourseOpened { course: CourseId, seats: u32 },
///     CourseClosed { course: CourseId },
/// }
///
/// #[derive(Subset)]
/// #[subset(of = CampusEvent)]
/// enum Opening {
///     CourseOpened {
///         seats: u32,
///         #[meta]
///         recorded_at: Timestamp,
///     },
/// }
/// #[derive(Default, Debug, Clone)]
/// struct Opened(Option<(u32, Timestamp)>);
/// impl Model for Opened {
///     type Scope = Stream<CourseId>;
///     type Event = Opening;
///     fn apply(&mut self, Opening::CourseOpened { seats, recorded_at }: Opening) {
///         self.0 = Some((seats, recorded_at));
///     }
/// }
/// ```
pub use factum_macros::Subset;

/// Makes a struct around one value an id.
///
/// Its name in tags and streams is that of the type in snake case without `Id`, or
/// `#[id(name = "course")]`. The value is anything with `Clone`, `Display`, `Eq`, `Hash` and serde: a UUID, a
/// number, a text; a float is none. An id that a decision mints wraps a UUID. The derive makes `Clone`,
/// `Debug`, `Display`, `Eq`, `Hash`, `From` the value and serde; and where the value has them `Copy`, `Ord`,
/// `FromStr` and `From<&str>`. So none of these can be derived beside it: the compiler calls that conflicting
/// implementations (E0119), and the cure is to derive `Id` alone.
///
/// To let only some values be ids, wrap a type that checks itself: what parses or decodes the id goes through
/// its `FromStr` and its `#[serde(try_from = "String")]`.
///
/// ```
/// use factum::prelude::*;
///
/// #[derive(Id)]
/// struct CourseOptionId(u64);
///
/// let id: CourseOptionId = "7".parse().unwrap();
/// assert_eq!(id.tag().as_str(), "course_option:7");
/// assert_eq!(id.stream().as_str(), "course_option-7");
/// assert_eq!((id, id.to_string().as_str()), (CourseOptionId::new(7), "7"));
/// assert_eq!((id.get(), id.0), (&7, 7));
/// ```
pub use factum_macros::Id;

/// Makes a decision storable: a commit records what was asked.
///
/// `#[command(name = "campus.enrol")]` is the stored name, in full; `version = 2` the version of the stored
/// form, 1 unless said. The derive makes that form, in JSON, for structs and enums of any shape: the type
/// itself needs no serde derive and may have one. `#[serde(..)]` attributes count for both. A command owns
/// what it holds, and holds it in an order: `BTreeMap`, not `HashMap`, since a repeat is compared by its bytes.
///
/// ```
/// use factum::{Command as _, prelude::*};
///
/// #[derive(Id)]
/// struct DoorId(u64);
/// #[derive(Event)]
/// #[event(context = "house", stream = door)]
/// enum HouseEvent {
///     Opened { door: DoorId },
/// }
///
/// #[derive(Command, Debug, PartialEq)]
/// #[command(name = "house.open")]
/// struct Open {
///     door: DoorId,
/// }
/// impl Decide for Open {
///     type Event = HouseEvent;
///     type Models = ();
///     type Rejection = Never;
///     fn keys(&self) {}
///     fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
///         emit(HouseEvent::Opened { door: self.door })
///     }
/// }
///
/// let open = Open { door: DoorId(1) };
/// assert_eq!(&open.encode()[..], br#"{"door":1}"#);
/// assert_eq!(Open::decode(&open.encode()), Ok(open));
/// ```
pub use factum_macros::Command;

/// Makes an error a rejection: each variant has a code, its name in kebab case, and the status 409.
///
/// `#[reject(404)]` says another status, from 400 to 499; `#[reject(404, code = "gone")]` another code as
/// well; `#[reject(transparent)]`, on a variant with one unnamed field, answers as the rejection it wraps.
///
/// ```
/// use factum::{Reject as _, prelude::*};
///
/// // `thiserror` is a dependency of yours, for `derive(Error)`.
/// #[derive(Debug, thiserror::Error, Reject)]
/// enum EnrolRejected {
///     #[error("there is no such course")]
///     #[reject(404)]
///     NoCourse,
///     #[error("full: {seats} seats")]
///     Full { seats: u32 },
/// }
///
/// assert_eq!((EnrolRejected::NoCourse.code(), EnrolRejected::NoCourse.status()), ("no-course", 404));
/// let full = EnrolRejected::Full { seats: 3 };
/// assert_eq!((full.code(), full.status()), ("full", 409));
/// ```
pub use factum_macros::Reject;

/// Takes the events of a model from the match arms of its `apply`: query, scope check and fold from one
/// place.
///
/// `apply` is one `match` over the event. What has an arm is read, and nothing else; so an arm for anything,
/// `_`, is refused. An event that no pattern or guard of its arms lets through changes nothing.
///
/// Without the attribute the compiler says that `Event` is missing in the impl and offers a `_` arm: add
/// `#[model]` instead.
///
/// ```
/// use factum::{EventSet, Model as _, prelude::*};
///
/// #[derive(Id)]
/// struct CourseId(u64);
/// #[derive(Event)]
/// #[event(context = "campus", stream = course)]
/// enum CampusEvent {
///     CourseOpened { course: CourseId, seats: u32 },
///     CourseClosed { course: CourseId },
/// }
///
/// #[derive(Default, Debug, Clone)]
/// struct Seats(u32);
/// #[model]
/// impl Model for Seats {
///     type Scope = Stream<CourseId>;
///     fn apply(&mut self, event: CampusEvent) {
///         match event {
///             CampusEvent::CourseOpened { seats, .. } => self.0 = seats,
///         }
///     }
/// }
///
/// let types = <<Seats as Model>::Event as EventSet>::TYPES;
/// assert_eq!((types.len(), types[0].name), (1, "campus.course-opened"));
/// ```
pub use factum_macros::model;
