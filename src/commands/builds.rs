//! Commands by which a hosting pipeline tells of sites and their builds.
use clap::{Args, Subcommand};
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;

use super::report::{Failure, Report};
use crate::directory::accounts::Refused;
use crate::directory::state::AppState;
use crate::kernel::db::{Row, Source};
use crate::kernel::record::select::Sql;
use crate::package_api::convention::time::Time;
use crate::package_api::headless_app::pipeline::{self, Commit, Job, Progress};
use crate::package_api::model::{applications, namespaces};

#[derive(Debug, Subcommand)]
pub(super) enum BuildCommand {
    /// Say that the storefront of a site is hosted, and where its logs are
    Link {
        /// Number of the site
        #[arg(long, value_name = "ID")]
        site: i64,
        /// The application that is hosted
        #[arg(long, value_name = "NAMESPACE.APPID")]
        application: String,
        /// Folder of its logs, below hosting/ in the store of files: with a local store, below
        /// files/hosting/ in the data folder
        #[arg(long, value_name = "FOLDER")]
        logs: String,
    },
    /// Tell how a build job of a hosted site is doing
    Record {
        #[command(flatten)]
        job: JobArgs,
        #[command(flatten)]
        progress: ProgressArgs,
        /// The commit that is built
        #[arg(long, value_name = "ID")]
        commit: Option<String>,
        /// When it was committed
        #[arg(long, value_name = "TIME", value_parser = time)]
        commit_time: Option<Time>,
    },
    /// Tell how a step of a build job is doing; a name that is new is the next step
    Step {
        #[command(flatten)]
        job: JobArgs,
        /// Name of the step
        #[arg(long)]
        name: String,
        #[command(flatten)]
        progress: ProgressArgs,
        /// Key of the step's log in the folder of the site's logs, where it has to be already
        #[arg(long, value_name = "KEY")]
        log: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// Number of the hosted site
    #[arg(long, value_name = "ID")]
    site: i64,
    /// Branch of the source
    #[arg(long, value_name = "NAME")]
    branch: String,
    /// Id of the job, unique in the branch
    #[arg(long, value_name = "ID")]
    job: String,
}

#[derive(Debug, Args)]
pub(super) struct ProgressArgs {
    /// PENDING, PROVISIONING, RUNNING, FAILED, SUCCEED, CANCELLING or CANCELLED
    #[arg(long)]
    status: String,
    /// When it started, as 2026-03-04T09:15:00Z [default: now, the first time]
    #[arg(long, value_name = "TIME", value_parser = time)]
    started: Option<Time>,
    /// When it ended [default: now, when the status is an end]
    #[arg(long, value_name = "TIME", value_parser = time)]
    ended: Option<Time>,
}

impl From<JobArgs> for Job {
    fn from(JobArgs { site, branch, job }: JobArgs) -> Self {
        Self { site, branch, id: job }
    }
}

impl From<ProgressArgs> for Progress {
    fn from(ProgressArgs { status, started, ended }: ProgressArgs) -> Self {
        let millis = |time: Option<Time>| time.map(|time| time.0);
        Self { status, started_at: millis(started), ended_at: millis(ended) }
    }
}

fn time(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| "use a date and time as in 2026-03-04T09:15:00Z".to_owned())
}

/// Runs a command of a hosting pipeline.
pub(super) async fn run(
    state: &AppState,
    db: &DatabaseTransaction,
    command: BuildCommand,
) -> Result<Report, Failure> {
    let now = state.clock.now_millis();
    Ok(match command {
        BuildCommand::Link { site, application, logs } => {
            check_site(db, site).await?;
            let id = find_application(db, &application).await?;
            let made = pipeline::link(db, site, id, &logs, now).await?;
            Report::new(
                format!("Site {site} is hosted; its logs are in hosting/{logs}."),
                json!({"site": site, "application": application, "logs": made.log_folder}),
            )
        }
        BuildCommand::Record { job, progress, commit, commit_time } => {
            let (job, progress) = (Job::from(job), Progress::from(progress));
            check_site(db, job.site).await?;
            let commit = Commit { id: commit, time: commit_time.map(|time| time.0) };
            let made = pipeline::record(db, &job, &progress, commit, now).await?;
            Report::new(
                format!("Job {} of branch {}: {}.", made.job_id, made.branch, made.status),
                json!({"id": made.id, "site": made.site_id, "branch": made.branch,
                    "job": made.job_id, "status": made.status,
                    "started": Time(made.started_at), "ended": made.ended_at.map(Time)}),
            )
        }
        BuildCommand::Step { job, name, progress, log } => {
            let (job, progress) = (Job::from(job), Progress::from(progress));
            check_site(db, job.site).await?;
            if let Some(log) = &log {
                pipeline::check_log(db, &state.storage, job.site, log).await?;
            }
            let made = pipeline::record_step(db, &job, &name, &progress, log, now).await?;
            Report::new(
                format!("Step {} of job {}: {}.", made.name, job.id, made.status),
                json!({"position": made.position, "name": made.name, "status": made.status,
                    "log": made.log_key, "started": made.started_at.map(Time),
                    "ended": made.ended_at.map(Time)}),
            )
        }
    })
}

async fn check_site(db: &DatabaseTransaction, site: i64) -> Result<(), Failure> {
    let source = Source::Transaction(db);
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT s.id FROM sites s WHERE s.id = ").bind(site);
    let gather = |found: &mut bool, _: &dyn Row| *found = true;
    match source.fetch(sql.query(false), false, gather).await? {
        true => Ok(()),
        false => Err(format!("there is no site {site}").into()),
    }
}

/// Number of an application by its name, `acme01.loyalty`.
async fn find_application(db: &DatabaseTransaction, name: &str) -> Result<i64, Failure> {
    let unknown = || Refused::input(format!("there is no application {name:?}"));
    let (namespace, app_id) = name.split_once('.').ok_or_else(unknown)?;
    let namespace = namespaces::find(db, namespace).await?.ok_or_else(unknown)?;
    let found = applications::entity::Entity::find()
        .filter(applications::entity::COLUMN.namespace_id.eq(namespace.id))
        .filter(applications::entity::COLUMN.app_id_key.eq(app_id.to_ascii_lowercase()));
    Ok(found.one(db).await?.ok_or_else(unknown)?.id)
}
