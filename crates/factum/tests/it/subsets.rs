//! What a model reads of its context: `derive(Subset)`, `#[meta]`, `#[model]`, `Recorded`.

use crate::campus::{
    ANN, COURSE, CampusEvent, CourseId, StudentId, enrolled, minute, opened, stored, withdrew,
};
use factum::{
    CommandId, CorrelationId, Event as _, EventId, EventSet, Position, Revision, StreamName, prelude::*,
};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Subset, Debug, PartialEq)]
#[subset(of = CampusEvent)]
enum Taken {
    Enrolled { student: StudentId },
    Withdrew,
}

#[derive(Subset, Debug, PartialEq)]
#[subset(of = CampusEvent)]
enum Told {
    Enrolled {
        course: CourseId,
        #[meta]
        position: Position,
        #[meta]
        id: EventId,
        #[meta]
        stream: StreamName,
        #[meta]
        revision: Revision,
        #[meta]
        recorded_at: Timestamp,
        #[meta]
        effective_at: Timestamp,
        #[meta]
        actor: Option<String>,
        #[meta]
        tenant: Option<String>,
        #[meta]
        command_id: CommandId,
        #[meta]
        correlation: CorrelationId,
        #[meta(recorded_at)]
        when: Timestamp,
        #[meta(actor)]
        who: Option<Arc<str>>,
    },
}

#[test]
fn a_subset_reads_its_events_and_fields_only() {
    let names: Vec<_> = Taken::TYPES.iter().map(|kind| kind.name).collect();
    assert_eq!(names, ["campus.enrolled", "campus.withdrew"]);
    assert_eq!(Taken::decode(&stored(&enrolled(ANN))), Ok(Some(Taken::Enrolled { student: ANN })));
    assert_eq!(Taken::decode(&stored(&withdrew(ANN))), Ok(Some(Taken::Withdrew)));
    assert_eq!(Taken::decode(&stored(&opened(1))), Ok(None));
}

#[test]
fn what_is_not_in_the_subset_is_not_even_decoded() {
    let mut record = stored(&opened(1));
    record.version = 99;
    assert!(CampusEvent::decode(&record).is_err());
    assert_eq!(Taken::decode(&record), Ok(None));
}

#[test]
fn a_meta_field_comes_from_the_record() {
    let mut new = enrolled(ANN).to_new();
    new.effective_at = Some(minute(1));
    let told = Told::decode(&crate::campus::recorded(new)).unwrap();
    let command_id = CommandId::new(Uuid::from_u128(7));
    let expected = Told::Enrolled {
        course: COURSE,
        position: Position::new(3),
        id: EventId::derived(command_id, 0),
        stream: StreamName::new("course-1").unwrap(),
        revision: Revision::new(1),
        recorded_at: minute(3),
        effective_at: minute(1),
        actor: Some("ann".to_owned()),
        tenant: Some("north".to_owned()),
        command_id,
        correlation: CorrelationId::of(command_id),
        when: minute(3),
        who: Some("ann".into()),
    };
    assert_eq!(told, Some(expected));
}

#[derive(Default, Clone, Debug)]
struct Trail(Vec<Recorded<CampusEvent>>);
impl Model for Trail {
    type Scope = Tagged<CourseId>;
    type Event = Recorded<EnrolledOnly>;
    fn apply(&mut self, event: Recorded<EnrolledOnly>) {
        let EnrolledOnly::Enrolled { course, student } = event.event;
        let event = Recorded::new(CampusEvent::Enrolled { course, student }, &stored(&enrolled(student)));
        self.0.push(event);
    }
}

#[derive(Subset, Debug, Clone)]
#[subset(of = CampusEvent)]
enum EnrolledOnly {
    Enrolled { course: CourseId, student: StudentId },
}

#[test]
fn recorded_gives_the_event_and_its_record() {
    let record = stored(&enrolled(ANN));
    let read = Recorded::<CampusEvent>::decode(&record).unwrap().unwrap();
    assert_eq!(read.event, enrolled(ANN));
    assert_eq!((read.position, read.id, read.revision), (record.position, record.id, record.revision));
    assert_eq!((read.recorded_at(), read.effective_at), (minute(3), minute(3)));
    assert_eq!((read.actor(), read.tenant()), (Some("ann"), Some("north")));
    assert_eq!(read.command_id(), record.command_id());
    assert_eq!(read.correlation(), CorrelationId::of(record.command_id()));
    assert_eq!(Recorded::<CampusEvent>::TYPES, CampusEvent::TYPES);
    assert_eq!(Recorded::<Taken>::decode(&stored(&opened(1))), Ok(None));
    let mut trail = Trail::default();
    trail.apply(Recorded::decode(&record).unwrap().unwrap());
    assert_eq!(trail.0, [read]);
}

/// Reads two of four events, one of them under two patterns.
#[derive(Default, Clone, Debug, PartialEq)]
struct Known {
    ann: bool,
    others: u32,
}
#[model]
impl Model for Known {
    type Scope = Tagged<CourseId>;
    fn apply(&mut self, event: CampusEvent) {
        match event {
            CampusEvent::Enrolled { student: StudentId(10), .. } | CampusEvent::Withdrew { .. } => {
                self.ann = true;
            }
            CampusEvent::Enrolled { student, .. } if student.0 > 100 => self.others += 1,
        }
    }
}

#[test]
fn a_model_attribute_reads_the_events_off_the_arms() {
    let names: Vec<_> = <Known as Model>::Event::TYPES.iter().map(|kind| kind.name).collect();
    assert_eq!(names, ["campus.enrolled", "campus.withdrew"]);
}

#[test]
fn an_event_that_no_guard_lets_through_changes_nothing() {
    let mut known = Known::default();
    for (student, expected) in [(11, (false, 0)), (101, (false, 1)), (10, (true, 1))] {
        let event = <Known as Model>::Event::decode(&stored(&enrolled(StudentId(student)))).unwrap().unwrap();
        known.apply(event);
        assert_eq!((known.ann, known.others), expected);
    }
}
