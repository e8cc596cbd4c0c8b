//! Routes of logs and builds.
use axum::extract::State;
use axum::response::Response;

use super::dto::{
    HeadlessAppBuildJobResponse, HeadlessAppBuildLog, HeadlessAppRuntimeLogResponse, JOBS,
    MostJobs, MostLogs,
};
use super::sites::Wanted;
use super::{builds, links, logs, sites};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::{Call, Question};
use crate::package_api::package_files::dto::FileBytes;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "headless_app";

/// List runtime logs
///
/// Logs of a hosted site, in the order of their keys, which begin with a date. Each has an address from
/// which it can be downloaded for four hours without a token. As long as `isTruncated` is true there is
/// more to be had with `nextToken`. Logs of build steps are shown with their build, not here.
#[utoipa::path(
    get, path = "/logs/runtime", tag = TAG, operation_id = "list_runtime_logs",
    params(
        ("prefix" = Option<String>, Query, max_length = 1024,
         description = "Only logs whose keys begin with this, a date for instance: `2026`, `2026-03` or `2026-03-04`. Also taken as `datePrefix`.",
         example = "2026-03"),
        MostLogs,
        ("nextToken" = Option<String>, Query, max_length = 4000,
         description = "`nextToken` of the answer before.", example = ""),
        ("x-vol-tenant" = i32, Header, minimum = 1, description = "Number of the tenant.", example = 1),
        ("x-vol-site" = i32, Header, minimum = 1, description = "Number of its site.", example = 1),
    ),
    responses(
        (status = OK, description = "Some logs.", body = HeadlessAppRuntimeLogResponse),
        (status = NOT_FOUND, description = "The site is not hosted, or not one of the caller's tenants'."),
    ),
    security(("oauth2" = ["developer:Read"])),
)]
pub async fn list_logs(State(state): State<AppState>, call: Call) -> Result<Response> {
    let wanted = Wanted::read(&call.headers)?;
    let ask = logs::Ask::read(&call.query)?;
    let site = sites::find(&state, &call.caller, wanted).await?;
    call.found(&logs::list(&state, &site, ask).await?)
}

/// List builds
///
/// Build jobs of a branch of a hosted site, the newest first. A branch that was never built has none.
#[utoipa::path(
    get, path = "/builds/{branchName}", tag = TAG, operation_id = "list_builds",
    params(
        ("branchName" = String, Path, min_length = 1, max_length = 200,
         description = "Name of the branch; a `/` in it is sent as `%2F`.", example = "main"),
        MostJobs,
        ("nextToken" = Option<String>, Query, max_length = 4000,
         description = "`nextToken` of the answer before.", example = ""),
        ("x-vol-tenant" = i32, Header, minimum = 1, description = "Number of the tenant.", example = 1),
        ("x-vol-site" = i32, Header, minimum = 1, description = "Number of its site.", example = 1),
    ),
    responses(
        (status = OK, description = "Some jobs.", body = HeadlessAppBuildJobResponse),
        (status = NOT_FOUND, description = "The site is not hosted, or not one of the caller's tenants'."),
    ),
    security(("oauth2" = ["developer:Read"])),
)]
pub async fn list_builds(State(state): State<AppState>, call: Call) -> Result<Response> {
    let wanted = Wanted::read(&call.headers)?;
    let most = logs::most(&call.query, JOBS)?;
    let site = sites::find(&state, &call.caller, wanted).await?;
    let (branch, token) = (call.target.text("branchName"), call.query.text("nextToken")?);
    call.found(&builds::list(&state, &site, &branch, most, token).await?)
}

/// Get the log of a build
///
/// The steps of a job. Those with a log have an address from which it can be downloaded for four hours
/// without a token.
#[utoipa::path(
    get, path = "/builds/{branchName}/logs/{jobId}", tag = TAG, operation_id = "get_build_log",
    params(
        ("branchName" = String, Path, min_length = 1, max_length = 200,
         description = "Name of the branch; a `/` in it is sent as `%2F`.", example = "main"),
        ("jobId" = String, Path, min_length = 1, max_length = 200, description = "Id of the job.", example = "17"),
        ("x-vol-tenant" = i32, Header, minimum = 1, description = "Number of the tenant.", example = 1),
        ("x-vol-site" = i32, Header, minimum = 1, description = "Number of its site.", example = 1),
    ),
    responses((status = OK, description = "The steps.", body = HeadlessAppBuildLog)),
    security(("oauth2" = ["developer:Read"])),
)]
pub async fn get_build(State(state): State<AppState>, call: Call) -> Result<Response> {
    let wanted = Wanted::read(&call.headers)?;
    let site = sites::find(&state, &call.caller, wanted).await?;
    let (branch, job) = (call.target.text("branchName"), call.target.text("jobId"));
    call.found(&builds::get(&state, &site, &branch, &job).await?)
}

/// Download a log
///
/// The address stands in `logUrl` of a log or a step, is valid for four hours and needs no token.
#[utoipa::path(
    get, path = "/files/{*key}", tag = TAG, operation_id = "download_log",
    params(
        ("key" = String, Path, min_length = 1, max_length = 3072,
         description = "Where the log lies, as `logUrl` says.", example = "loyalty/2026-03-04-09/main.json.gz"),
        ("expires" = i64, Query, description = "Until when the address is valid, in seconds since 1970, as `logUrl` says.", example = 1_772_630_100),
        ("signature" = String, Query, min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$",
         description = "Proof that this service has given the address, as `logUrl` says.",
         example = "3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e"),
    ),
    responses((status = OK, description = "The bytes of the log.",
        content((FileBytes = "application/octet-stream")),
        headers(("Content-Disposition" = String, description = "`attachment` with the name of the log.")))),
    security(()),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn get_log(State(state): State<AppState>, question: Question) -> Result<Response> {
    links::serve(&state, &question.target.text("key"), &question.query).await
}
