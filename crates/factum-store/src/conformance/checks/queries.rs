//! What a query matches: types and tags, streams and categories, items joined by OR.

use crate::{
    ReadOptions,
    conformance::{
        Failure,
        Promise::L10,
        case::Case,
        draft::{fact, item, of_category, of_stream, tag, tagged, typed},
        log::Log,
    },
};
use factum_event::{Query, QueryItem, StreamName};

checks! {
    a_query_selects_by_type_and_tags: [L10] needs [];
    items_of_a_query_are_joined_by_or: [L10] needs [];
    a_query_selects_by_stream_and_category: [L10] needs [];
    names_that_look_alike_are_told_apart: [L10] needs [];
    many_names_are_told_apart: [L10] needs [];
}

/// 1 placed a b, 2 paid a, 3 placed b, 4 paid b c, 5 placed (no tag), 6 shipped a b c.
fn orders(case: &Case<'_>) -> Result<Log, Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-1", "placed", &["a", "b"]), fact("order-1", "paid", &["a"])]))?;
    log.put(case.commit([fact("order-2", "placed", &["b"])]))?;
    log.put(case.commit([]))?;
    log.put(case.commit([fact("cart-2", "paid", &["b", "c"]), fact("order", "placed", &[])]))?;
    log.put(case.commit([fact("order-1-9", "shipped", &["a", "b", "c"])]))?;
    Ok(log)
}

fn selects(log: &Log, query: Query, expected: &[u64]) -> Result<(), Failure> {
    L10.same(format!("read {query:?}"), expected.to_vec(), log.positions(&query)?)?;
    let backwards = log.select_within(&query, ReadOptions { backwards: true, ..ReadOptions::default() })?;
    let came: Vec<_> = backwards.iter().map(|event| event.position.get()).collect();
    let reversed: Vec<_> = expected.iter().rev().copied().collect();
    L10.same(format!("read {query:?} backwards"), reversed, came)
}

fn a_query_selects_by_type_and_tags(case: &Case<'_>) -> Result<(), Failure> {
    let log = orders(case)?;
    selects(&log, Query::All, &[1, 2, 3, 4, 5, 6])?;
    selects(&log, typed(&["placed"]), &[1, 3, 5])?;
    selects(&log, typed(&["placed", "shipped"]), &[1, 3, 5, 6])?;
    selects(&log, typed(&["placed", "placed"]), &[1, 3, 5])?;
    selects(&log, typed(&["unheard", "paid"]), &[2, 4])?;
    selects(&log, typed(&["unheard"]), &[])?;
    selects(&log, tagged(&["a"]), &[1, 2, 6])?;
    selects(&log, tagged(&["a", "b"]), &[1, 6])?;
    selects(&log, tagged(&["b", "a"]), &[1, 6])?;
    selects(&log, tagged(&["a", "a"]), &[1, 2, 6])?;
    selects(&log, tagged(&["c", "b", "a"]), &[6])?;
    selects(&log, tagged(&["a", "unheard"]), &[])?;
    selects(&log, item(&["placed"], &["b"]).into(), &[1, 3])?;
    selects(&log, item(&["placed", "paid"], &["b"]).into(), &[1, 3, 4])?;
    selects(&log, item(&["paid"], &["a", "b"]).into(), &[])
}

fn items_of_a_query_are_joined_by_or(case: &Case<'_>) -> Result<(), Failure> {
    let log = orders(case)?;
    selects(&log, Query::Items(vec![item(&["shipped"], &[]), item(&[], &["a"])]), &[1, 2, 6])?;
    selects(&log, Query::Items(vec![item(&["paid"], &["c"]), item(&["placed"], &["a"])]), &[1, 4])?;
    selects(&log, Query::Items(vec![item(&["paid"], &["b"]), item(&["unheard"], &["b"])]), &[4])?;
    selects(&log, Query::Items(Vec::new()), &[])?;
    selects(&log, QueryItem::default().into(), &[1, 2, 3, 4, 5, 6])?;
    selects(&log, Query::Items(vec![item(&["paid"], &["c"]), item(&[], &[])]), &[1, 2, 3, 4, 5, 6])?;
    let streams = Query::Items(vec![
        QueryItem::default().stream(StreamName::unchecked("order-2")),
        item(&["shipped"], &[]),
        item(&[], &["c"]),
    ]);
    selects(&log, streams, &[3, 4, 6])
}

fn a_query_selects_by_stream_and_category(case: &Case<'_>) -> Result<(), Failure> {
    let log = orders(case)?;
    selects(&log, of_stream("order-1"), &[1, 2])?;
    selects(&log, of_stream("order"), &[5])?;
    selects(&log, of_stream("order-3"), &[])?;
    selects(&log, of_category("order"), &[1, 2, 3, 5, 6])?;
    selects(&log, of_category("cart"), &[4])?;
    selects(&log, of_category("order-1"), &[])?;
    let home = |item: QueryItem| item.stream(StreamName::unchecked("order-1"));
    selects(&log, home(item(&["paid"], &[])).into(), &[2])?;
    selects(&log, home(item(&[], &["b"])).into(), &[1])?;
    selects(&log, home(item(&["paid"], &["b"])).into(), &[])?;
    let category = item(&["placed", "shipped"], &["b"]).category(factum_event::Category::unchecked("order"));
    selects(&log, category.into(), &[1, 3, 6])
}

fn names_that_look_alike_are_told_apart(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let long = "x".repeat(500);
    let (first, second) = (format!("{long}1"), format!("{long}2"));
    let names = ["a", "A", "a ", "aa", "ab", "a:b", "\u{e4}", "a\u{308}", "1", "01", &first, &second];
    for name in names {
        log.put(case.commit([fact("plain", "noted", &[name])]))?;
        log.put(case.commit([fact(name, "noted", &[])]))?;
        let kind = &name[name.len().saturating_sub(200)..];
        log.put(case.commit([fact("plain", &format!("{kind}!"), &[])]))?;
    }
    for (nth, name) in (0..).zip(names) {
        let kind = &name[name.len().saturating_sub(200)..];
        selects(&log, tagged(&[name]), &[3 * nth + 1])?;
        selects(&log, of_stream(name), &[3 * nth + 2])?;
        selects(&log, typed(&[&format!("{kind}!")]), &[3 * nth + 3])?;
    }
    selects(&log, typed(&["a"]), &[])?;
    selects(&log, of_category("a"), &[2])
}

fn many_names_are_told_apart(case: &Case<'_>) -> Result<(), Failure> {
    const NAMES: u64 = 400;
    let log = case.open();
    let facts = (0..NAMES).map(|nth| {
        let event = fact(&format!("home-{nth}"), &format!("type.{nth}"), &[&format!("key:{nth}")]);
        event.tag(tag(&format!("group:{}", nth % 7)))
    });
    log.put(case.commit_all(facts.collect()))?;
    for nth in (0..NAMES).step_by(9) {
        let (key, kind, group) = (format!("key:{nth}"), format!("type.{nth}"), format!("group:{}", nth % 7));
        let only = &[nth + 1];
        selects(&log, tagged(&[&key]), only)?;
        selects(&log, tagged(&[&group, &key]), only)?;
        selects(&log, typed(&[&kind]), only)?;
        selects(&log, of_stream(&format!("home-{nth}")), only)?;
        selects(&log, tagged(&[&key, &format!("group:{}", (nth + 1) % 7)]), &[])?;
    }
    let third: Vec<_> = (0..NAMES).filter(|nth| nth % 7 == 3).map(|nth| nth + 1).collect();
    selects(&log, tagged(&["group:3"]), &third)
}
