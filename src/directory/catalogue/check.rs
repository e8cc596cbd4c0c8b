//! Checks that every part of the catalogue makes.

/// Checks an id: they are int32 on the wire, from 1.
pub(super) fn check_id(what: &str, id: i64) -> Result<(), String> {
    if (1..=i64::from(i32::MAX)).contains(&id) {
        return Ok(());
    }
    Err(format!("{what} {id}: ids are from 1 to {}", i32::MAX))
}

/// Checks a name: it is shown and looked up.
pub(super) fn check_name(what: &str, id: i64, name: &str) -> Result<(), String> {
    if name.trim().is_empty() || name.contains('\0') {
        return Err(format!("{what} {id}: has no name"));
    }
    Ok(())
}
