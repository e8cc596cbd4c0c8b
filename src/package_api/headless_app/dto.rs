//! The wire of logs and builds (contract 3.12).
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::package_api::convention::time::Time;

/// Most logs of an answer, unless the request says.
pub const LOGS: i64 = 300;
/// Most jobs of an answer, unless the request says.
pub const JOBS: i64 = 20;

/// How many logs an answer has.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `logs::Ask::read` reads")]
pub struct MostLogs {
    /// Most logs of the answer. What is outside 1 to 1000 counts as the next of these.
    #[param(rename = "maxResults", minimum = 1, maximum = 1000, default = json!(LOGS), example = 300)]
    max_results: Option<i32>,
}

/// How many jobs an answer has.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `logs::most` reads")]
pub struct MostJobs {
    /// Most jobs of the answer. What is outside 1 to 1000 counts as the next of these.
    #[param(rename = "maxResults", minimum = 1, maximum = 1000, default = json!(JOBS), example = 20)]
    max_results: Option<i32>,
}

/// Some runtime logs of a hosted site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadlessAppRuntimeLogResponse {
    /// What gets the next logs, as `nextToken`; null when there are none.
    #[schema(max_length = 4000, example = "v1.1f2e3d4c.c2VhbGVk")]
    pub next_token: Option<String>,
    /// What the keys begin with, as it was asked for.
    #[schema(max_length = 1024, example = "2026-03")]
    pub prefix: Option<String>,
    /// Most logs of an answer, 1 to 1000.
    #[schema(value_type = i32, example = 300)]
    pub max_results: i64,
    /// The logs, in the order of their keys.
    #[schema(max_items = 1000)]
    pub logs: Vec<HeadlessAppRuntimeLog>,
    /// Whether there are more: then the same is asked with `nextToken`.
    #[schema(example = false)]
    pub is_truncated: bool,
}

/// A stored log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadlessAppRuntimeLog {
    /// Where it lies in the folder of the site.
    #[schema(max_length = 1024, example = "2026-03-04-09/main.json.gz")]
    pub key: String,
    /// Address from which anybody can download it, for four hours.
    #[schema(
        max_length = 4000,
        format = "uri",
        example = "https://apps.example.com/api/platform/appdev/headless-app/files/loyalty/2026-03-04-09/main.json.gz?expires=1772630100&signature=3f9a"
    )]
    pub log_url: String,
    /// Bytes.
    #[schema(value_type = i64, example = 20481)]
    pub size: u64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub last_modified: Time,
}

/// Some build jobs of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadlessAppBuildJobResponse {
    /// What gets the next jobs, as `nextToken`; null when there are none.
    #[schema(max_length = 4000, example = json!(null))]
    pub next_token: Option<String>,
    /// The jobs, the newest first.
    #[schema(max_items = 1000)]
    pub jobs: Vec<HeadlessAppBuildJob>,
}

/// A build job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadlessAppBuildJob {
    /// Id of the job, unique in its branch.
    #[schema(max_length = 200, example = "17")]
    pub job_id: String,
    /// `PENDING`, `PROVISIONING`, `RUNNING`, `FAILED`, `SUCCEED`, `CANCELLING` or `CANCELLED`.
    #[schema(max_length = 20, example = "SUCCEED")]
    pub status: String,
    /// The commit that is built.
    #[schema(max_length = 200, example = "0d1f6c2e")]
    pub commit_id: Option<String>,
    /// When it was committed.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:10:00.000Z")]
    pub commit_time: Option<Time>,
    /// When the job started.
    #[schema(value_type = String, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub start_time: Time,
    /// When it ended; null as long as it has not.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:19:30.000Z")]
    pub end_time: Option<Time>,
}

/// What a build job has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadlessAppBuildLog {
    /// Id of the job.
    #[schema(max_length = 200, example = "17")]
    pub job_id: String,
    /// Its steps, in the order in which they were taken.
    #[schema(max_items = 1000)]
    pub steps: Vec<HeadlessAppBuildStep>,
}

/// A step of a build job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadlessAppBuildStep {
    /// Name of the step.
    #[schema(max_length = 200, example = "BUILD")]
    pub step_name: String,
    /// As that of a job.
    #[schema(max_length = 20, example = "SUCCEED")]
    pub status: String,
    /// Address from which anybody can download the step's log, for four hours; null when it has none.
    #[schema(
        max_length = 4000,
        format = "uri",
        example = "https://apps.example.com/api/platform/appdev/headless-app/files/loyalty/builds/17/build.txt?expires=1772630100&signature=3f9a"
    )]
    pub log_url: Option<String>,
    /// When the step started.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub start_time: Option<Time>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:18:00.000Z")]
    pub end_time: Option<Time>,
}
