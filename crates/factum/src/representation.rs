//! A whole representation as a command, shown where its example can run.

/// A `PUT` that takes a course as it is to be, and stores what changed:
///
/// ```
/// use factum::prelude::*;
///
/// #[derive(Id)]
/// struct CourseId(u64);
/// #[derive(Event, Debug, Clone, PartialEq)]
/// #[event(context = "campus", stream = course)]
/// enum CampusEvent {
///     CourseOpened { course: CourseId, title: String, seats: u32 },
///     TitleModified { course: CourseId, before: String, after: String },
///     SeatsModified { course: CourseId, before: u32, after: u32 },
/// }
/// # #[derive(Default, Debug, Clone)]
/// # struct Course { open: bool, title: String, seats: u32 }
/// # #[model]
/// # impl Model for Course {
/// #     type Scope = Stream<CourseId>;
/// #     fn apply(&mut self, event: CampusEvent) {
/// #         match event {
/// #             CampusEvent::CourseOpened { title, seats, .. } => *self = Self { open: true, title, seats },
/// #             CampusEvent::TitleModified { after, .. } => self.title = after,
/// #             CampusEvent::SeatsModified { after, .. } => self.seats = after,
/// #         }
/// #     }
/// # }
///
/// /// The whole course, as it is to be.
/// struct ReplaceCourse { course: CourseId, title: String, seats: u32 }
/// impl Decide for ReplaceCourse {
///     type Event = CampusEvent;
///     type Models = Course;
///     type Rejection = Refused;
///     fn keys(&self) -> CourseId {
///         self.course
///     }
///     fn decide(&self, now: &Course, _: &Context) -> Decision<Self> {
///         ensure!(now.open, "no-course");
///         let course = self.course;
///         diff()
///             .field(&now.title, &self.title, |before, after| {
///                 CampusEvent::TitleModified { course, before, after }
///             })
///             .field(&now.seats, &self.seats, |before, after| {
///                 CampusEvent::SeatsModified { course, before, after }
///             })
///             .decide()
///     }
/// }
///
/// let course = CourseId(1);
/// let opened = || given([CampusEvent::CourseOpened { course, title: "Logic".to_owned(), seats: 30 }]);
/// let replace = |seats| ReplaceCourse { course, title: "Logic".to_owned(), seats };
/// opened().when(replace(40)).then(CampusEvent::SeatsModified { course, before: 30, after: 40 });
/// opened().when(replace(30)).then_nothing();
/// ```
#[doc(inline)]
pub use factum_domain::diff;
