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
