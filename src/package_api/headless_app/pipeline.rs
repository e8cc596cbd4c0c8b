//! What the operator's hosting pipeline tells of sites and their builds, on the command line.
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use super::entity::{build, build_step, hosted_site};
use super::sites;
use crate::directory::accounts::Refused;
use crate::kernel::storage::Storage;

/// States of build jobs and of their steps.
pub const STATUSES: [&str; 7] =
    ["PENDING", "PROVISIONING", "RUNNING", "FAILED", "SUCCEED", "CANCELLING", "CANCELLED"];

/// Those in which a job or step has ended.
const ENDED: [&str; 3] = ["FAILED", "SUCCEED", "CANCELLED"];

/// Longest id or name, in characters.
const NAME_MAX: usize = 200;
/// Longest folder or key of a log, in bytes.
const KEY_MAX: usize = 900;

/// Names a build job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Number of the site.
    pub site: i64,
    /// Branch of the source.
    pub branch: String,
    /// The pipeline's id of the job.
    pub id: String,
}

/// The state of a job, or of one of its steps. Times are in milliseconds since the epoch; what is `None`
/// stays as it was.
#[derive(Clone, Debug)]
pub struct Progress {
    /// One of [`STATUSES`], in any case of letters.
    pub status: String,
    /// When it started. A job that is new started now, unless it is said.
    pub started_at: Option<i64>,
    /// When it ended. What has come to a status that is an end has ended now, unless it is said.
    pub ended_at: Option<i64>,
}

/// The commit that a job builds.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Its id.
    pub id: Option<String>,
    /// When it was committed, in milliseconds since the epoch.
    pub time: Option<i64>,
}

/// Says that the storefront of a site is hosted, for which application, and in which folder below
/// `hosting/` its logs are. Said again, it holds from now on.
///
/// # Errors
/// When there is no such site, the folder cannot be one, or it is another site's.
pub async fn link(
    db: &impl ConnectionTrait,
    site: i64,
    application: i64,
    log_folder: &str,
    now: i64,
) -> Result<hosted_site::Model, Refused> {
    check_key("log folder", log_folder)?;
    let others = hosted_site::COLUMN.site_id.ne(site);
    for other in hosted_site::Entity::find().filter(others).all(db).await? {
        let is_within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let (one, two) = (log_folder, other.log_folder.as_str());
        if is_within(one, two) || is_within(two, one) {
            // Whoever may read the logs of one site would read those of the other.
            return Err(Refused::input(format!(
                "log folder {one:?}: the logs of site {} are in {two:?}; give each site a folder of its own",
                other.site_id
            )));
        }
    }
    let found = hosted_site::Entity::find_by_id(site).one(db).await?;
    let is_new = found.is_none();
    let row = hosted_site::ActiveModel {
        site_id: Set(site),
        application_id: Set(application),
        log_folder: Set(log_folder.to_owned()),
        created_at: Set(found.map_or(now, |found| found.created_at)),
    };
    Ok(if is_new { row.insert(db).await? } else { row.update(db).await? })
}

/// Tells how a job of a hosted site is doing.
///
/// # Errors
/// When the site is not hosted or a value is not acceptable.
pub async fn record(
    db: &impl ConnectionTrait,
    job: &Job,
    progress: &Progress,
    commit: Commit,
    now: i64,
) -> Result<build::Model, Refused> {
    check_name("branch", &job.branch)?;
    check_name("job", &job.id)?;
    if let Some(id) = &commit.id {
        check_name("commit", id)?;
    }
    let status = status(&progress.status)?;
    hosted(db, job.site).await?;
    match find(db, job).await? {
        None => {
            let row = build::ActiveModel {
                site_id: Set(job.site),
                branch: Set(job.branch.clone()),
                job_id: Set(job.id.clone()),
                status: Set(status.to_owned()),
                commit_id: Set(commit.id),
                commit_time: Set(commit.time),
                started_at: Set(progress.started_at.unwrap_or(now)),
                ended_at: Set(ended_at(status, progress, (None, None), now)?),
                created_at: Set(now),
                ..Default::default()
            };
            Ok(row.insert(db).await?)
        }
        Some(found) => {
            let row = build::ActiveModel {
                status: Set(status.to_owned()),
                commit_id: Set(commit.id.or_else(|| found.commit_id.clone())),
                commit_time: Set(commit.time.or(found.commit_time)),
                started_at: Set(progress.started_at.unwrap_or(found.started_at)),
                ended_at: Set(ended_at(
                    status,
                    progress,
                    (Some(found.started_at), found.ended_at),
                    now,
                )?),
                ..found.into()
            };
            Ok(row.update(db).await?)
        }
    }
}

async fn hosted(db: &impl ConnectionTrait, site: i64) -> Result<hosted_site::Model, Refused> {
    match hosted_site::Entity::find_by_id(site).one(db).await? {
        Some(found) => Ok(found),
        None => Err(Refused::input(format!(
            "site {site} is not hosted: link it with `appmarket build link --site {site} \
             --application NAMESPACE.APPID --logs FOLDER`"
        ))),
    }
}

