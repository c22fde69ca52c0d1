//! given/when/then: what it folds, what it hands in, what it says when a test fails.

use crate::campus::{ANN, BOB, COURSE, CampusEvent, CourseId, StudentId, enrolled, minute, opened, withdrew};
use factum::{EventType, Given, NewEvent, QueryItem, prelude::*};
use std::panic::{AssertUnwindSafe, catch_unwind};
use uuid::Uuid;

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "price", stream = course, tags(course))]
enum PriceEvent {
    Set { course: CourseId, cents: u64 },
    Owed { by: String, at: Timestamp, price: u64, places: u32, bill: Uuid },
}

#[derive(Default, Clone, Debug)]
struct Taken(u32);
#[model]
impl Model for Taken {
    type Scope = Stream<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { .. } => self.0 += 1,
            CampusEvent::Withdrew { .. } => self.0 -= 1,
        }
    }
}

/// The last price, and how many prices it was told of.
#[derive(Default, Clone, Debug)]
struct Price {
    cents: u64,
    told: u32,
}
#[model]
impl Model for Price {
    type Scope = Last<Tagged<CourseId>>;
    fn apply(&mut self, event: PriceEvent) {
        match event {
            PriceEvent::Set { cents, .. } => *self = Self { cents, told: self.told + 1 },
        }
    }
}

#[derive(Default, Clone, Debug)]
struct Enrolments(Vec<(Timestamp, Option<String>)>);
#[derive(Subset)]
#[subset(of = CampusEvent)]
enum Enrolment {
    Enrolled {
        #[meta]
        recorded_at: Timestamp,
        #[meta]
        actor: Option<String>,
    },
}
impl Model for Enrolments {
    type Scope = (Tagged<CourseId>, Tagged<StudentId>);
    type Event = Enrolment;
    fn apply(&mut self, Enrolment::Enrolled { recorded_at, actor }: Enrolment) {
        self.0.push((recorded_at, actor));
    }
}

struct Bill;
impl Decide for Bill {
    type Event = PriceEvent;
    type Models = (Taken, Price);
    type Rejection = Refused;
    fn keys(&self) -> Keys<Self> {
        (COURSE, COURSE)
    }
    fn decide(&self, (taken, price): &Self::Models, context: &Context) -> Decision<Self> {
        ensure!(price.told > 0, "no-price");
        ensure!(price.told == 1, "told-of-an-earlier-price");
        if taken.0 == 0 {
            return nothing();
        }
        let _first: Uuid = context.fresh_id();
        let by = context.actor().unwrap_or("nobody").to_owned();
        let (price, places) = (price.cents, taken.0);
        emit(PriceEvent::Owed { by, at: context.now(), price, places, bill: context.fresh_id() })
    }
}

fn set(cents: u64) -> PriceEvent {
    PriceEvent::Set { course: COURSE, cents }
}

/// With the second id that the commit after so many would mint.
fn owed(by: &str, at: Timestamp, price: u64, places: u32, commits: u128) -> PriceEvent {
    let bill = factum::CommandId::new(Uuid::from_u128(commits + 1)).fresh(1);
    PriceEvent::Owed { by: by.to_owned(), at, price, places, bill }
}

#[test]
fn only_the_last_event_of_a_last_scope_is_folded() {
    given([set(5), set(7)]).and([enrolled(ANN)]).when(Bill).then(owed("nobody", Timestamp::EPOCH, 7, 1, 3));
}

#[test]
fn events_of_other_streams_are_not_folded() {
    let elsewhere = CampusEvent::Enrolled { course: CourseId(2), student: ANN };
    given([set(5)]).and([elsewhere]).when(Bill).then_nothing();
    given_nothing().when(Bill).then_rejected("no-price".into());
}

#[test]
fn time_and_actor_reach_the_decision() {
    given([set(5)])
        .and([enrolled(ANN), enrolled(BOB), withdrew(ANN)])
        .at(minute(9))
        .actor("ann")
        .when(Bill)
        .then(owed("ann", minute(9), 5, 1, 4));
}

struct Again;
impl Decide for Again {
    type Event = CampusEvent;
    type Models = Enrolments;
    type Rejection = Refused;
    fn keys(&self) -> (CourseId, StudentId) {
        (COURSE, ANN)
    }
    fn decide(&self, enrolments: &Enrolments, _: &Context) -> Decision<Self> {
        let expected = [(minute(1), None), (minute(2), Some("bob".to_owned()))];
        ensure!(enrolments.0 == expected, "other-records");
        nothing()
    }
}

