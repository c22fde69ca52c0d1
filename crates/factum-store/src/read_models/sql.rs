//! What a projection sees of a SQL database: statements with `$1`, `$2` for values, in a transaction of ours.

use super::BuildTx;
use crate::StoreError;
use factum_event::Value;
use std::{fmt, marker::PhantomData, sync::Arc};

/// A SQL database that read models live in. It stands for the database; no value of it is needed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database for read models",
    label = "not a database",
    note = "name one, `impl SqlProjection<Sqlite> for ..`, or none: `impl<Db: Sql> SqlProjection<Db> for ..`"
)]
pub trait Sql: fmt::Debug + Send + Sync + 'static {
    /// What it is called.
    const NAME: &'static str;
}

/// A transaction on the tables of a projection. Whether it is kept is decided with the page it is for.
pub struct Tx<'a, Db> {
    tx: &'a mut dyn BuildTx,
    database: PhantomData<fn() -> Db>,
}

impl<Db> fmt::Debug for Tx<'_, Db> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

impl<'a, Db: Sql> Tx<'a, Db> {
    /// Over a transaction that is under way.
    #[doc(hidden)]
    pub fn new(tx: &'a mut dyn BuildTx) -> Self {
        Self { tx, database: PhantomData }
    }

    /// Carries out one statement and tells how many rows it changed.
    ///
    /// # Errors
    /// When the statement is wrong or breaks a constraint (kind `FixInput`), or the database cannot do it.
    pub async fn execute(&mut self, sql: &str, values: impl Into<Vec<Value>>) -> Result<u64, StoreError> {
        self.tx.execute(sql, values.into()).await
    }

    /// The rows of a query, with what this transaction changed so far.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn query(&mut self, sql: &str, values: impl Into<Vec<Value>>) -> Result<Vec<Row>, StoreError> {
        self.tx.rows(sql, values.into()).await
    }
}

/// A row of an answer: a value for each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    /// A row of these columns. `columns` are shared by the rows of one answer.
    pub fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values, in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of a column; none if there is no such column.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.values.get(self.columns.iter().position(|name| name == column)?)
    }

    /// The text of a column.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn text(&self, column: &str) -> Result<&str, StoreError> {
        self.read(column, "a text", Value::as_text)
    }

    /// The text of a column that may be null.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn text_or_null(&self, column: &str) -> Result<Option<&str>, StoreError> {
        match self.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// The whole number of a column.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn integer(&self, column: &str) -> Result<i64, StoreError> {
        self.read(column, "a whole number", Value::as_integer)
    }

    fn read<'a, T>(
        &'a self,
        column: &str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, StoreError> {
        let value = self.get(column);
        value.and_then(read).ok_or_else(|| {
            let found = value.map_or_else(
                || format!("there is none; there are {}", self.columns.join(", ")),
                |value| format!("it is {value:?}"),
            );
            let what = format!("read the column `{column}` as {what}: {found}");
            StoreError::new(crate::ErrorKind::FixInput, what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum_event::values;

    #[test]
    fn a_column_is_read_as_what_it_holds_or_refused_by_name() {
        let columns = ["course".to_owned(), "seats".to_owned()].into();
        let row = Row::new(columns, values!["c1", 3]);
        assert_eq!((row.text("course"), row.integer("seats")), (Ok("c1"), Ok(3)));
        assert_eq!(row.text_or_null("course"), Ok(Some("c1")));
        for (told, column) in
            [(row.text("seats"), "Integer(3)"), (row.text("seat"), "there is none; there are course, seats")]
        {
            let told = told.unwrap_err();
            assert_eq!(told.kind(), crate::ErrorKind::FixInput);
            assert!(told.to_string().contains(column), "{told}");
        }
    }
}
