//! Keys that sign, opened and read once.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::kernel::error::Result;
use crate::kernel::secret::MasterKey;
use crate::kernel::signature::SigningKey;
use crate::offering_api::webhook_policies::key_entity::Model;
use crate::offering_api::webhook_policies::keys;

/// Most keys that are remembered: a megabyte or two.
const MOST: usize = 512;

/// Keys by their `kid`, which never names another one.
#[derive(Debug, Default)]
pub struct Keys(Mutex<HashMap<String, Arc<SigningKey>>>);

impl Keys {
    /// The key of a row.
    ///
    /// # Errors
    /// 500 when another master key has sealed it.
    pub fn get(&self, master: &MasterKey, row: &Model) -> Result<Arc<SigningKey>> {
        if let Some(known) = self.0.lock().get(&row.id) {
            return Ok(known.clone());
        }
        let key = Arc::new(keys::open(master, row)?);
        let mut known = self.0.lock();
        if known.len() >= MOST {
            // Who signs most is back soonest.
            known.clear();
        }
        known.insert(row.id.clone(), key.clone());
        Ok(key)
    }
}
