//! What came of messages goes into the database: of many lanes in one transaction, whose commit so many
//! wait for together.
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};

use super::channel::{Channel, Settled, Verdict};
use super::entity::{DELIVERED, FAILED, WAITING, lane};
use super::lanes::Behind;
use super::pace::Pace;
use super::queue::Id;
use crate::kernel::db::{Dialect, Row, Source, execute};
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Sql;
use crate::kernel::secret::MASK;
use crate::kernel::state::Kernel;

/// Most turns that are recorded together,
const TURNS: usize = 16;
/// and while requests come.
const FEW_TURNS: usize = 8;
/// How often a turn is recorded anew when that fails, and after which pause.
const RETRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// A turn of a lane that has ended.
pub(super) struct Turn {
    pub(super) lane: lane::Model,
    pub(super) channel: Arc<dyn Channel>,
    /// What was sent.
    pub(super) settled: Vec<Settled>,
    /// The requests, in the order of `settled`.
    pub(super) requests: Vec<Sent>,
    /// Numbers of deliveries that wait until the lane is resumed.
    pub(super) held: Vec<i64>,
    /// What waits for an earlier message.
    pub(super) behind: Vec<Behind>,
    /// [`lane::Model::resumes`] as the channel knew it.
    pub(super) resumes: i64,
    /// Whether the lane is left.
    pub(super) leave: bool,
}

/// What has become of the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The worker goes on with it.
    Kept,
    /// The worker has left it; whether something is due in it.
    Left { due: bool },
    /// Another worker has it, because this one took too long.
    Lost,
}

/// A request as the log keeps it.
pub(super) struct Sent {
    /// Its address, without name and password.
    url: String,
    /// Its headers, a JSON object with masked credentials.
    headers: String,
    /// What is masked in the answer, longest first: some servers send back what they got.
    credentials: Vec<String>,
}

impl Sent {
    /// What is kept of a request.
    pub(super) fn of(request: &http::Request<bytes::Bytes>) -> Self {
        let url = request.uri().to_string();
        let url = match url::Url::parse(&url) {
            Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
                // An address with a host can be without credentials.
                let without = parsed.set_username("").and_then(|()| parsed.set_password(None));
                if without.is_ok() { parsed.into() } else { String::new() }
            }
            _ => url,
        };
        let secrets = request.headers().iter().filter(|(name, value)| is_secret(name, value));
        let mut credentials: Vec<String> =
            secrets.filter_map(|(_, value)| value.to_str().ok()).flat_map(repeatable).collect();
        credentials.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self { url, headers: shown(request.headers()), credentials }
    }
}

/// Shortest part of a name and password that is masked by itself. What is shorter is part of so many words and
/// numbers that its masks would garble answers, and tell it by the gaps; and nothing is safe behind it.
const SHORTEST: usize = 4;

/// The forms in which an answer may repeat a secret header: without the name of its scheme and, for HTTP Basic,
/// as name and password, together and the password alone. Without a password the name is the secret.
fn repeatable(header: &str) -> Vec<String> {
    let (scheme, secret) = header.split_once(' ').unwrap_or(("", header));
    let mut forms = vec![secret.to_owned()];
    if scheme.eq_ignore_ascii_case("Basic")
        && let Ok(pair) = STANDARD.decode(secret)
    {
        let pair = String::from_utf8_lossy(&pair);
        let (name, password) = pair.split_once(':').unwrap_or((&*pair, ""));
        let alone = if password.is_empty() { name } else { password };
        for text in [&*pair, alone] {
            // Also as a text of JSON has it.
            let quoted = Value::from(text).to_string();
            forms.extend([text.to_owned(), quoted[1..quoted.len() - 1].to_owned()]);
        }
    }
    forms.retain(|text| text.chars().count() >= SHORTEST);
    forms.dedup();
    forms
}

type Reply = oneshot::Sender<Result<Lane>>;

/// Where turns are recorded. Cheap to clone.
#[derive(Clone)]
pub(super) struct Recorder(mpsc::Sender<(Turn, Reply)>);

impl Recorder {
    pub(super) fn start(kernel: Kernel, pace: Pace, holder: String) -> Self {
        let (sender, queue) = mpsc::channel(TURNS);
        tokio::spawn(record_all(kernel, pace, holder, queue));
        Self(sender)
    }

    /// Records a turn; once it is recorded, says what has become of the lane.
    pub(super) async fn record(&self, turn: Turn) -> Result<Lane> {
        let (reply, recorded) = oneshot::channel();
        let stopped = || Error::internal("the recorder stopped");
        self.0.send((turn, reply)).await.map_err(|_| stopped())?;
        recorded.await.map_err(|_| stopped())?
    }
}

