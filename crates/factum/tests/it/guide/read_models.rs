//! Read models: views, tables, and how they are read.

use super::events::{AccountId, BankEvent, BookId, CampusEvent, CourseId, LibraryEvent, ReaderId, StudentId};
use factum::{Backend, Builder, InMemory, QueryItem, Uuid, prelude::*};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Only a build that is broken waits so long.
const LONG: Duration = Duration::from_secs(20);

// ANCHOR: view
/// What is on an account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub cents: u64,
    pub entries: u64,
}

impl View for Account {
    const NAME: &'static str = "accounts";
    const VERSION: u32 = 1;
    type Event = BankEvent;
    type Key = AccountId;

    fn keys(event: &BankEvent) -> Vec<AccountId> {
        match event {
            BankEvent::Deposited { account, .. } => vec![*account],
            BankEvent::Transferred { from, to, .. } => vec![*from, *to],
        }
    }

    fn apply(&mut self, own: &AccountId, event: &BankEvent) {
        self.entries += 1;
        match event {
            BankEvent::Transferred { from, cents, .. } if from == own => {
                self.cents = self.cents.saturating_sub(*cents);
            }
            BankEvent::Deposited { cents, .. } | BankEvent::Transferred { cents, .. } => {
                self.cents = self.cents.saturating_add(*cents);
            }
        }
    }

    // ANCHOR: found_by
    fn found_by(account: &AccountId) -> Option<QueryItem> {
        Some(QueryItem::default().tag(account.tag()))
    }
    // ANCHOR_END: found_by

    // ANCHOR: indexes
    const INDEXES: &'static [&'static str] = &["cents", "rich"];

    fn indexed(&self) -> Vec<Value> {
        values![self.cents, self.cents >= 1_000_000]
    }
    // ANCHOR_END: indexes
}
// ANCHOR_END: view

// ANCHOR: bucket
/// What was paid in in a month, over all accounts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PaidIn(u64);

impl View for PaidIn {
    const NAME: &'static str = "paid-in";
    const VERSION: u32 = 1;
    type Event = Recorded<BankEvent>;
    type Key = Month;

    fn keys(recorded: &Recorded<BankEvent>) -> Vec<Month> {
        match &recorded.event {
            BankEvent::Deposited { .. } => vec![recorded.effective_at.month()],
            BankEvent::Transferred { .. } => Vec::new(),
        }
    }

    fn apply(&mut self, _: &Month, recorded: &Recorded<BankEvent>) {
        if let BankEvent::Deposited { cents, .. } = &recorded.event {
            self.0 = self.0.saturating_add(*cents);
        }
    }
}
// ANCHOR_END: bucket

// ANCHOR: gone
/// A book that is lent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lent {
    reader: Option<ReaderId>,
}

impl View for Lent {
    const NAME: &'static str = "lent";
    const VERSION: u32 = 1;
    const MODE: Mode = Mode::Wait;
    type Event = LibraryEvent;
    type Key = BookId;

    fn keys(event: &LibraryEvent) -> Vec<BookId> {
        match event {
            LibraryEvent::Lent { book, .. } | LibraryEvent::Returned { book } => vec![*book],
        }
    }

    fn apply(&mut self, _: &BookId, event: &LibraryEvent) {
        self.reader = match event {
            LibraryEvent::Lent { reader, .. } => Some(*reader),
            LibraryEvent::Returned { .. } => None,
        };
    }

    fn is_gone(&self) -> bool {
        self.reader.is_none()
    }
}
// ANCHOR_END: gone

// ANCHOR: projection
/// Who is in which course.
#[derive(Debug)]
pub struct Rosters;

impl Projection for Rosters {
    const NAME: &'static str = "rosters";
    const VERSION: u32 = 1;
    type Event = CampusEvent;
}

impl<Db: Sql> SqlProjection<Db> for Rosters {
    const SCHEMA: &'static str = "
        create table courses (course text primary key, seats bigint not null);
        create table enrolments (
            course text not null, student text not null, since text not null,
            primary key (course, student)
        );
        create index enrolments_by_student on enrolments (student)";

    async fn apply(&self, page: &Page<CampusEvent>, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        for recorded in page {
            match &recorded.event {
                CampusEvent::CourseOpened { course, seats } => {
                    let insert = "insert into courses values ($1, $2)";
                    tx.execute(insert, values![course.to_string(), *seats]).await?;
                }
                CampusEvent::Enrolled { course, student } => {
                    let values = values![course.to_string(), student.to_string(), recorded.recorded_at()];
                    tx.execute("insert into enrolments values ($1, $2, $3)", values).await?;
                }
            }
        }
        Ok(())
    }

