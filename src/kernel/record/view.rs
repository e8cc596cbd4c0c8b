//! Who reads: whose account, which time zone, which installation.
use std::sync::Arc;

use chrono_tz::Tz;

use crate::kernel::node_id;
use crate::kernel::state::Site;

/// Through whose eyes a record is shown.
#[derive(Clone, Debug)]
pub struct View {
    /// The account in whose context the call is executed.
    pub account: Arc<str>,
    /// Time zone of timestamps.
    pub time_zone: Tz,
    /// Names and keys of this installation.
    pub site: Arc<Site>,
    /// When the answer is made, in milliseconds since the epoch.
    pub now: i64,
}

impl View {
    /// Whether a record of this account belongs to somebody else.
    pub fn is_foreign(&self, account: &str) -> bool {
        *self.account != *account
    }

    /// Appends `"nodeID":"…"` with a leading comma.
    pub fn write_node_id(&self, out: &mut Vec<u8>, node_type: &str, id: i64) {
        out.extend_from_slice(b",\"nodeID\":\"");
        node_id::write(out, &self.site.domain, node_type, id);
        out.push(b'"');
    }
}