async fn record_all(
    kernel: Kernel,
    pace: Pace,
    holder: String,
    mut queue: mpsc::Receiver<(Turn, Reply)>,
) {
    let mut waiting = Vec::with_capacity(TURNS);
    let most = || if pace.is_slow() { FEW_TURNS } else { TURNS };
    while queue.recv_many(&mut waiting, most()).await > 0 {
        let _portion = pace.portion().await;
        let (turns, replies): (Vec<Turn>, Vec<Reply>) = waiting.drain(..).unzip();
        let turns: Arc<[Turn]> = turns.into();
        let results = match record(&kernel, &holder, &turns, 0..turns.len()).await {
            Ok(lanes) => lanes.into_iter().map(Ok).collect(),
            // One that cannot be recorded must not hold up the others.
            Err(_) => one_by_one(&kernel, &holder, &turns).await,
        };
        for (reply, result) in replies.into_iter().zip(results) {
            drop(reply.send(result));
        }
    }
}

async fn one_by_one(kernel: &Kernel, holder: &str, turns: &Arc<[Turn]>) -> Vec<Result<Lane>> {
    let mut results = Vec::with_capacity(turns.len());
    for at in 0..turns.len() {
        let mut retries = 0..RETRIES;
        let result = loop {
            let result = record(kernel, holder, turns, at..at + 1).await;
            // Who knows what was sent should not forget it because the database is away for a moment.
            if !matches!(result, Err(Error::Unavailable(_))) || retries.next().is_none() {
                break result;
            }
            tokio::time::sleep(PAUSE).await;
        };
        results.push(result.map(|lanes| lanes.into_iter().next().unwrap_or(Lane::Lost)));
    }
    results
}

struct Work {
    turns: Arc<[Turn]>,
    range: Range<usize>,
    holder: String,
    now: i64,
}

async fn record(
    kernel: &Kernel,
    holder: &str,
    turns: &Arc<[Turn]>,
    range: Range<usize>,
) -> Result<Vec<Lane>> {
    let now = kernel.clock.now_millis();
    let work = Work { turns: turns.clone(), range, holder: holder.to_owned(), now };
    kernel.store.write_unheard(work, |transaction, work| write(transaction, work).boxed()).await
}

#[derive(Serialize)]
struct OutcomeRow<'a> {
    id: i64,
    /// How many attempts there were before.
    attempts: i64,
    state: &'static str,
    next_attempt_at: Option<i64>,
    finished_at: Option<i64>,
    started_at: i64,
    duration: i64,
    request_url: &'a str,
    request_headers: &'a str,
    response_status: Option<u16>,
    response_body: Option<String>,
    error: Option<&'a str>,
}

const OUTCOME: &[&str] = &[
    "id bigint",
    "attempts bigint",
    "state text",
    "next_attempt_at bigint",
    "finished_at bigint",
    "started_at bigint",
    "duration bigint",
    "request_url text",
    "request_headers text",
    "response_status bigint",
    "response_body text",
    "error text",
];
/// Of those, what the delivery itself keeps.
const STATE: &[&str] =
    &["id bigint", "attempts bigint", "state text", "next_attempt_at bigint", "finished_at bigint"];
const BEHIND: &[&str] = &["lane_id bigint", "object text", "id bigint", "until bigint"];

