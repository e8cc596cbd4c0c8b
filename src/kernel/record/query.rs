//! The query string of a list (contract 1.9 to 1.13): fields, sort, filters, page.
use percent_encoding::percent_decode_str;

use super::cursor::{Cursor, Position};
use super::field::{Collection, Field, Predefined};
use super::filter::{self, Filter};
use super::view::View;
use crate::kernel::error::{Error, Result};

/// Items on a page unless `per_page` says otherwise.
pub const DEFAULT_PER_PAGE: u32 = 20;
/// Most items on a page; more is cut down to this.
pub const MAX_PER_PAGE: u32 = 100;

/// What a list request asks for.
#[derive(Debug)]
pub struct ListQuery {
    /// Fields to show, in the order of the record's table.
    pub fields: Vec<&'static Field>,
    /// Order; ends with the id.
    pub sort: Vec<SortKey>,
    /// Conditions, all of which must hold.
    pub filters: Vec<Filter>,
    /// The named subsets, from the path and from `state`; all must hold.
    pub predefined: Vec<&'static Predefined>,
    /// Items on a page.
    pub per_page: u32,
    /// Which page.
    pub position: Position,
    /// The other parameters as they were sent, for the links to the neighbouring pages.
    kept: Vec<String>,
    /// What cursors of this very list are signed with.
    context: String,
}

/// One key of an order.
#[derive(Clone, Copy, Debug)]
pub struct SortKey {
    /// Ordered by this field.
    pub field: &'static Field,
    /// Greatest first.
    pub descending: bool,
}

impl ListQuery {
    /// Reads the query string of a list at `path`.
    ///
    /// # Errors
    /// 400 with the contract's message for the first thing that is wrong.
    pub fn parse(
        raw: Option<&str>,
        collection: &'static Collection,
        named: Option<&'static Predefined>,
        path: &str,
        view: &View,
    ) -> Result<Self> {
        let mut fields = None;
        let mut sort = None;
        let mut per_page = None;
        let mut page = None;
        let (mut after, mut before) = (None, None);
        let mut predefined: Vec<_> = named.into_iter().collect();
        let mut filters = Vec::new();
        let mut kept = Vec::new();
        for pair in raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (raw_key, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(raw_key)?, decode(raw_value)?);
            let mut keep = true;
            match key.as_str() {
                "fields" => fields = Some(value),
                "sort" => sort = Some(value),
                "per_page" => per_page = Some(value),
                "page" => (page, keep) = (Some(value), false),
                "search_after" => (after, keep) = (Some(value), false),
                "search_before" => (before, keep) = (Some(value), false),
                "state" => {
                    let subset = find_predefined(collection, &value)?;
                    if predefined.iter().all(|known| known.name != subset.name) {
                        predefined.push(subset);
                    }
                }
                // Links of the original service carry it beside the name in the path.
                "predefined_filter" => {}
                _ => filters.push((key, value, raw_value.contains(','))),
            }
            if keep {
                kept.push(pair.to_owned());
            }
        }
        let context = context(path, &predefined, &filters);
        let filters = filter::parse(collection.record, filters, view)?;
        let sort = parse_sort(collection, sort.as_deref())?;
        let per_page = match per_page {
            Some(text) => parse_count("per_page", &text)?.min(i64::from(MAX_PER_PAGE)) as u32,
            None => DEFAULT_PER_PAGE,
        };
        let context = ordered(context, &sort);
        let read_cursor = |text: String| {
            Cursor::open(&text, view, &context, sort.len())
                .ok_or_else(|| Error::BadRequest("Invalid cursor".to_owned()))
        };
        let position = match (page, after, before) {
            (None, None, None) => Position::First,
            (Some(page), None, None) => Position::Page(parse_count("page", &page)?),
            (None, Some(after), None) => Position::After(read_cursor(after)?),
            (None, None, Some(before)) => Position::Before(read_cursor(before)?),
            _ => {
                return Err(Error::BadRequest(
                    "Parameters 'page', 'search_after' and 'search_before' cannot be combined"
                        .to_owned(),
                ));
            }
        };
        let fields = parse_fields(collection, fields.as_deref())?;
        Ok(Self { fields, sort, filters, predefined, per_page, position, kept, context })
    }

    /// What cursors of this list are signed with.
    pub(super) fn context(&self) -> &str {
        &self.context
    }

    /// The parameters that links keep.
    pub(super) fn kept(&self) -> &[String] {
        &self.kept
    }
}

