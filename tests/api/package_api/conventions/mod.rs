//! How the family speaks, whatever the resource (contract 1). Shown with the operations that everything
//! else needs: create and get.
mod audit;
mod bodies;
mod callers;
mod correlation;
mod errors;
mod fields;
mod idempotency;
mod paths;

use crate::support::Answer;
use crate::support::packages::refused;

const CREATE: &str = "/api/platform/appdev/apppackages/create";
const PACKAGES: &str = "/api/platform/appdev/apppackages";

/// Demands a 400 about a parameter.
#[track_caller]
fn malformed(answer: Answer, parameter: &str, why: &str) {
    let message = format!("Missing or invalid parameter: {parameter} {why}");
    let data = [("ParameterName", parameter), ("ErrorMessage", why)];
    refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
}

/// Demands a 404 for a path that no operation has.
#[track_caller]
fn lost(answer: Answer, path: &str) {
    let message = format!("Item not found: path {path}");
    refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("Path", path)]);
}