async fn write(transaction: &DatabaseTransaction, work: &Work) -> Result<Vec<Lane>> {
    let source = Source::Transaction(transaction);
    let dialect = source.dialect();
    let turns = &work.turns[work.range.clone()];
    if dialect == Dialect::Postgres {
        // Whatever of this a power cut undoes is sent and recorded once more, which receivers have to
        // expect anyway; so nobody waits for the disk.
        transaction.execute_unprepared("SET LOCAL synchronous_commit = off").await?;
    }
    let resumes = lock(transaction, turns, &work.holder).await?;
    let is_ours = |lane: &lane::Model| resumes.contains_key(&lane.id);

    let outcomes: Vec<OutcomeRow> = turns.iter().flat_map(outcomes).collect();
    if !outcomes.is_empty() {
        // A delivery that another worker has recorded meanwhile, or that is gone, is left alone.
        let as_it_was = " JOIN deliveries d ON d.id = v.id WHERE d.state = 'waiting' \
                         AND d.attempts = v.attempts";
        let mut sql = Sql::new(dialect);
        sql.push(
            "INSERT INTO delivery_attempts (delivery_id, number, started_at, duration, \
             request_url, request_headers, response_status, response_body, error) \
             SELECT v.id, v.attempts + 1, v.started_at, v.duration, v.request_url, \
             v.request_headers, v.response_status, v.response_body, v.error FROM ",
        );
        // Answers may be long: they are written once for both statements.
        let rows = serde_json::to_string(&outcomes).map_err(Error::internal)?;
        sql.written_rows(OUTCOME, &rows).push(as_it_was);
        execute(transaction, sql.query(false)).await?;
        let mut sql = Sql::new(dialect);
        sql.push(
            "UPDATE deliveries AS d SET state = v.state, attempts = v.attempts + 1, \
             next_attempt_at = v.next_attempt_at, finished_at = v.finished_at, \
             secrets = CASE WHEN v.state = 'delivered' THEN NULL ELSE d.secrets END FROM ",
        );
        sql.written_rows(STATE, &rows);
        sql.push(" WHERE d.id = v.id AND d.state = 'waiting' AND d.attempts = v.attempts");
        execute(transaction, sql.query(false)).await?;
    }
    // What was switched on since the channel looked is not held.
    let may_hold = |turn: &Turn| resumes.get(&turn.lane.id) == Some(&turn.resumes);
    let behind = turns.iter().flat_map(|turn| {
        all_behind(turn).filter(move |behind| behind.until.is_some() || may_hold(turn))
    });
    put_behind(transaction, &behind.collect::<Vec<_>>()).await?;
    let held = turns.iter().filter(|turn| may_hold(turn)).flat_map(|turn| &turn.held);
    hold(transaction, &held.map(|&id| Id { id }).collect::<Vec<_>>()).await?;
    for turn in turns.iter().filter(|turn| !turn.settled.is_empty()) {
        turn.channel.settle(transaction, &turn.lane, &turn.settled, work.now).await?;
    }
    let left = leave(transaction, turns, work).await?;
    let become_of = |turn: &Turn| match left.get(&turn.lane.id) {
        _ if !is_ours(&turn.lane) => Lane::Lost,
        Some(&due) => Lane::Left { due },
        None => Lane::Kept,
    };
    Ok(turns.iter().map(become_of).collect())
}

/// Locks the lanes, in the order in which all do; those that are still the worker's, with how often
/// they were resumed.
async fn lock(
    transaction: &DatabaseTransaction,
    turns: &[Turn],
    holder: &str,
) -> Result<HashMap<i64, i64>> {
    let source = Source::Transaction(transaction);
    let rows: Vec<Id> = turns.iter().map(|turn| Id { id: turn.lane.id }).collect();
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT id, resumes, holder FROM delivery_lanes WHERE id IN (SELECT v.id FROM ");
    sql.rows(Id::COLUMNS, &rows)?.push(") ORDER BY id").postgres(" FOR UPDATE");
    let holder = holder.to_owned();
    let read = move |lanes: &mut HashMap<i64, i64>, row: &dyn Row| {
        if let (Some(id), Some(resumes)) = (row.int(0), row.int(1))
            && row.text(2).as_deref() == Some(&holder)
        {
            lanes.insert(id, resumes);
        }
    };
    source.fetch(sql.query(false), HashMap::new(), read).await
}

fn outcomes(turn: &Turn) -> impl Iterator<Item = OutcomeRow<'_>> {
    turn.settled.iter().zip(&turn.requests).map(|(settled, request)| {
        let Settled { delivery, outcome, verdict } = settled;
        let ended_at = outcome.started_at + outcome.duration;
        let (state, next_attempt_at) = match verdict {
            Verdict::Delivered => (DELIVERED, None),
            Verdict::Failed | Verdict::Gone => (FAILED, None),
            Verdict::Retry(pause) => (WAITING, Some(ended_at + pause)),
        };
        let answer = outcome.answer.as_ref();
        // What is no text becomes one, and PostgreSQL's texts are without NUL.
        let text = |body: &[u8]| {
            let text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
            request.credentials.iter().fold(text, |text, secret| text.replace(secret, MASK))
        };
        // An answer may hold the message in any form: signed, quoted, encoded.
        let is_kept = delivery.secrets.is_none();
        OutcomeRow {
            id: delivery.id,
            attempts: delivery.attempts,
            state,
            next_attempt_at,
            finished_at: next_attempt_at.is_none().then_some(ended_at),
            started_at: outcome.started_at,
            duration: outcome.duration,
            request_url: &request.url,
            request_headers: &request.headers,
            response_status: answer.ok().map(|answer| answer.status.as_u16()),
            response_body: answer.ok().filter(|_| is_kept).map(|answer| text(&answer.body)),
            error: answer.err().map(String::as_str),
        }
    })
}

/// Messages that wait for others, as was found before and as has turned out now.
fn all_behind(turn: &Turn) -> impl Iterator<Item = Behind> {
    let failed = turn.settled.iter().filter_map(|settled| {
        let Settled { delivery, outcome, verdict } = settled;
        let Verdict::Retry(pause) = verdict else { return None };
        Some(Behind {
            lane_id: delivery.lane_id,
            object: delivery.object.clone(),
            id: delivery.id,
            until: Some(outcome.started_at + outcome.duration + pause),
        })
    });
    turn.behind.iter().cloned().chain(failed)
}