    // ANCHOR: forget
    async fn forget(&self, key: &str, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        let course = key.strip_prefix("course-").ok_or_else(|| ApplyError::new("it is no course"))?;
        tx.execute("delete from enrolments where course = $1", values![course]).await?;
        tx.execute("delete from courses where course = $1", values![course]).await?;
        Ok(())
    }
    // ANCHOR_END: forget
}
// ANCHOR_END: projection

// ANCHOR: setup
/// On any backend.
pub fn setup<B: Backend>(app: Builder<B>) -> Builder<B> {
    app.view::<Account>().view::<PaidIn>().view::<Lent>().project(Rosters)
}
// ANCHOR_END: setup

/// Something happens, as it is asked for.
#[derive(Command)]
#[command(name = "guide.bank")]
pub enum Bank {
    Deposit(AccountId, u64),
    Transfer(AccountId, AccountId, u64),
}

impl Decide for Bank {
    type Event = BankEvent;
    type Models = ();
    type Rejection = Never;

    fn keys(&self) {}

    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(match *self {
            Self::Deposit(account, cents) => deposited(account, cents),
            Self::Transfer(from, to, cents) => BankEvent::Transferred { from, to, cents },
        })
    }
}

/// As above.
#[derive(Command)]
#[command(name = "guide.campus")]
pub enum Campus {
    Open(CourseId, u32),
    Enrol(CourseId, StudentId),
}

impl Decide for Campus {
    type Event = CampusEvent;
    type Models = ();
    type Rejection = Never;

    fn keys(&self) {}

    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(match *self {
            Self::Open(course, seats) => CampusEvent::CourseOpened { course, seats },
            Self::Enrol(course, student) => CampusEvent::Enrolled { course, student },
        })
    }
}

/// As above.
#[derive(Command)]
#[command(name = "guide.library")]
pub enum Library {
    Lend(BookId, ReaderId),
    TakeBack(BookId),
}

impl Decide for Library {
    type Event = LibraryEvent;
    type Models = ();
    type Rejection = Never;

    fn keys(&self) {}

    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(match *self {
            Self::Lend(book, reader) => LibraryEvent::Lent { book, reader, days: 28 },
            Self::TakeBack(book) => LibraryEvent::Returned { book },
        })
    }
}

pub fn in_memory() -> Builder<InMemory> {
    setup(App::in_memory())
}

pub fn deposited(account: AccountId, cents: u64) -> BankEvent {
    BankEvent::Deposited { account, cents }
}

// ANCHOR: given
#[test]
fn a_transfer_is_on_both_accounts() {
    let [ann, bob, eve] = [1, 2, 3].map(AccountId::from);
    let given = given([deposited(ann, 70), BankEvent::Transferred { from: ann, to: bob, cents: 20 }]);
    assert_eq!(given.document::<Account>(ann), Some(Account { cents: 50, entries: 2 }));
    assert_eq!(given.document::<Account>(bob), Some(Account { cents: 20, entries: 1 }));
    assert_eq!(given.document::<Account>(eve), None);
}
// ANCHOR_END: given

#[test]
fn an_event_is_in_the_month_in_which_it_was_true() {
    let ann = AccountId::from(1);
    let at = |time: &str| time.parse::<Timestamp>().unwrap();
    let late = fact(deposited(ann, 3)).effective_at(at("2026-10-31T23:59:59Z"));
    let given = given_nothing().at(at("2026-11-02T12:00:00Z")).and([deposited(ann, 7)]).and([late]);
    let paid_in = |month: &str| given.document::<PaidIn>(month.parse().unwrap());
    assert_eq!((paid_in("2026-10"), paid_in("2026-11")), (Some(PaidIn(3)), Some(PaidIn(7))));
}

#[test]
fn a_book_that_was_brought_back_has_no_document() {
    let (book, reader) = (BookId::from(1), ReaderId::from(7));
    let lent = given([LibraryEvent::Lent { book, reader, days: 28 }]);
    assert_eq!(lent.document::<Lent>(book), Some(Lent { reader: Some(reader) }));
    assert_eq!(lent.and([LibraryEvent::Returned { book }]).document::<Lent>(book), None);
}

