//! The listing of documents, as statements. An index is walked from where the last page ended; as comparing with
//! null is null, those without a value are a stretch of their own, before all others.

use super::{
    connection::{Conn, OURS},
    statement::Bound,
    tables::{Documents, limit},
};
use factum_event::Value;
use factum_store::read_models::{Document, Listing};
use rusqlite::{Error, ToSql};
use std::fmt::Write;

/// Documents of one stretch of an order.
struct Stretch<'a> {
    condition: String,
    values: Vec<&'a dyn ToSql>,
}

/// The documents, in order. The indexes that `listing` names are there.
pub(super) fn list(conn: &Conn, documents: &Documents, listing: &Listing) -> Result<Vec<Document>, Error> {
    let bound: Vec<_> = listing.equal.iter().map(|(_, value)| Bound(value)).collect();
    let mut equal = String::new();
    for (number, value) in &listing.equal {
        let is = if value.is_null() { "is" } else { "=" };
        write!(equal, " and d.i{number} {is} ?").expect("a text can be written to");
    }
    let (way, direction) = if listing.backwards { ("<", "desc") } else { (">", "asc") };
    let order = match listing.order {
        Some(number) => format!("d.i{number} {direction}, d.key {direction}"),
        None => format!("d.key {direction}"),
    };
    let after = listing.after.as_ref().map(|(value, key)| (Bound(value), &**key));
    let mut found = Vec::new();
    for stretch in stretches(listing, after.as_ref(), way) {
        let rest = limit(listing.limit - found.len());
        if rest == 0 {
            break;
        }
        let sql = format!(
            "{OURS} select {} from factum_documents d where {}{equal} order by {order} limit ?",
            documents.columns, stretch.condition
        );
        let values = stretch.values.into_iter().chain(bound.iter().map(|value| value as &dyn ToSql));
        let values = values.chain([&rest as &dyn ToSql]);
        let mut select = conn.ours(&sql)?;
        let mut rows = select.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            found.push(documents.document_in(row)?);
        }
    }
    Ok(found)
}

fn stretches<'a>(listing: &Listing, after: Option<&'a (Bound<'a>, &'a str)>, way: &str) -> Vec<Stretch<'a>> {
    let stretch = |condition: String, values: Vec<&'a dyn ToSql>| Stretch { condition, values };
    match (listing.order, after) {
        (_, None) => vec![stretch("true".to_owned(), Vec::new())],
        (None, Some((_, key))) => vec![stretch(format!("d.key {way} ?"), vec![key as &dyn ToSql])],
        (Some(number), Some((Bound(Value::Null), key))) => {
            let nulls = stretch(format!("d.i{number} is null and d.key {way} ?"), vec![key as &dyn ToSql]);
            if listing.backwards {
                vec![nulls]
            } else {
                vec![nulls, stretch(format!("d.i{number} is not null"), Vec::new())]
            }
        }
        (Some(number), Some((value, key))) => {
            let values = vec![value as &dyn ToSql, key as &dyn ToSql];
            let others = stretch(format!("(d.i{number}, d.key) {way} (?, ?)"), values);
            if listing.backwards {
                vec![others, stretch(format!("d.i{number} is null"), Vec::new())]
            } else {
                vec![others]
            }
        }
    }
}