#[test]
fn given_events_are_recorded_when_and_by_whom_it_was_said() {
    given([opened(9)])
        .at(minute(1))
        .and([enrolled(ANN), enrolled(BOB)])
        .at(minute(2))
        .actor("bob")
        .and([enrolled(ANN)])
        .when(Again)
        .then_nothing();
}

/// What a failing test prints.
fn printed(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test fails");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn a_failing_test_shows_expected_got_state_and_given_each_on_its_lines() {
    let text = printed(|| given([set(5)]).and([enrolled(ANN)]).when(Bill).then_rejected("no-price".into()));
    let expected = r#"the command decided something else
  expected  rejected: Refused("no-price")
            409 no-price: no-price
  got       Owed {
                by: "nobody",
                at: 1970-01-01T00:00:00.000000Z,
                price: 5,
                places: 1,
                bill: BILL,
            }
  state     (Taken(1), Price { cents: 5, told: 1 })
  given 1   Set { course: course:1, cents: 5 }
  given 2   Enrolled { course: course:1, student: student:10 }
"#;
    let PriceEvent::Owed { bill, .. } = owed("", Timestamp::EPOCH, 0, 0, 2) else { unreachable!() };
    assert_eq!(text, expected.replace("BILL", &bill.to_string()));
    let text = printed(|| given([set(5)]).when(Bill).then([set(1), set(2)]));
    let expected = "the command decided something else
  expected  Set { course: course:1, cents: 1 }
            Set { course: course:1, cents: 2 }
  got       nothing
  state     (Taken(0), Price { cents: 5, told: 1 })
  given 1   Set { course: course:1, cents: 5 }
";
    assert_eq!(text, expected);
}

#[test]
fn each_then_fails_on_anything_else() {
    let one = || given([set(5)]).and([enrolled(ANN)]).when(Bill);
    let (none, refused) = (|| given([set(5)]).when(Bill), || given_nothing().when(Bill));
    printed(|| one().then_nothing());
    printed(|| one().then(set(5)));
    printed(|| one().then(vec![owed("nobody", Timestamp::EPOCH, 5, 1, 2), set(5)]));
    printed(|| none().then_rejected("no-price".into()));
    printed(|| refused().then_nothing());
    printed(|| refused().then(set(5)));
    printed(|| refused().then_rejected("other".into()));
}

#[test]
fn what_is_said_of_an_event_beside_its_fields_is_compared_too() {
    struct Backdate;
    impl Decide for Backdate {
        type Event = PriceEvent;
        type Models = ();
        type Rejection = Never;
        fn keys(&self) {}
        fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
            emit(fact(set(5)).effective_at(minute(1)))
        }
    }
    given_nothing().when(Backdate).then(fact(set(5)).effective_at(minute(1)));
    let text = printed(|| given_nothing().when(Backdate).then(set(5)));
    assert!(text.contains("effective_at: 1970-01-01T00:01:00.000000Z"), "{text}");
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "lossy")]
enum Lossy {
    Lost {
        #[serde(skip)]
        note: u32,
    },
    #[event(name = "lossy.named")]
    Named {
        #[tag]
        whom: Name,
    },
}
#[derive(Id)]
struct Name(String);

#[derive(Clone)]
struct Say(Lossy);
impl Decide for Say {
    type Event = Lossy;
    type Models = ();
    type Rejection = Refused;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        ensure!(self.0 != Lossy::Lost { note: 9 }, "");
        emit(self.0.clone())
    }
}

#[test]
fn an_event_that_loses_something_on_the_way_is_found_out() {
    let lost = |note| Lossy::Lost { note };
    given_nothing().when(Say(lost(0))).then(lost(0));
    let text = printed(|| given_nothing().when(Say(lost(1))).then(lost(1)));
    let expected = "an event does not read back as it was written
  written   Lost { note: 1 }
  read      Lost { note: 0 }
";
    assert_eq!(text, expected);
}

#[test]
fn what_a_store_would_refuse_fails_the_test() {
    let named = |name: &str| Lossy::Named { whom: Name(name.to_owned()) };
    given_nothing().when(Say(named("ann"))).then(named("ann"));
    let text = printed(|| _ = given_nothing().when(Say(named("an\nn"))));
    assert!(text.starts_with("a store would refuse what was decided: event 0: a tag"), "{text}");
    let text = printed(|| _ = given_nothing().when(Say(Lossy::Lost { note: 9 })));
    assert!(text.contains("a rejection code is empty"), "{text}");
}

#[derive(Subset)]
#[subset(of = PriceEvent)]
enum Effective {
    Set {
        #[meta]
        effective_at: Timestamp,
    },
}
#[derive(Default, Clone, Debug)]
struct Since(Option<Timestamp>);
impl Model for Since {
    type Scope = Stream<CourseId>;
    type Event = Effective;
    fn apply(&mut self, Effective::Set { effective_at }: Effective) {
        self.0 = Some(effective_at);
    }
}

