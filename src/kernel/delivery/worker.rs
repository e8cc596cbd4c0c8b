//! Who delivers: takes lanes in which something is due, sends what is due in them, records what came of
//! it, and leaves them.
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::channel::{Answer, Channel, Composed, Message, Outcome, Settled, Verdict};
use super::dispatch::Dispatcher;
use super::entity::{self, lane};
use super::lanes::{self, Claim, Due, Had, Prolong};
use super::pace::Pace;
use super::record::{Lane, Recorder, Sent, Turn};
use crate::kernel::error::{Result, chain};
use crate::kernel::outgoing::Limits;
use crate::kernel::state::Kernel;

/// How often is looked for what other processes have written, and for what has become due.
const LOOK: Duration = Duration::from_millis(500);
/// Accounts that can have all their receivers hang without any other noticing it: an account has at most this
/// part of the lanes.
const ACCOUNTS: usize = 4;
/// The same for receivers of an account that have several lanes, as package subscriptions do.
const RECEIVERS: usize = 4;
/// So many lanes an account may have in any case.
const FEW: usize = 4;
/// Most messages of one turn,
const TURN: usize = 64;
/// and while requests come.
const SHORT_TURN: usize = 32;
/// Most messages of all turns together, as far as lanes do not have so few that it would slow them down.
const IN_HAND: usize = 1_024;
/// A turn that takes less is followed by a longer one.
const QUICK: Duration = Duration::from_millis(250);
/// No further message of a turn leaves after this time: it would be sent as it was composed before.
const SLOW: Duration = Duration::from_secs(1);
/// Nor when the answers so far are longer than this, in bytes: they are kept until they are recorded.
const ANSWERS: usize = 128 * 1024;

/// Makes deliveries of events, and delivers them. Any number of workers share the work.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    kernel: Kernel,
    channels: Arc<[Arc<dyn Channel>]>,
    pace: Pace,
    recorder: Recorder,
    /// What lanes that this worker has are marked with.
    holder: String,
    /// Lanes that tasks of this worker are busy with, and whose they are: no others are kept.
    busy: Mutex<HashMap<i64, Receiver>>,
    /// There may be lanes to be taken.
    due: Notify,
    stopping: watch::Sender<bool>,
}

impl Worker {
    /// A worker that knows these kinds of lanes; lanes of other kinds it leaves to others. To be called
    /// inside a runtime.
    pub fn new(kernel: Kernel, channels: Vec<Arc<dyn Channel>>) -> Self {
        let holder = uuid::Uuid::new_v4().to_string();
        let pace = Pace::new(kernel.traffic.clone());
        let recorder = Recorder::start(kernel.clone(), pace.clone(), holder.clone());
        Self(Arc::new(Inner {
            kernel,
            channels: channels.into(),
            pace,
            recorder,
            holder,
            busy: Mutex::default(),
            due: Notify::new(),
            stopping: watch::Sender::new(false),
        }))
    }

    /// Works until `shutdown`, then finishes what has begun: no further message leaves, and those that
    /// have left are recorded.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let stop = async {
            shutdown.await;
            self.0.stopping.send_replace(true);
            self.0.pace.hurry();
            // The others end by themselves.
            std::future::pending::<()>().await;
        };
        let work = async { tokio::join!(self.0.dispatch(), self.0.serve_lanes()) };
        tokio::select! {
            _ = work => {}
            () = stop => {}
            () = self.0.keep_lanes() => {}
        }
    }

    /// Dispatches and delivers until nothing is due now; what fails waits for its next attempt. For
    /// tests, whose clock stands still.
    ///
    /// # Errors
    /// The database's, and the channels'.
    pub async fn run_until_idle(&self) -> Result<()> {
        let mut dispatcher = self.0.dispatcher();
        loop {
            while dispatcher.run().await? {}
            let lanes = self.0.claim(self.0.kernel.config.delivery_lanes).await?;
            if lanes.is_empty() {
                return Ok(());
            }
            let mut tasks: JoinSet<()> =
                lanes.into_iter().map(|it| self.0.clone().serve(it)).collect();
            while tasks.join_next().await.is_some() {}
        }
    }
}