/// Tells how a step of a job is doing. A name that is new is the next step. `log` is the key of the
/// step's log in the folder of the site's logs.
///
/// # Errors
/// When there is no such job or a value is not acceptable.
pub async fn record_step(
    db: &impl ConnectionTrait,
    job: &Job,
    name: &str,
    progress: &Progress,
    log: Option<String>,
    now: i64,
) -> Result<build_step::Model, Refused> {
    check_name("step", name)?;
    if let Some(log) = &log {
        check_key("log", log)?;
    }
    let status = status(&progress.status)?;
    let build = find(db, job).await?.ok_or_else(|| {
        let Job { site, branch, id } = job;
        Refused::input(format!(
            "branch {branch:?} of site {site} has no job {id:?}: tell of the job first, with \
             `appmarket build record`"
        ))
    })?;
    let steps = build_step::Entity::find().filter(build_step::COLUMN.build_id.eq(build.id));
    let steps = steps.order_by_asc(build_step::Column::Position).all(db).await?;
    let next = steps.last().map_or(1, |last| last.position + 1);
    let Some(found) = steps.into_iter().find(|step| step.name == name) else {
        let row = build_step::ActiveModel {
            build_id: Set(build.id),
            position: Set(next),
            name: Set(name.to_owned()),
            status: Set(status.to_owned()),
            log_key: Set(log),
            started_at: Set(progress.started_at.or(Some(now))),
            ended_at: Set(ended_at(status, progress, (None, None), now)?),
        };
        return Ok(row.insert(db).await?);
    };
    let row = build_step::ActiveModel {
        status: Set(status.to_owned()),
        log_key: Set(log.or_else(|| found.log_key.clone())),
        started_at: Set(progress.started_at.or(found.started_at)),
        ended_at: Set(ended_at(status, progress, (found.started_at, found.ended_at), now)?),
        ..found.into()
    };
    Ok(row.update(db).await?)
}

/// Demands that a step's log lies where it is said to lie: the address of another would lead nowhere.
///
/// # Errors
/// When the site is not hosted, the key is none, or there is no such file.
pub async fn check_log(
    db: &impl ConnectionTrait,
    storage: &Storage,
    site: i64,
    key: &str,
) -> Result<(), Refused> {
    check_key("log", key)?;
    let file = sites::stored(&format!("{}/{key}", hosted(db, site).await?.log_folder));
    if storage.size(&file).await?.is_some() {
        return Ok(());
    }
    Err(Refused::input(format!(
        "there is no {file} in the store of files (a local one is files/ in the data folder): put the \
         log there first, or leave out --log until it is there"
    )))
}

async fn find(db: &impl ConnectionTrait, job: &Job) -> Result<Option<build::Model>, Refused> {
    let found = build::Entity::find()
        .filter(build::COLUMN.site_id.eq(job.site))
        .filter(build::COLUMN.branch.eq(job.branch.as_str()))
        .filter(build::COLUMN.job_id.eq(job.id.as_str()));
    Ok(found.one(db).await?)
}

/// When something ended: as it is said, as it was known, or now; not at all while its status is no end.
fn ended_at(
    status: &str,
    progress: &Progress,
    known: (Option<i64>, Option<i64>),
    now: i64,
) -> Result<Option<i64>, Refused> {
    let (started_at, ended_at) = known;
    if !ENDED.contains(&status) {
        return match progress.ended_at {
            Some(_) => {
                Err(Refused::input(format!("status {status} is no end: leave out when it ended")))
            }
            None => Ok(None),
        };
    }
    let ended_at = progress.ended_at.or(ended_at).unwrap_or(now);
    if progress.started_at.or(started_at).is_some_and(|started_at| ended_at < started_at) {
        return Err(Refused::input("the end is before the start"));
    }
    Ok(Some(ended_at))
}

fn status(text: &str) -> Result<&'static str, Refused> {
    let known = STATUSES.into_iter().find(|status| status.eq_ignore_ascii_case(text));
    known.ok_or_else(|| {
        Refused::input(format!("status {text:?}: use one of {}", STATUSES.join(", ")))
    })
}

fn check_name(what: &str, text: &str) -> Result<(), Refused> {
    let is_plain = !text.trim().is_empty() && !text.contains(char::is_control);
    if is_plain && text.chars().count() <= NAME_MAX {
        return Ok(());
    }
    Err(Refused::input(format!("{what} {text:?}: use 1 to {NAME_MAX} characters")))
}

/// Keys are paths in the store: whatever could lead out of the folder, or not be listed, is none.
fn check_key(what: &str, text: &str) -> Result<(), Refused> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=+@~:".contains(&byte);
    let is_segment =
        |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_sign);
    if text.len() <= KEY_MAX && text.split('/').all(is_segment) {
        return Ok(());
    }
    Err(Refused::input(format!(
        "{what} {text:?}: use segments of letters, digits and -_.=+@~: with slashes between them"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_their_folder() {
        for key in ["loyalty", "loyalty/2026-03-04-09/main.json.gz", "a/.b", "a..b"] {
            assert!(check_key("log", key).is_ok(), "{key}");
        }
        let long = "x".repeat(901);
        for key in ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a b", "a\\b", "ä", "a#1", &long]
        {
            assert!(check_key("log", key).is_err(), "{key}");
        }
    }

    #[test]
    fn what_has_come_to_an_end_has_ended() {
        let end = |status: &str, started: Option<i64>, said: Option<i64>, known: Option<i64>| {
            let progress = Progress { status: status.to_owned(), started_at: None, ended_at: said };
            ended_at(status, &progress, (started, known), 9).ok()
        };
        let table = [
            ("RUNNING", None, None, Some(None)),
            ("RUNNING", None, Some(7), Some(None)),
            ("RUNNING", Some(5), None, None),
            ("SUCCEED", None, None, Some(Some(9))),
            ("FAILED", None, Some(7), Some(Some(7))),
            ("CANCELLED", Some(5), Some(7), Some(Some(5))),
            ("CANCELLED", Some(1), Some(7), None),
            ("CANCELLING", None, None, Some(None)),
        ];
        for (status, said, known, expected) in table {
            let ended = end(status, Some(2), said, known);
            assert_eq!(ended, expected, "{status} {said:?} {known:?}");
        }
    }
}
