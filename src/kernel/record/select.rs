//! From a list query to SQL, and from its rows to a page of JSON.
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::cursor::{Cursor, Position};
use super::field::{Collection, Field, Kind, Record};
use super::filter::{Filter, Test};
use super::page::{COUNT_LIMIT, PageInfo};
use super::query::{ListQuery, SortKey};
use super::render;
use super::view::View;
use crate::kernel::db::{Dialect, Param, Query, Row, Source};
use crate::kernel::error::{Error, Result};

/// Page numbers up to this offset are read without knowing the total first.
const NEAR: i64 = 1_000;

/// Narrows a list to what belongs to one record, or a single read to what may be seen.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// SQL condition over the table `t`; `{account}` and `{id}` stand for the caller's account and
    /// for [`Scope::id`].
    pub condition: &'static str,
    /// The id that `{id}` stands for.
    pub id: i64,
}

/// The records of the caller's account.
pub const OWN: &str = "t.account_id = {account}";

/// One record of the caller's account.
pub const OWN_RECORD: &str = "t.id = {id} AND t.account_id = {account}";

impl Scope {
    /// The record of this number, if it is the caller's account's.
    pub const fn own(id: i64) -> Self {
        Self { condition: OWN_RECORD, id }
    }
}

/// SQL under construction, in the placeholders of its dialect.
pub struct Sql {
    text: String,
    params: Vec<Param>,
    dialect: Dialect,
}

impl Sql {
    /// Empty SQL.
    pub fn new(dialect: Dialect) -> Self {
        Self { text: String::with_capacity(1024), params: Vec::new(), dialect }
    }

    /// Appends SQL as it is.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder for a value.
    pub fn bind(&mut self, value: impl Into<Param>) -> &mut Self {
        self.params.push(value.into());
        self.text.push(match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        });
        // Writing into a String cannot fail.
        let _ = write!(self.text, "{}", self.params.len());
        self
    }

    /// Appends a table `v` of rows that are handed over as one value, so that the statement reads the
    /// same for any number of them and is prepared once. `columns` as PostgreSQL declares them,
    /// `id bigint`; each row serializes to a JSON object of these names, without NUL characters.
    ///
    /// # Errors
    /// 500 when a row is none.
    pub fn rows(&mut self, columns: &[&str], rows: &[impl Serialize]) -> Result<&mut Self> {
        let json = serde_json::to_string(rows).map_err(Error::internal)?;
        Ok(self.written_rows(columns, &json))
    }

    /// The same of rows that are a JSON array of such objects already: for several statements, which may each
    /// declare the columns that they need.
    pub fn written_rows(&mut self, columns: &[&str], json: &str) -> &mut Self {
        match self.dialect {
            Dialect::Postgres => {
                self.push("json_to_recordset(CAST(").bind(json).push(" AS text)::json) AS v (");
                self.push(&columns.join(", ")).push(")");
            }
            Dialect::Sqlite => {
                let read = |column: &&str| {
                    let name = column.split(' ').next().unwrap_or_default();
                    format!("value ->> '{name}' AS {name}")
                };
                let list = columns.iter().map(read).collect::<Vec<_>>().join(", ");
                self.push("(SELECT ").push(&list).push(" FROM json_each(");
                self.bind(json).push(")) AS v");
            }
        }
        self
    }

    /// Appends SQL that only PostgreSQL needs: locks, which SQLite's one writer has anyway.
    pub fn postgres(&mut self, text: &str) -> &mut Self {
        if self.dialect == Dialect::Postgres { self.push(text) } else { self }
    }

    /// Appends SQL in which `{account}` and `{id}` stand for values and `{json_agg}` and `{json_row}`
    /// for the dialect's functions.
    pub fn template(&mut self, text: &str, account: &str, id: i64) -> &mut Self {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            self.text.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let is_sqlite = self.dialect == Dialect::Sqlite;
            match name {
                "account" => self.bind(account),
                "id" => self.bind(id),
                "json_agg" if is_sqlite => self.push("json_group_array"),
                "json_agg" => self.push("json_agg"),
                "json_row" if is_sqlite => self.push("json_array"),
                "json_row" => self.push("json_build_array"),
                other => self.push(other),
            };
            rest = after;
        }
        self.text.push_str(rest);
        self
    }

    /// The finished query.
    pub fn query(self, scans: bool) -> Query {
        Query { sql: self.text, params: self.params, scans }
    }
}