#[test]
fn a_document_is_read_as_it_is_kept_or_with_the_tail_or_from_the_log() {
    block_on(async {
        let app = in_memory().start();
        let [ann, bob] = [1, 2].map(AccountId::from);
        app.execute(Bank::Deposit(ann, 70)).await.unwrap();
        // ANCHOR: reads
        app.execute(Bank::Transfer(ann, bob, 20)).await?;
        let accounts = || app.documents::<Account>();
        let kept = accounts().get(&ann).await?; // one lookup; may lag behind
        let latest = accounts().latest(&ann).await?; // what is kept, and the tail folded on top
        let live = accounts().live(&ann).await?; // the log alone, folded now

        assert_eq!(latest.document, Some(Account { cents: 50, entries: 2 }));
        assert_eq!(latest, live);
        assert!(kept.position <= latest.position);
        // ANCHOR_END: reads

        // ANCHOR: fresh
        let done = app.execute(Bank::Deposit(ann, 5)).await?;
        let within = Duration::from_secs(1);
        if app.projections().reached(Account::NAME, done.position(), within).await? {
            assert_eq!(accounts().get(&ann).await?.document.unwrap().cents, 55);
        }
        // ANCHOR_END: fresh
        assert!(app.projections().reached(Account::NAME, done.position(), LONG).await?);

        // ANCHOR: wait
        let (book, reader) = (BookId::from(1), ReaderId::from(7));
        let done = app.execute(Library::Lend(book, reader)).await?;
        if done.seen() {
            let lent = app.documents::<Lent>().get(&book).await?;
            assert_eq!(lent.document, Some(Lent { reader: Some(reader) }));
        }
        // ANCHOR_END: wait
        assert!(done.seen());
        app.stop().await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })
    .unwrap();
}

#[test]
fn documents_are_listed_by_an_index_page_by_page() {
    block_on(async {
        let app = in_memory().start();
        for account in 1..=5_u64 {
            app.execute(Bank::Deposit(account.into(), account * 400_000)).await.unwrap();
        }
        assert!(app.projections().caught_up(Account::NAME, LONG).await.unwrap());
        // ANCHOR: list
        let rich = |cursor: Option<&str>| {
            let accounts = app.documents::<Account>().list().equals("rich", true);
            accounts.order_by("cents").backwards().after(cursor).limit(2)
        };
        let first = rich(None).await?;
        let second = rich(first.next.as_deref()).await?;
        let keys = |page: &factum::List<Account>| -> Vec<_> {
            page.documents.iter().map(|found| found.key.clone()).collect()
        };
        assert_eq!((keys(&first), keys(&second)), (vec!["5".to_owned(), "4".into()], vec!["3".to_owned()]));
        assert_eq!(second.next, None, "that was the last page");
        // ANCHOR_END: list
        let all = app.documents::<Account>().list().after(first.next.as_deref()).await;
        assert_eq!(all, Err(factum::QueryError::Cursor), "it is a cursor of another list");
        app.stop().await;
        Ok::<_, factum::QueryError>(())
    })
    .unwrap();
}

#[test]
fn a_projection_is_asked_in_sql() {
    block_on(async {
        let app = in_memory().start();
        let course = CourseId::from(Uuid::from_u128(1));
        let [ann, bob] = [1, 2].map(|n| StudentId::from(Uuid::from_u128(n)));
        app.execute(Campus::Open(course, 2)).await.unwrap();
        app.execute(Campus::Enrol(course, ann)).await.unwrap();
        app.execute(Campus::Enrol(course, bob)).await.unwrap();
        // ANCHOR: query
        let free = "select seats - (select count(*) from enrolments where course = $1) as free
                    from courses where course = $1";
        let answer = app.tables::<Rosters>().latest(free, values![course.to_string()]).await?;
        assert_eq!(answer.rows[0].integer("free")?, 0);
        // ANCHOR_END: query
        assert!(app.projections().caught_up(Rosters::NAME, LONG).await.unwrap());
        let kept = app.tables::<Rosters>().query(free, values![course.to_string()]).await?;
        assert_eq!(kept.rows, answer.rows);
        let refused = app.tables::<Rosters>().query("delete from courses", values![]).await;
        assert!(refused.unwrap_err().to_string().contains("a query only reads"));
        app.stop().await;
        Ok::<_, factum::QueryError>(())
    })
    .unwrap();
}

#[test]
fn a_key_of_a_course_is_forgotten_and_made_anew() {
    block_on(async {
        let app = in_memory().start();
        let course = CourseId::from(Uuid::from_u128(1));
        app.execute(Campus::Open(course, 2)).await.unwrap();
        app.execute(Campus::Enrol(course, Uuid::from_u128(9).into())).await.unwrap();
        assert!(app.projections().caught_up(Rosters::NAME, LONG).await.unwrap());
        // ANCHOR: one_key
        let events = app.projections().rebuild_key(Rosters::NAME, course.stream().as_str()).await?;
        assert_eq!(events, 2);
        // ANCHOR_END: one_key
        let all = app.tables::<Rosters>().query("select * from enrolments", values![]).await.unwrap();
        assert_eq!(all.rows.len(), 1);
        app.stop().await;
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}