/// Owes since the price holds, in the name of the tenant.
struct Owe;
impl Decide for Owe {
    type Event = PriceEvent;
    type Models = Since;
    type Rejection = Refused;
    fn keys(&self) -> CourseId {
        COURSE
    }
    fn decide(&self, since: &Since, context: &Context) -> Decision<Self> {
        let (by, at) = (context.tenant().unwrap_or("none").to_owned(), since.0.ok_or("no-price")?);
        emit(PriceEvent::Owed { by, at, price: 0, places: 0, bill: context.fresh_id() })
    }
}

#[test]
fn effective_time_tenant_and_command_can_be_given() {
    let id = factum::CommandId::new(Uuid::from_u128(77));
    given([fact(set(5)).effective_at(minute(4))]).tenant("acme").command_id(id).when(Owe).then(
        PriceEvent::Owed { by: "acme".to_owned(), at: minute(4), price: 0, places: 0, bill: id.fresh(0) },
    );
}

/// Who is in a course, and how often it was spoken of.
#[derive(Default, Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Roster {
    course: Option<CourseId>,
    students: Vec<StudentId>,
    #[serde(skip)]
    told: u32,
}
impl View for Roster {
    const NAME: &'static str = "roster";
    const VERSION: u32 = 1;
    const INDEXES: &'static [&'static str] = &["students"];
    type Event = CampusEvent;
    type Key = CourseId;
    fn keys(event: &CampusEvent) -> Vec<CourseId> {
        match event {
            CampusEvent::CourseOpened { course, .. }
            | CampusEvent::Enrolled { course, .. }
            | CampusEvent::Withdrew { course, .. } => vec![*course, *course],
            CampusEvent::TermBegan => Vec::new(),
        }
    }
    fn start(course: &CourseId) -> Self {
        Self { course: Some(*course), ..Self::default() }
    }
    fn apply(&mut self, _: &CourseId, event: &CampusEvent) {
        self.told += 1;
        match event {
            CampusEvent::Enrolled { student, .. } => self.students.push(*student),
            CampusEvent::Withdrew { student, .. } => self.students.retain(|other| other != student),
            _ => {}
        }
    }
    fn indexed(&self) -> Vec<Value> {
        // One too many of a course that is too popular.
        vec![Value::from(self.students.len() as u64); self.students.len().div_ceil(2).max(1)]
    }
    fn is_gone(&self) -> bool {
        self.course == Some(CourseId(7))
    }
    fn found_by(course: &CourseId) -> Option<QueryItem> {
        // That of the ninth is another's.
        let found = if course.0 == 9 { CourseId(8) } else { *course };
        Some(QueryItem::default().stream(found.stream()))
    }
}

#[test]
fn a_document_is_folded_from_the_events_of_its_key_and_kept_between_them() {
    let elsewhere = CampusEvent::Enrolled { course: CourseId(2), student: BOB };
    let given = given([opened(3), enrolled(ANN), elsewhere]).and([set(5)]);
    let roster = given.document::<Roster>(COURSE).unwrap();
    // What serde leaves out is not there after the document was kept, so nothing may depend on it.
    assert_eq!(roster, Roster { course: Some(COURSE), students: vec![ANN], told: 0 });
    assert_eq!(given.document::<Roster>(CourseId(3)), None, "nothing happened to it");
    let gone = CampusEvent::CourseOpened { course: CourseId(7), seats: 1 };
    assert_eq!(given.and([gone]).document::<Roster>(CourseId(7)), None, "it is gone");
}

fn document_of(given: &Given, key: CourseId) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| given.document::<Roster>(key))).expect_err("it fails");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn a_view_that_does_not_keep_to_its_word_fails_the_test() {
    let popular = given([enrolled(ANN), enrolled(BOB), enrolled(StudentId(12))]);
    let told = document_of(&popular, COURSE);
    assert!(told.contains("`indexed` gives 2 values for 1 indexes, after the event at 3"), "{told}");
    let told = document_of(&given([CampusEvent::Enrolled { course: CourseId(9), student: ANN }]), COURSE);
    assert!(
        told.contains("`found_by` does not find the event at 1, which `keys` says belongs to `9`"),
        "{told}"
    );
    let newer = NewEvent::json(COURSE.stream(), EventType::new("campus.closed").unwrap(), "{}");
    let told = document_of(&given([newer]), COURSE);
    assert!(
        told.contains("does not read back from its stored form") && told.contains("campus.closed"),
        "{told}"
    );
}
