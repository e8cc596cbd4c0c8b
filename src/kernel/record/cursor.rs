//! Places in a list: by number and by cursor (contract 1.9).
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::view::View;
use crate::kernel::secret::Purpose;

/// Bytes of a cursor's signature.
const SIGNATURE: usize = 16;

/// Where in a list a page is.
#[derive(Clone, Debug)]
pub enum Position {
    /// The first page, with cursors leading on.
    First,
    /// A page by its number, from 1.
    Page(i64),
    /// What follows a cursor.
    After(Cursor),
    /// What precedes a cursor.
    Before(Cursor),
}

/// A place in a list: the sort keys of an item, and its rank when it was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// Rank of the item in the list, from 0. A hint: later changes may have moved it.
    pub offset: i64,
    /// Values of the sort keys, the id last.
    pub keys: Vec<Value>,
}

impl Cursor {
    /// The cursor as text, signed for one account, list and order.
    pub fn seal(&self, view: &View, context: &str) -> String {
        let mut plain = format!("{{\"offset\":{},\"cursor\":", self.offset).into_bytes();
        // Values that came from rows always have a JSON form.
        serde_json::to_writer(&mut plain, &self.keys).unwrap_or_default();
        plain.push(b'}');
        let signature = sign(view, context, &plain);
        plain.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(plain)
    }

    /// Reads a cursor; `None` when it is not one of this account, list and order.
    pub fn open(text: &str, view: &View, context: &str, keys: usize) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let (plain, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        let parts: [&[u8]; 3] = [view.account.as_bytes(), context.as_bytes(), plain];
        if !view.site.key.verify(Purpose::Cursor, &parts, signature) {
            return None;
        }
        let value: Value = serde_json::from_slice(plain).ok()?;
        let cursor = Self {
            offset: value.get("offset")?.as_i64()?,
            keys: value.get("cursor")?.as_array()?.clone(),
        };
        (cursor.keys.len() == keys).then_some(cursor)
    }
}

fn sign(view: &View, context: &str, plain: &[u8]) -> [u8; 32] {
    view.site.key.sign(Purpose::Cursor, &[view.account.as_bytes(), context.as_bytes(), plain])
}