/// Reads one record as JSON with all its fields; `None` when there is none in the scope.
///
/// # Errors
/// The database's.
pub async fn one(
    source: Source<'_>,
    record: &'static Record,
    scope: Scope,
    view: &View,
) -> Result<Option<Vec<u8>>> {
    let shape = Shape {
        record,
        fields: record.fields.iter().filter(|field| field.is_readable()).collect(),
        keys: Vec::new(),
        // That of an own record is known.
        shows_account: scope.condition != OWN_RECORD,
        shows_disabled: false,
    };
    let mut sql = Sql::new(source.dialect());
    shape.select(&mut sql, view);
    sql.push(" WHERE ").template(scope.condition, &view.account, scope.id);
    let reader = RowReader { shape, view: view.clone() };
    source
        .fetch(sql.query(false), None, move |found: &mut Option<Vec<u8>>, row| {
            let mut out = Vec::with_capacity(1024);
            reader.write(&mut out, row);
            *found = Some(out);
        })
        .await
}

/// Whether a record exists within the scope.
///
/// # Errors
/// The database's.
pub async fn exists(
    source: Source<'_>,
    record: &Record,
    scope: Scope,
    account: &str,
) -> Result<bool> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT t.id FROM ").push(record.table).push(" t WHERE ");
    sql.template(scope.condition, account, scope.id);
    source.fetch(sql.query(false), false, |exists, _| *exists = true).await
}

/// Reads a page as a JSON array.
///
/// # Errors
/// The database's.
pub async fn page(
    source: Source<'_>,
    collection: &'static Collection,
    query: &ListQuery,
    scope: Option<Scope>,
    view: &View,
) -> Result<(Vec<u8>, PageInfo)> {
    let list = List { source, collection, query, scope, view };
    match &query.position {
        Position::First if list.is_plain() => {
            let slice = Slice { backwards: false, cursor: None, skip: 0, take: list.per_page() };
            let (total, rows) = tokio::try_join!(list.total(), list.rows(slice))?;
            Ok(rows.finish(false, 0, Some(total)))
        }
        Position::First => {
            let slice = Slice { backwards: false, cursor: None, skip: 0, take: list.per_page() };
            let rows = list.rows(slice).await?;
            let total = if rows.extra { list.total().await? } else { rows.len() };
            Ok(rows.finish(false, 0, Some(total)))
        }
        Position::Page(page) => list.numbered(*page).await,
        Position::After(cursor) => {
            let take = list.per_page();
            let slice = Slice { backwards: false, cursor: Some(cursor), skip: 0, take };
            let (total, rows) = tokio::try_join!(list.total(), list.rows(slice))?;
            let (body, mut info) = rows.finish(false, cursor.offset + 1, Some(total));
            info.has_previous = true;
            Ok((body, info))
        }
        Position::Before(cursor) => {
            let take = list.per_page();
            let slice = Slice { backwards: true, cursor: Some(cursor), skip: 0, take };
            let (total, rows) = tokio::try_join!(list.total(), list.rows(slice))?;
            let has_previous = rows.extra;
            let start = if has_previous { (cursor.offset - rows.len()).max(1) } else { 0 };
            let (body, mut info) = rows.finish(true, start, Some(total));
            (info.has_previous, info.has_more) = (has_previous, true);
            Ok((body, info))
        }
    }
}

/// A list request with what it runs on.
struct List<'a> {
    source: Source<'a>,
    collection: &'static Collection,
    query: &'a ListQuery,
    scope: Option<Scope>,
    view: &'a View,
}

/// Which rows of the order to read.
struct Slice<'a> {
    backwards: bool,
    cursor: Option<&'a Cursor>,
    skip: i64,
    take: i64,
}