impl Inner {
    fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(self.kernel.clone(), self.pace.clone(), self.channels.clone())
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Makes deliveries of events as they come.
    async fn dispatch(&self) {
        let mut written = self.kernel.store.written();
        let mut stopping = self.stopping.subscribe();
        let mut dispatcher = self.dispatcher();
        while !self.is_stopping() {
            match dispatcher.run().await {
                Ok(true) => {
                    self.due.notify_one();
                    continue;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = chain(&error), "events could not be dispatched");
                    // Whatever wakes it, not at once again.
                    tokio::time::sleep(LOOK).await;
                }
            }
            tokio::select! {
                _ = written.changed() => {}
                _ = stopping.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Takes lanes as they become due; at the end waits for those that it has.
    async fn serve_lanes(self: &Arc<Self>) {
        let mut written = self.kernel.store.written();
        let mut stopping = self.stopping.subscribe();
        let mut tasks = JoinSet::new();
        while !self.is_stopping() {
            while tasks.try_join_next().is_some() {}
            let free = self.kernel.config.delivery_lanes.saturating_sub(tasks.len());
            match self.claim(free).await {
                Ok(lanes) => {
                    for lane in lanes {
                        tasks.spawn(self.clone().serve(lane));
                    }
                }
                Err(error) => {
                    tracing::error!(error = chain(&error), "lanes could not be taken");
                    tokio::time::sleep(LOOK).await;
                }
            }
            let is_full = tasks.len() >= self.kernel.config.delivery_lanes;
            tokio::select! {
                _ = written.changed(), if !is_full => {}
                () = self.due.notified(), if !is_full => {}
                // Also when none is full: an account may wait for one of its own.
                Some(_) = tasks.join_next() => {}
                _ = stopping.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Prolongs the leases of the lanes that tasks are busy with.
    async fn keep_lanes(&self) {
        let lease = Duration::from_secs(self.kernel.config.delivery_lease.into());
        loop {
            tokio::time::sleep(lease / 3).await;
            let lanes: Vec<i64> = self.busy.lock().keys().copied().collect();
            if lanes.is_empty() {
                continue;
            }
            let (holder, until) = (self.holder.clone(), self.leased_until());
            let done = lanes::prolong(&self.kernel.store, Prolong { lanes, holder, until }).await;
            if let Err(error) = done {
                tracing::warn!(error = chain(&error), "lanes could not be kept");
            }
        }
    }

    fn leased_until(&self) -> i64 {
        self.kernel.clock.now_millis() + i64::from(self.kernel.config.delivery_lease) * 1000
    }

    async fn claim(&self, limit: usize) -> Result<Vec<lane::Model>> {
        let lanes = self.kernel.config.delivery_lanes;
        let most = (lanes / ACCOUNTS).max(FEW).min(lanes);
        let mut had: HashMap<Receiver, i64> = HashMap::new();
        for receiver in self.busy.lock().values() {
            *had.entry(receiver.clone()).or_default() += 1;
        }
        let had = had.into_iter().map(|(Receiver { account, kind, target }, lanes)| Had {
            account_id: account,
            kind,
            target_id: target,
            lanes,
        });
        let claim = Claim {
            kinds: self.channels.iter().map(|channel| channel.kind()).collect(),
            holder: self.holder.clone(),
            now: self.kernel.clock.now_millis(),
            until: self.leased_until(),
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            per_account: i64::try_from(most).unwrap_or(i64::MAX),
            per_receiver: i64::try_from((most / RECEIVERS).max(1)).unwrap_or(i64::MAX),
            had: had.collect(),
        };
        lanes::claim(&self.kernel.store, claim).await
    }

    /// Works on a lane until nothing is due in it, or others want a turn. It counts as busy at once, not
    /// when the task begins.
    fn serve(self: Arc<Self>, lane: lane::Model) -> impl Future<Output = ()> {
        let busy = Busy::new(self.clone(), &lane);
        async move {
            let _busy = busy;
            self.work_on(lane).await;
        }
    }

    async fn work_on(&self, lane: lane::Model) {
        let Some(channel) = self.channels.iter().find(|channel| channel.kind() == lane.kind) else {
            return;
        };
        let begun = Instant::now();
        let mut size = self.kernel.config.deliveries_in_flight;
        loop {
            let turn = Instant::now();
            match self.turn(&lane, channel, self.bounded(size), begun).await {
                Ok(Lane::Kept) => {}
                Ok(Lane::Left { due }) => {
                    if due {
                        self.due.notify_one();
                    }
                    return;
                }
                Ok(Lane::Lost) => return,
                Err(error) => {
                    // Another worker, or this one, goes on when the lease has ended.
                    tracing::error!(
                        lane = lane.id,
                        kind = lane.kind,
                        target = lane.target_id,
                        error = chain(&error),
                        "messages could not be delivered"
                    );
                    return;
                }
            }
            if turn.elapsed() < QUICK {
                size = (size * 2).min(TURN);
            }
        }
    }

    /// A number of messages for one turn, made smaller as others need it.
    fn bounded(&self, size: usize) -> usize {
        let most = if self.pace.is_slow() { SHORT_TURN } else { TURN };
        let share = IN_HAND / self.busy.lock().len().max(1);
        size.min(most).min(share.max(self.kernel.config.deliveries_in_flight))
    }

    /// Sends at most `size` messages of a lane and records what came of them.
    async fn turn(
        &self,
        lane: &lane::Model,
        channel: &Arc<dyn Channel>,
        size: usize,
        begun: Instant,
    ) -> Result<Lane> {
        let portion = self.pace.portion().await;
        let now = self.kernel.clock.now_millis();
        // Who is about to stop only leaves the lane.
        let size = if self.is_stopping() { 0 } else { size };
        let Due { now: due, behind, is_full, resumes } =
            lanes::load(&self.kernel.store, lane.id, now, size).await?;
        let mut held: Vec<(i64, String)> =
            due.iter().map(|delivery| (delivery.id, delivery.object.clone())).collect();
        let mut messages = Vec::new();
        if !due.is_empty()
            && let Composed::Send(composed) = channel.compose(lane, due, now).await?
        {
            let sent: HashSet<i64> = composed.iter().map(|message| message.delivery.id).collect();
            held.retain(|(id, _)| !sent.contains(id));
            messages = composed;
        }
        drop(portion);
        // Nor does anything overtake what is held.
        messages.retain(|Message { delivery, .. }| {
            let is_behind = held.iter().any(|(id, of)| *id < delivery.id && *of == delivery.object);
            if is_behind {
                held.push((delivery.id, delivery.object.clone()));
            }
            !is_behind
        });
        let (sent, unsent) = self.send_all(channel.as_ref(), messages).await;
        let has_more = is_full || unsent || !behind.is_empty();
        let leave = !has_more || self.is_stopping() || begun.elapsed() > SLOW;
        let (settled, requests) = sent.into_iter().unzip();
        let held = held.into_iter().map(|(id, _)| id).collect();
        let (lane, channel) = (lane.clone(), channel.clone());
        let turn = Turn { lane, channel, settled, requests, held, behind, resumes, leave };
        self.recorder.record(turn).await
    }

    /// Sends messages, so many at a time as are allowed; those of one object one after the other, until
    /// one has to be tried again. Whether any was left for another turn.
    async fn send_all(
        &self,
        channel: &dyn Channel,
        messages: Vec<Message>,
    ) -> (Vec<(Settled, Sent)>, bool) {
        let begun = Instant::now();
        let answers = AtomicUsize::new(0);
        // The channel decides what becomes of the others, once it knows.
        let gone = AtomicBool::new(false);
        let goes_on = || {
            !self.is_stopping()
                && !gone.load(Ordering::Relaxed)
                && begun.elapsed() < SLOW
                && answers.load(Ordering::Relaxed) < ANSWERS
        };
        let of_object = |messages: VecDeque<Message>| {
            let (goes_on, gone, answers) = (&goes_on, &gone, &answers);
            async move {
                let mut sent = Vec::with_capacity(messages.len());
                for message in messages {
                    if !goes_on() {
                        return (sent, true);
                    }
                    let (settled, request) = self.send(channel, message).await;
                    if let Ok(answer) = &settled.outcome.answer {
                        answers.fetch_add(answer.body.len(), Ordering::Relaxed);
                    }
                    let verdict = settled.verdict;
                    gone.fetch_or(verdict == Verdict::Gone, Ordering::Relaxed);
                    sent.push((settled, request));
                    if matches!(verdict, Verdict::Retry(_)) {
                        // The others wait with it.
                        break;
                    }
                }
                (sent, false)
            }
        };
        let sending = futures_util::stream::iter(by_object(messages))
            .map(of_object)
            .buffer_unordered(self.kernel.config.deliveries_in_flight);
        let all = (Vec::new(), false);
        sending
            .fold(all, |(mut all, any_unsent), (sent, unsent)| async move {
                all.extend(sent);
                (all, any_unsent || unsent)
            })
            .await
    }

    async fn send(&self, channel: &dyn Channel, message: Message) -> (Settled, Sent) {
        let Message { delivery, request } = message;
        let sent = Sent::of(&request);
        let timeout = Duration::from_millis(channel.timeout().unsigned_abs());
        let started_at = self.kernel.clock.now_millis();
        let begun = Instant::now();
        let limits = Limits { timeout, ..Limits::default() };
        let answer = self.kernel.outgoing.send(request, limits).await;
        let duration = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let answer = answer.map_err(|failure| failure.to_string()).map(|answer| Answer {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        });
        let outcome = Outcome { answer, started_at, duration };
        let verdict = channel.judge(&delivery, delivery.attempts + 1, &outcome);
        (Settled { delivery, outcome, verdict }, sent)
    }
}

/// The messages of each object, oldest first; objects by their oldest message.
fn by_object(mut messages: Vec<Message>) -> Vec<VecDeque<Message>> {
    messages.sort_by_key(|message| message.delivery.id);
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut objects: Vec<VecDeque<Message>> = Vec::new();
    for message in messages {
        let entity::Model { object, .. } = &message.delivery;
        match places.get(object) {
            Some(&at) => objects[at].push_back(message),
            None => {
                places.insert(object.clone(), objects.len());
                objects.push(VecDeque::from([message]));
            }
        }
    }
    objects
}

/// Who gets the messages of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Receiver {
    account: String,
    kind: String,
    target: i64,
}

/// Marks a lane as one that a task is busy with, however the task ends.
struct Busy {
    inner: Arc<Inner>,
    lane: i64,
}

impl Busy {
    fn new(inner: Arc<Inner>, lane: &lane::Model) -> Self {
        let lane::Model { id, account_id, kind, target_id, .. } = lane;
        let account = account_id.clone();
        let receiver = Receiver { account, kind: kind.clone(), target: *target_id };
        inner.busy.lock().insert(*id, receiver);
        Self { inner, lane: *id }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.inner.busy.lock().remove(&self.lane);
    }
}