/// Decodes a part of a query string: `%XX`, and `+` for a blank.
fn decode(raw: &str) -> Result<String> {
    if !raw.contains(['%', '+']) {
        return Ok(raw.to_owned());
    }
    let text = percent_decode_str(&raw.replace('+', " "))
        .decode_utf8()
        .map_err(|_| Error::BadRequest("The query string is not valid UTF-8".to_owned()))?
        .into_owned();
    Ok(text)
}

fn find_predefined(collection: &Collection, name: &str) -> Result<&'static Predefined> {
    collection
        .predefined
        .iter()
        .find(|predefined| predefined.name == name)
        .ok_or_else(|| Error::BadRequest(format!("Unknown state: {name}")))
}

/// A number of at least 1.
fn parse_count(parameter: &str, text: &str) -> Result<i64> {
    let number: i64 = text.trim().parse().map_err(|_| {
        Error::BadRequest(format!("Parameter '{parameter}' must be a whole number"))
    })?;
    if number < 1 {
        return Err(Error::BadRequest(format!("Parameter '{parameter}' cannot be less than 1")));
    }
    // A page number that no product with the page size can overflow.
    Ok(number.min(i64::MAX / 1000))
}

/// Names of a comma-separated list, without the empty ones.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn parse_fields(collection: &Collection, text: Option<&str>) -> Result<Vec<&'static Field>> {
    let record = collection.record;
    let selectable = |field: &&'static Field| field.is_readable() && !field.single_only;
    let mut wanted = names(text.unwrap_or_default()).peekable();
    if wanted.peek().is_none() {
        return Ok(record.fields.iter().filter(|field| field.listed).collect());
    }
    let mut everything = false;
    // Always shown, whether named or not (contract 1.11).
    let mut chosen = vec!["id", "nodeID"];
    let mut unknown = Vec::new();
    for name in wanted {
        match name {
            "*" | "all" => everything = true,
            _ if record.field(name).as_ref().is_some_and(selectable) => chosen.push(name),
            _ => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        return Err(Error::BadRequest(format!("Unknown fields: {}", filter::listed(&unknown))));
    }
    let shown = |field: &&'static Field| everything || chosen.contains(&field.name);
    Ok(record.fields.iter().filter(selectable).filter(shown).collect())
}

fn parse_sort(collection: &Collection, text: Option<&str>) -> Result<Vec<SortKey>> {
    let record = collection.record;
    let mut keys: Vec<SortKey> = Vec::new();
    let mut refused = Vec::new();
    for name in names(text.unwrap_or_default()) {
        let (plain, descending) = match name.strip_prefix('-') {
            Some(plain) => (plain, true),
            None => (name, false),
        };
        match record.field(plain).filter(|field| field.sortable) {
            Some(field) if keys.iter().any(|key| key.field.name == field.name) => {}
            Some(field) => keys.push(SortKey { field, descending }),
            // A lone `-` is told as it was sent.
            None if plain.is_empty() => refused.push(name),
            None => refused.push(plain),
        }
    }
    if !refused.is_empty() {
        let refused = filter::listed(&refused);
        return Err(Error::BadRequest(format!("Sorting not allowed on fields: {refused}")));
    }
    if keys.is_empty() {
        for name in collection.default_sort {
            let (name, descending) = match name.strip_prefix('-') {
                Some(plain) => (plain, true),
                None => (*name, false),
            };
            keys.extend(record.field(name).map(|field| SortKey { field, descending }));
        }
    }
    // The id makes the order total; what comes after it decides nothing.
    match keys.iter().position(|key| key.field.name == "id") {
        Some(at) => keys.truncate(at + 1),
        None => keys.extend(record.field("id").map(|field| SortKey { field, descending: false })),
    }
    Ok(keys)
}

/// Names the list by its path, subsets and filters, so that a cursor works nowhere else.
fn context(path: &str, predefined: &[&Predefined], filters: &[(String, String, bool)]) -> String {
    let mut context = path.to_owned();
    for predefined in predefined {
        context.push('|');
        context.push_str(predefined.name);
    }
    for (key, value, _) in filters {
        context.push('&');
        context.push_str(key);
        context.push('=');
        context.push_str(value);
    }
    context
}

/// Adds the order.
fn ordered(mut context: String, sort: &[SortKey]) -> String {
    context.push('|');
    for key in sort {
        context.push(if key.descending { '-' } else { '+' });
        context.push_str(key.field.name);
    }
    context
}