impl List<'_> {
    fn per_page(&self) -> i64 {
        i64::from(self.query.per_page)
    }

    /// The whole collection of the account, whose size a counter keeps.
    fn is_plain(&self) -> bool {
        self.collection.counted
            && self.scope.is_none()
            && self.query.predefined.is_empty()
            && self.query.filters.is_empty()
    }

    /// A page by its number, read from the nearer end of the list.
    async fn numbered(&self, page: i64) -> Result<(Vec<u8>, PageInfo)> {
        let take = self.per_page();
        let skip = (page - 1).saturating_mul(take);
        let forwards = Slice { backwards: false, cursor: None, skip, take };
        if skip <= NEAR {
            let (total, rows) = tokio::try_join!(self.total(), self.rows(forwards))?;
            return Ok(rows.finish(false, skip, Some(total)));
        }
        let total = self.total().await?;
        let counted_out = total < COUNT_LIMIT || self.is_plain();
        if counted_out && skip >= total {
            let rows = Rows::default();
            return Ok(rows.finish(false, skip, Some(total)));
        }
        if counted_out && skip > total / 2 {
            let take = take.min(total - skip);
            let slice = Slice { backwards: true, cursor: None, skip: total - skip - take, take };
            let rows = self.rows(slice).await?;
            return Ok(rows.finish(true, skip, Some(total)));
        }
        let rows = self.rows(forwards).await?;
        Ok(rows.finish(false, skip, Some(total)))
    }

    /// Number of items in the list, exact for a plain list, at most [`COUNT_LIMIT`] otherwise.
    async fn total(&self) -> Result<i64> {
        let mut sql = Sql::new(self.source.dialect());
        let plain = self.is_plain();
        if plain {
            sql.push("SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM collection_counts WHERE account_id = ")
                .bind(&*self.view.account)
                .push(" AND collection = ")
                .bind(self.collection.record.table);
        } else {
            sql.push("SELECT COUNT(*) FROM (SELECT 1 FROM ")
                .push(self.collection.record.table)
                .push(" t WHERE ");
            self.conditions(&mut sql);
            sql.push(&format!(" LIMIT {COUNT_LIMIT}) counted"));
        }
        let count = |total: &mut i64, row: &dyn Row| *total = row.int(0).unwrap_or_default();
        self.source.fetch(sql.query(!plain), 0, count).await
    }

    async fn rows(&self, slice: Slice<'_>) -> Result<Rows> {
        let Self { source, collection, query, view, .. } = *self;
        let shape = Shape {
            record: collection.record,
            fields: query.fields.clone(),
            keys: query
                .sort
                .iter()
                .map(|key| key.field)
                .filter(|field| field.name != "id")
                .collect(),
            // What belongs to one record may belong to somebody else who lets the caller see it.
            shows_account: collection.foreign
                && (self.scope.is_some()
                    || query.predefined.iter().any(|predefined| predefined.foreign)),
            shows_disabled: collection.record.field("disabled").is_some()
                && !query.fields.iter().any(|field| field.name == "disabled"),
        };
        let mut sql = Sql::new(source.dialect());
        shape.select(&mut sql, view);
        sql.push(" WHERE ");
        self.conditions(&mut sql);
        if let Some(cursor) = slice.cursor {
            sql.push(" AND ");
            beyond(&mut sql, &query.sort, &cursor.keys, slice.backwards);
        }
        order_by(&mut sql, &query.sort, slice.backwards);
        // One more than the page tells whether there is a next one. As a literal: for a limit that it
        // does not know PostgreSQL makes a new plan each time, which takes longer than the query.
        sql.push(&format!(" LIMIT {}", slice.take + 1));
        if slice.skip > 0 {
            sql.push(" OFFSET ").bind(slice.skip);
        }
        let scans = !query.filters.is_empty() || !query.predefined.is_empty() || slice.skip > NEAR;
        let reader = RowReader { shape, view: view.clone() };
        let take = usize::try_from(slice.take).unwrap_or(usize::MAX);
        let rows = Rows { out: Vec::with_capacity(8 * 1024), ..Rows::default() };
        source
            .fetch(sql.query(scans), rows, move |rows: &mut Rows, row| rows.add(&reader, row, take))
            .await
    }

    fn conditions(&self, sql: &mut Sql) {
        let account = &*self.view.account;
        match self.scope {
            Some(scope) => sql.template(scope.condition, account, scope.id),
            // A named subset says itself whose records it has.
            None if self.query.predefined.is_empty() => sql.template(OWN, account, 0),
            None => sql.push("TRUE"),
        };
        for predefined in &self.query.predefined {
            sql.push(" AND ").template(predefined.condition, account, 0);
        }
        for filter in &self.query.filters {
            sql.push(" AND ");
            condition(sql, filter);
        }
    }
}

/// What a row is made of: `id, account_id, sort keys, [disabled], [account name], fields`.
struct Shape {
    record: &'static Record,
    fields: Vec<&'static Field>,
    keys: Vec<&'static Field>,
    shows_account: bool,
    shows_disabled: bool,
}