/// Has messages wait as long as the earlier one that they wait for.
async fn put_behind(transaction: &DatabaseTransaction, behind: &[Behind]) -> Result<()> {
    if behind.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(Source::Transaction(transaction).dialect());
    sql.push("UPDATE deliveries AS d SET next_attempt_at = v.until FROM ").rows(BEHIND, behind)?;
    sql.push(
        " WHERE d.lane_id = v.lane_id AND d.object = v.object AND d.state = 'waiting' \
         AND d.id > v.id AND (d.next_attempt_at < v.until OR v.until IS NULL)",
    );
    execute(transaction, sql.query(false)).await?;
    Ok(())
}

/// Has deliveries wait until their lane is resumed.
async fn hold(transaction: &DatabaseTransaction, held: &[Id]) -> Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(Source::Transaction(transaction).dialect());
    sql.push("UPDATE deliveries SET next_attempt_at = NULL WHERE state = 'waiting' AND id IN ");
    sql.push("(SELECT v.id FROM ").rows(Id::COLUMNS, held)?.push(")");
    execute(transaction, sql.query(false)).await?;
    Ok(())
}

/// Leaves lanes to whoever is next; for each, whether something is due in it. What has waited longest is
/// not before what has waited in other lanes: a lane that is left goes to the end of the line.
async fn leave(
    transaction: &DatabaseTransaction,
    turns: &[Turn],
    work: &Work,
) -> Result<HashMap<i64, bool>> {
    let left = turns.iter().filter(|turn| turn.leave).map(|turn| Id { id: turn.lane.id });
    let left: Vec<Id> = left.collect();
    if left.is_empty() {
        return Ok(HashMap::new());
    }
    let source = Source::Transaction(transaction);
    let mut sql = Sql::new(source.dialect());
    sql.push("UPDATE delivery_lanes SET holder = NULL, leased_until = 0, due_at = (SELECT ");
    sql.push("CASE WHEN d.next_attempt_at < ").bind(work.now).push(" THEN ").bind(work.now);
    sql.push(
        " ELSE d.next_attempt_at END FROM deliveries d WHERE d.lane_id = delivery_lanes.id \
         AND d.state = 'waiting' AND d.next_attempt_at IS NOT NULL \
         ORDER BY d.next_attempt_at LIMIT 1) WHERE holder = ",
    );
    sql.bind(work.holder.as_str()).push(" AND id IN (SELECT v.id FROM ");
    sql.rows(Id::COLUMNS, &left)?.push(") RETURNING id, due_at");
    let now = work.now;
    let read = move |left: &mut HashMap<i64, bool>, row: &dyn Row| {
        let is_due = row.int(1).is_some_and(|due_at| due_at <= now);
        left.extend(row.int(0).map(|id| (id, is_due)));
    };
    source.fetch(sql.query(false), HashMap::new(), read).await
}

/// Whether the log must not show a header.
fn is_secret(name: &http::HeaderName, value: &http::HeaderValue) -> bool {
    value.is_sensitive() || name == http::header::AUTHORIZATION
}

/// Headers of a request as the log keeps them: a JSON object, credentials masked.
fn shown(headers: &http::HeaderMap) -> String {
    let mut object = Map::new();
    for (name, value) in headers {
        let text = if is_secret(name, value) {
            MASK.to_owned()
        } else {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        // A name that is there twice is told as one list, as HTTP allows.
        match object.get_mut(name.as_str()) {
            Some(Value::String(known)) => known.push_str(&format!(", {text}")),
            _ => drop(object.insert(name.as_str().to_owned(), text.into())),
        }
    }
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_may_repeat_of_a_secret() {
        let basic = |pair: &str| repeatable(&format!("Basic {}", STANDARD.encode(pair)));
        for (pair, plain) in [
            ("me:s@fe!", &["me:s@fe!", "s@fe!"][..]),
            ("me:a\"bc:d", &["me:a\"bc:d", "me:a\\\"bc:d", "a\"bc:d", "a\\\"bc:d"]),
            // Three characters are part of any text.
            ("me:abc", &["me:abc"]),
            ("a:b", &[]),
            ("key-4711:", &["key-4711:", "key-4711"]),
            (":", &[]),
        ] {
            let forms = basic(pair);
            assert_eq!(forms[1..], *plain, "{pair}");
            assert_eq!(forms[0], STANDARD.encode(pair));
        }
        assert_eq!(repeatable("Bearer abcd"), ["abcd"]);
        assert_eq!(repeatable("abcd"), ["abcd"]);
        assert_eq!(repeatable("Basic no-base64"), ["no-base64"]);
    }
}
