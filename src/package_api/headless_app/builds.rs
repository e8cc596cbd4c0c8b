//! Build jobs of a hosted site.
use super::dto::{
    HeadlessAppBuildJob, HeadlessAppBuildJobResponse, HeadlessAppBuildLog, HeadlessAppBuildStep,
};
use super::links;
use super::logs::{open, seal};
use super::sites::HostedSite;
use crate::directory::state::AppState;
use crate::kernel::db::Row;
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::package_api::convention::refusal;
use crate::package_api::convention::time::Time;

/// A job with its place in the list.
struct Placed {
    job: HeadlessAppBuildJob,
    id: i64,
}

impl Placed {
    /// Where the list goes on behind this job.
    fn place(&self) -> String {
        format!("{}:{}", self.job.start_time.0, self.id)
    }
}

/// The jobs of a branch, the newest first, at most so many. A branch without any has none.
///
/// # Errors
/// 400 for a `token` that is another list's.
pub async fn list(
    state: &AppState,
    site: &HostedSite,
    branch: &str,
    most: i64,
    token: Option<&str>,
) -> Result<HeadlessAppBuildJobResponse> {
    let context = format!("builds of {} of {branch}", site.id).into_bytes();
    let after = token.map(|token| open(state, &context, token)).transpose()?;
    // What was sealed here has this form.
    let after = after.and_then(|place| {
        let (started, id) = place.split_once(':')?;
        Some((started.parse::<i64>().ok()?, id.parse::<i64>().ok()?))
    });
    let mut sql = Sql::new(state.store.dialect());
    sql.push(
        "SELECT b.id, b.job_id, b.status, b.commit_id, b.commit_time, b.started_at, b.ended_at \
         FROM builds b WHERE b.site_id = ",
    )
    .bind(site.id);
    sql.push(" AND b.branch = ").bind(branch);
    if let Some((started, id)) = after {
        sql.push(" AND (b.started_at, b.id) < (").bind(started).push(", ").bind(id).push(")");
    }
    // One more than is shown tells whether there are more.
    sql.push(&format!(" ORDER BY b.started_at DESC, b.id DESC LIMIT {}", most + 1));
    let gather = |found: &mut Vec<Placed>, row: &dyn Row| found.push(read(row));
    let mut found = state.store.committed().fetch(sql.query(false), Vec::new(), gather).await?;
    let wanted = usize::try_from(most).unwrap_or_default();
    let has_more = found.len() > wanted;
    found.truncate(wanted);
    let last = found.last().filter(|_| has_more);
    Ok(HeadlessAppBuildJobResponse {
        next_token: last.map(|last| seal(state, &context, &last.place())),
        jobs: found.into_iter().map(|placed| placed.job).collect(),
    })
}

fn read(row: &dyn Row) -> Placed {
    let text = |at| row.text(at).map(std::borrow::Cow::into_owned);
    Placed {
        id: row.int(0).unwrap_or_default(),
        job: HeadlessAppBuildJob {
            job_id: text(1).unwrap_or_default(),
            status: text(2).unwrap_or_default(),
            commit_id: text(3),
            commit_time: row.int(4).map(Time),
            start_time: Time(row.int(5).unwrap_or_default()),
            end_time: row.int(6).map(Time),
        },
    }
}

/// The steps of a job, with the addresses of their logs.
///
/// # Errors
/// 404 for a job that the branch does not have.
pub async fn get(
    state: &AppState,
    site: &HostedSite,
    branch: &str,
    job: &str,
) -> Result<HeadlessAppBuildLog> {
    let mut sql = Sql::new(state.store.dialect());
    sql.push(
        "SELECT b.job_id, s.name, s.status, s.log_key, s.started_at, s.ended_at \
         FROM builds b LEFT JOIN build_steps s ON s.build_id = b.id WHERE b.site_id = ",
    )
    .bind(site.id);
    sql.push(" AND b.branch = ").bind(branch);
    sql.push(" AND b.job_id = ").bind(job).push(" ORDER BY s.position");
    let (state_of_links, folder) = (state.clone(), site.log_folder.clone());
    let gather = move |found: &mut Option<HeadlessAppBuildLog>, row: &dyn Row| {
        let text = |at| row.text(at).map(std::borrow::Cow::into_owned);
        let log = found.get_or_insert_with(|| HeadlessAppBuildLog {
            job_id: text(0).unwrap_or_default(),
            steps: Vec::new(),
        });
        // A job without steps has one row, with nothing in it.
        let Some(step_name) = text(1) else { return };
        let address = |key: String| links::address(&state_of_links, &format!("{folder}/{key}"));
        log.steps.push(HeadlessAppBuildStep {
            step_name,
            status: text(2).unwrap_or_default(),
            log_url: text(3).map(address),
            start_time: row.int(4).map(Time),
            end_time: row.int(5).map(Time),
        });
    };
    let found = state.store.committed().fetch(sql.query(false), None, gather).await?;
    found.ok_or_else(|| refusal::not_found("build", "JobId", job))
}