impl Shape {
    fn select(&self, sql: &mut Sql, view: &View) {
        sql.push("SELECT t.id, t.account_id");
        for key in &self.keys {
            sql.push(", t.").push(key.column);
        }
        if self.shows_disabled {
            sql.push(", t.disabled");
        }
        if self.shows_account {
            // Looked up for another account's record only: most are the caller's own.
            sql.template(
                ", CASE WHEN t.account_id <> {account} THEN \
                 (SELECT name FROM accounts WHERE id = t.account_id) END",
                &view.account,
                0,
            );
        }
        let mut joins: Vec<&'static str> = Vec::new();
        for field in &self.fields {
            let (columns, needed) = match (field.kind, &field.read) {
                (Kind::NodeId | Kind::Attachments, _) => continue,
                (Kind::Reference(reference), _) => {
                    (reference.output.columns, reference.output.joins)
                }
                (Kind::Derived(derived), _) => (derived.columns, derived.joins),
                (_, Some(elsewhere)) => (std::slice::from_ref(&elsewhere.value), elsewhere.joins),
                (_, None) => {
                    sql.push(", t.").push(field.column);
                    continue;
                }
            };
            for column in columns {
                sql.push(", ").template(column, &view.account, 0);
            }
            for join in needed {
                if !joins.contains(join) {
                    joins.push(join);
                }
            }
        }
        sql.push(" FROM ").push(self.record.table).push(" t");
        for join in joins {
            sql.push(" ").push(join);
        }
    }
}

/// Writes rows of one shape as JSON objects.
struct RowReader {
    shape: Shape,
    view: View,
}

impl RowReader {
    fn write(&self, out: &mut Vec<u8>, row: &dyn Row) {
        let Self { shape, view } = self;
        let mut at = 2 + shape.keys.len();
        let disabled = shape.shows_disabled && {
            at += 1;
            row.bool(at - 1) == Some(true)
        };
        let owner = shape.shows_account.then(|| {
            at += 1;
            row.text(at - 1)
        });
        out.push(b'{');
        for (index, field) in shape.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            render::write_field(out, shape.record, field, row, at, view);
            at += render::width(field);
        }
        if disabled {
            out.extend_from_slice(b",\"disabled\":true");
        }
        if let Some(name) = owner
            && let Some(account) = row.text(1)
            && view.is_foreign(&account)
        {
            render::write_account(out, &account, name.as_deref().unwrap_or_default());
        }
        out.push(b'}');
    }

    /// Values of the sort keys, the id last.
    fn keys(&self, row: &dyn Row, keys: &mut Vec<Value>) {
        keys.clear();
        for (index, field) in self.shape.keys.iter().enumerate() {
            let at = 2 + index;
            keys.push(match field.kind {
                Kind::Text { .. } | Kind::LongText { .. } | Kind::Choice(_) => {
                    row.text(at).map_or(Value::Null, |text| text.into_owned().into())
                }
                Kind::Boolean => row.bool(at).into(),
                _ => row.int(at).into(),
            });
        }
        keys.push(row.int(0).into());
    }
}

/// Rows read so far, as JSON.
#[derive(Default)]
struct Rows {
    out: Vec<u8>,
    /// Where each item ends in `out`.
    ends: Vec<usize>,
    first: Vec<Value>,
    last: Vec<Value>,
    /// Whether a further row follows.
    extra: bool,
}

impl Rows {
    fn add(&mut self, reader: &RowReader, row: &dyn Row, take: usize) {
        if self.ends.len() == take {
            self.extra = true;
            return;
        }
        reader.write(&mut self.out, row);
        if self.ends.is_empty() {
            reader.keys(row, &mut self.first);
        }
        reader.keys(row, &mut self.last);
        self.ends.push(self.out.len());
    }

    fn len(&self) -> i64 {
        i64::try_from(self.ends.len()).unwrap_or(i64::MAX)
    }

    /// The page as a JSON array and what is known of it; turned round when it was read backwards.
    fn finish(self, backwards: bool, start: i64, total: Option<i64>) -> (Vec<u8>, PageInfo) {
        let mut body = Vec::with_capacity(self.out.len() + self.ends.len() + 2);
        body.push(b'[');
        let mut items = Vec::with_capacity(self.ends.len());
        let mut from = 0;
        for end in &self.ends {
            items.push(&self.out[from..*end]);
            from = *end;
        }
        if backwards {
            items.reverse();
        }
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(item);
        }
        body.push(b']');
        let len = self.len();
        let (first, last) =
            if backwards { (self.last, self.first) } else { (self.first, self.last) };
        let info = PageInfo {
            start,
            len,
            total: total.unwrap_or(len),
            has_more: self.extra,
            has_previous: start > 0,
            ends: (len > 0).then_some((first, last)),
        };
        (body, info)
    }
}

