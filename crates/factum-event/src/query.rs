//! Which events: the items of a query are joined by OR; within an item the type is one of its types,
//! and all its tags are there. After the specification of dynamic consistency boundaries (dcb.events);
//! the stream filter is ours.

use crate::{
    Category, EventType, RecordedEvent, StreamName, Tag, limits,
    name::{InvalidName, check_count},
};

/// A selection of events.
///
/// ```
/// use factum_event::{EventType, Query, QueryItem, Tag};
/// let course = Tag::new("course:c1").unwrap();
/// let query = Query::from(QueryItem::default().tag(course).event_type(EventType::new("campus.enrolled").unwrap()));
/// assert!(!query.is_all());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Every event.
    All,
    /// Events that match at least one item. No items: no events.
    Items(Vec<QueryItem>),
}

/// One alternative of a query. An empty item matches every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryItem {
    /// The event has one of these types; any type if there are none.
    pub types: Vec<EventType>,
    /// The event has all of these tags.
    pub tags: Vec<Tag>,
    /// The event lives here.
    pub stream: Option<StreamFilter>,
}

/// Where an event lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamFilter {
    /// In this stream.
    Name(StreamName),
    /// In any stream of this category.
    Category(Category),
}

impl Query {
    /// Whether it selects every event, by form or because one of its items is empty.
    pub fn is_all(&self) -> bool {
        match self {
            Self::All => true,
            Self::Items(items) => items.iter().any(QueryItem::is_empty),
        }
    }

    /// The events that either selects.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Items(mut a), Self::Items(b)) => {
                a.extend(b);
                Self::Items(a)
            }
            _ => Self::All,
        }
    }

    /// Whether it selects `event`.
    pub fn matches(&self, event: &RecordedEvent) -> bool {
        self.matches_parts(&event.event_type, &event.tags, &event.stream)
    }

    /// As [`Self::matches`], over the parts of an event that a query can ask about.
    pub fn matches_parts(&self, event_type: &EventType, tags: &[Tag], stream: &StreamName) -> bool {
        match self {
            Self::All => true,
            Self::Items(items) => items.iter().any(|item| item.matches(event_type, tags, stream)),
        }
    }

    /// Whether a store would take it.
    ///
    /// # Errors
    /// When a name is not one, or there are more than [`limits::QUERY_ITEMS_MAX`] items.
    pub fn check(&self) -> Result<(), InvalidName> {
        let Self::Items(items) = self else { return Ok(()) };
        check_count("a query's items are", items.len(), limits::QUERY_ITEMS_MAX)?;
        for item in items {
            item.types.iter().try_for_each(EventType::check)?;
            item.tags.iter().try_for_each(Tag::check)?;
            match &item.stream {
                Some(StreamFilter::Name(name)) => name.check()?,
                Some(StreamFilter::Category(category)) => category.check()?,
                None => {}
            }
        }
        Ok(())
    }
}

impl QueryItem {
    /// Also events of this type.
    #[must_use]
    pub fn event_type(mut self, event_type: EventType) -> Self {
        self.types.push(event_type);
        self
    }

    /// Only events with this tag.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        self.tags.push(tag);
        self
    }

    /// Only events of this stream.
    #[must_use]
    pub fn stream(mut self, stream: StreamName) -> Self {
        self.stream = Some(StreamFilter::Name(stream));
        self
    }

    /// Only events of this category.
    #[must_use]
    pub fn category(mut self, category: Category) -> Self {
        self.stream = Some(StreamFilter::Category(category));
        self
    }

    /// Whether it asks for nothing, and so matches everything.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.tags.is_empty() && self.stream.is_none()
    }

    /// Whether an event with these parts matches.
    pub fn matches(&self, event_type: &EventType, tags: &[Tag], stream: &StreamName) -> bool {
        (self.types.is_empty() || self.types.contains(event_type))
            && self.tags.iter().all(|tag| tags.contains(tag))
            && match &self.stream {
                None => true,
                Some(StreamFilter::Name(name)) => name == stream,
                Some(StreamFilter::Category(category)) => category.as_str() == stream.category_str(),
            }
    }
}

impl From<QueryItem> for Query {
    fn from(item: QueryItem) -> Self {
        Self::Items(vec![item])
    }
}

