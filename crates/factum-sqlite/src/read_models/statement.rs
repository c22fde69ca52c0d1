//! Statements of projections and queries: one at a time, with `$1`, `$2` for values. SQLite's own reader of
//! statements tells which parameters there are, so that a `$1` in a text or a comment is none.

use super::{
    authority::Who,
    connection::{Conn, OURS},
    failure::About,
};
use factum_event::Value;
use factum_store::{StoreError, read_models::ROWS_MAX, read_models::Row};
use rusqlite::{
    CachedStatement, Error, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use std::sync::Arc;

/// A value on its way to SQLite.
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, Error> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) if number.is_nan() => {
                let cause = "it is not a number (NaN), which SQLite does not keep";
                return Err(Error::ToSqlConversionFailure(cause.into()));
            }
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A value as SQLite gives it.
pub(super) fn given(value: ValueRef<'_>) -> Result<Value, std::str::Utf8Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

/// Carries out a statement and tells how many rows it changed.
pub(super) fn execute(conn: &Conn, about: About<'_>, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
    let _borrowed = conn.works_for(Who::Writer);
    let mut statement = prepare(conn, about, sql, values)?;
    if statement.column_count() > 0 {
        return Err(about.wrong(sql, "it answers with rows: it is a query"));
    }
    // Statements that make tables leave the count of the one before.
    let before = conn.total_changes();
    let changed = statement.raw_execute().map_err(|cause| {
        if statement.expanded_sql().is_none() {
            return about.wrong(sql, "there is no statement");
        }
        about.refused(sql, &cause)
    })?;
    Ok(if conn.total_changes() == before { 0 } else { u64::try_from(changed).unwrap_or(u64::MAX) })
}

/// The rows of a query.
pub(super) fn rows(
    conn: &Conn,
    who: Who,
    about: About<'_>,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let _borrowed = conn.works_for(who);
    let mut statement = prepare(conn, about, sql, values)?;
    if statement.column_count() == 0 {
        return Err(about.wrong(sql, "it answers with no rows: it is no query"));
    }
    let mut answer = Vec::new();
    let mut columns: Option<Arc<[String]>> = None;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|cause| about.refused(sql, &cause))? {
        if answer.len() == ROWS_MAX {
            let cause = format!("there are more than {ROWS_MAX} rows: ask for fewer, with `limit`");
            return Err(about.wrong(sql, &cause));
        }
        // Not before: when the tables were changed since, SQLite reads the statement again with the first row.
        let columns = columns.get_or_insert_with(|| row.as_ref().column_names().map(str::to_owned).collect());
        let mut values = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(|cause| about.refused(sql, &cause))?;
            let value = given(value)
                .map_err(|cause| about.wrong(sql, &format!("column `{column}` is no text: {cause}")))?;
            values.push(value);
        }
        answer.push(Row::new(Arc::clone(columns), values));
    }
    Ok(answer)
}

/// The statement with its values.
fn prepare<'a>(
    conn: &'a Conn,
    about: About<'_>,
    sql: &str,
    values: &[Value],
) -> Result<CachedStatement<'a>, StoreError> {
    if sql.trim_start().starts_with(OURS) {
        return Err(about.wrong(sql, "what begins with this comment is Factum's"));
    }
    let mut statement = conn.prepare_cached(sql).map_err(|cause| about.refused(sql, &cause))?;
    let mut highest = 0;
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(number);
        let Some(number) = number else {
            let name = statement.parameter_name(index).unwrap_or("?");
            return Err(about.wrong(sql, &format!("`{name}` is no parameter: write `$1`, `$2`")));
        };
        highest = highest.max(number);
        if let Some(value) = values.get(number - 1) {
            statement
                .raw_bind_parameter(index, Bound(value))
                .map_err(|cause| about.wrong(sql, &format!("value ${number}: {cause}")))?;
        }
    }
    if highest != values.len() {
        let cause = format!("it has parameters up to ${highest}, and there are {} values", values.len());
        return Err(about.wrong(sql, &cause));
    }
    Ok(statement)
}

/// The number of a parameter, from 1.
fn number(name: &str) -> Option<usize> {
    let digits = name.strip_prefix('$')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
        return None;
    }
    digits.parse().ok()
}