/// Appends the condition of a filter.
fn condition(sql: &mut Sql, filter: &Filter) {
    let field = filter.field;
    let column = if field.ignore_case {
        format!("LOWER(t.{})", field.column)
    } else {
        format!("t.{}", field.column)
    };
    match &filter.test {
        Test::Empty => {
            sql.push(&column).push(" IS NULL");
        }
        Test::Present => {
            sql.push(&column).push(" IS NOT NULL");
        }
        Test::Among { not, values } => {
            // A record without a value is not equal to any value.
            if *not && field.nullable {
                sql.push("(").push(&column).push(" IS NULL OR ");
            }
            sql.push(&column).push(if *not { " NOT IN (" } else { " IN (" });
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    sql.push(", ");
                }
                sql.bind(value.clone());
            }
            sql.push(")");
            if *not && field.nullable {
                sql.push(")");
            }
        }
        Test::Range { low, high } => {
            let bounds = [(low, ">"), (high, "<")];
            let mut first = true;
            for (bound, operator) in bounds {
                let Some((value, included)) = bound else { continue };
                if !first {
                    sql.push(" AND ");
                }
                first = false;
                sql.push(&column).push(" ").push(operator);
                sql.push(if *included { "= " } else { " " }).bind(value.clone());
            }
        }
    }
}

/// Appends the order; nulls come first when ascending and last when descending (contract 1.10).
fn order_by(sql: &mut Sql, sort: &[SortKey], backwards: bool) {
    for (index, key) in sort.iter().enumerate() {
        sql.push(if index == 0 { " ORDER BY t." } else { ", t." }).push(key.field.column);
        let descending = key.descending != backwards;
        if descending {
            sql.push(" DESC");
        }
        // SQLite does so by itself.
        if key.field.nullable && sql.dialect == Dialect::Postgres {
            sql.push(if descending { " NULLS LAST" } else { " NULLS FIRST" });
        }
    }
}

/// Appends the condition "beyond this cursor".
fn beyond(sql: &mut Sql, sort: &[SortKey], keys: &[Value], backwards: bool) {
    let descending = |key: &SortKey| key.descending != backwards;
    let uniform =
        sort.iter().all(|key| !key.field.nullable && descending(key) == descending(&sort[0]));
    if uniform {
        // A row comparison, which an index answers.
        sql.push("(");
        for (index, key) in sort.iter().enumerate() {
            sql.push(if index > 0 { ", t." } else { "t." }).push(key.field.column);
        }
        sql.push(if descending(&sort[0]) { ") < (" } else { ") > (" });
        for (index, value) in keys.iter().enumerate() {
            if index > 0 {
                sql.push(", ");
            }
            bind_key(sql, value);
        }
        sql.push(")");
        return;
    }
    // Bounds the first key, so that an index narrows the range; the alternatives do the rest.
    if !sort[0].field.nullable {
        sql.push("t.").push(sort[0].field.column);
        sql.push(if descending(&sort[0]) { " <= " } else { " >= " });
        bind_key(sql, &keys[0]);
        sql.push(" AND ");
    }
    sql.push("(");
    for last in 0..sort.len() {
        sql.push(if last > 0 { " OR (" } else { "(" });
        for (key, value) in sort.iter().zip(keys).take(last) {
            sql.push("t.").push(key.field.column);
            if value.is_null() {
                sql.push(" IS NULL");
            } else {
                sql.push(" = ");
                bind_key(sql, value);
            }
            sql.push(" AND ");
        }
        let (key, value) = (&sort[last], &keys[last]);
        let column = key.field.column;
        match (descending(key), value.is_null()) {
            // Nulls come first when ascending: everything else is beyond them …
            (false, true) => sql.push("t.").push(column).push(" IS NOT NULL"),
            // … and nothing is beyond them when descending.
            (true, true) => sql.push("1 = 0"),
            (false, false) => {
                sql.push("t.").push(column).push(" > ");
                bind_key(sql, value)
            }
            (true, false) => {
                sql.push("(t.").push(column).push(" < ");
                bind_key(sql, value);
                if key.field.nullable {
                    sql.push(" OR t.").push(column).push(" IS NULL");
                }
                sql.push(")")
            }
        };
        sql.push(")");
    }
    sql.push(")");
}

fn bind_key<'a>(sql: &'a mut Sql, value: &Value) -> &'a mut Sql {
    match value {
        Value::String(text) => sql.bind(text.as_str()),
        Value::Bool(flag) => sql.bind(Param::Bool(*flag)),
        other => sql.bind(other.as_i64().unwrap_or_default()),
    }
}