impl FromIterator<QueryItem> for Query {
    fn from_iter<I: IntoIterator<Item = QueryItem>>(items: I) -> Self {
        Self::Items(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> Tag {
        Tag::unchecked(name)
    }

    fn kind(name: &str) -> EventType {
        EventType::unchecked(name)
    }

    fn selects(query: &Query, event_type: &str, tags: &[&str], stream: &str) -> bool {
        let tags: Vec<_> = tags.iter().map(|name| tag(name)).collect();
        query.matches_parts(&kind(event_type), &tags, &StreamName::unchecked(stream))
    }

    #[test]
    fn types_are_joined_by_or_and_tags_by_and() {
        let item =
            QueryItem::default().event_type(kind("a")).event_type(kind("b")).tag(tag("x")).tag(tag("y"));
        let query = Query::from(item);
        assert!(selects(&query, "a", &["y", "z", "x"], "s"));
        assert!(selects(&query, "b", &["x", "y"], "s"));
        assert!(!selects(&query, "c", &["x", "y"], "s"));
        assert!(!selects(&query, "a", &["x"], "s"));
    }

    #[test]
    fn an_empty_item_selects_everything_and_no_items_nothing() {
        assert!(selects(&Query::All, "a", &[], "s"));
        assert!(selects(&QueryItem::default().into(), "a", &[], "s"));
        assert!(!selects(&Query::Items(Vec::new()), "a", &[], "s"));
    }

    #[test]
    fn a_home_is_a_stream_or_a_category() {
        let home: Query = QueryItem::default().stream(StreamName::unchecked("order-1")).into();
        assert!(selects(&home, "a", &[], "order-1") && !selects(&home, "a", &[], "order-10"));
        let homes: Query = QueryItem::default().category(Category::unchecked("order")).into();
        assert!(selects(&homes, "a", &[], "order-1") && selects(&homes, "a", &[], "order"));
        assert!(!selects(&homes, "a", &[], "orders-1"));
    }

    #[test]
    fn or_selects_what_either_selects() {
        let (a, x) = (QueryItem::default().event_type(kind("a")), QueryItem::default().tag(tag("x")));
        let either = Query::from(a.clone()).or(x.clone().into());
        assert_eq!(either, [a.clone(), x].into_iter().collect());
        assert!(selects(&either, "a", &[], "s") && selects(&either, "b", &["x"], "s"));
        assert!(!selects(&either, "b", &["y"], "s"));
        let nothing = || Query::Items(Vec::new());
        assert_eq!(nothing().or(a.clone().into()), a.clone().into());
        assert_eq!(nothing().or(nothing()), nothing());
        assert_eq!(Query::All.or(nothing()), Query::All);
        assert_eq!(Query::from(a).or(Query::All), Query::All);
    }

    #[test]
    fn is_all_sees_an_empty_item_among_others() {
        let some = QueryItem::default().tag(tag("x"));
        assert!(Query::All.is_all());
        assert!(Query::Items(vec![some.clone(), QueryItem::default()]).is_all());
        assert!(!Query::Items(vec![some]).is_all());
        assert!(!Query::Items(Vec::new()).is_all());
    }

    #[test]
    fn a_query_is_checked_name_by_name_and_bounded() {
        let check = |item: QueryItem| Query::Items(vec![QueryItem::default(), item]).check().unwrap_err();
        let empty = |what| InvalidName::Empty { what };
        assert_eq!(check(QueryItem::default().tag(tag(""))), empty("a tag"));
        assert_eq!(check(QueryItem::default().event_type(kind(""))), empty("an event type"));
        assert_eq!(check(QueryItem::default().stream(StreamName::unchecked(""))), empty("a stream name"));
        assert_eq!(check(QueryItem::default().category(Category::unchecked(""))), empty("a category"));
        let items = |count| (0..count).map(|_| QueryItem::default().tag(tag("x"))).collect::<Query>();
        assert_eq!(items(limits::QUERY_ITEMS_MAX).check(), Ok(()));
        let error = items(limits::QUERY_ITEMS_MAX + 1).check().unwrap_err();
        assert_eq!(error.to_string(), "a query's items are 1025, and 1024 is the most: ask for less at once");
    }
}
