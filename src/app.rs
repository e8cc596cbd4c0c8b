//! From configuration to a running service.
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use tokio::net::TcpListener;

use crate::api;
use crate::directory::catalogue::Catalogue;
use crate::directory::state::AppState;
use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::kernel::db::{Address, Store};
use crate::kernel::delivery::{self, Channel, Worker};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::connection::{self, ConnectionLimits};
use crate::kernel::idempotency::Running;
use crate::kernel::outgoing::Outgoing;
use crate::kernel::state::{Kernel, Parts, Site};
use crate::kernel::storage::Storage;
use crate::kernel::traffic::Traffic;
use crate::offering_api::attachments::sweep;
use crate::offering_api::webhook_deliveries::Webhooks;
use crate::package_api::notifications::Subscriptions;
use crate::package_api::{event_pull, package_files};

/// How often servers on one database tell each other what they counted.
const SHARE_EVERY: Duration = Duration::from_secs(1);

/// Connects to everything that the configuration names. The database is not migrated.
///
/// # Errors
/// Says what cannot be reached, opened or read.
pub async fn connect(config: Config, clock: Clock) -> Result<AppState> {
    let store = open(&config).await?;
    connect_with(store, config, clock)
}

/// Opens the database that the configuration names. It is not migrated.
///
/// # Errors
/// Says what cannot be reached or opened.
pub async fn open(config: &Config) -> Result<Store> {
    let address = Address { url: config.database_url(), connections: config.database_connections };
    Store::connect(&address).await
}

/// The same as [`connect`], on a database that is open already.
///
/// # Errors
/// Says what cannot be reached, opened or read.
pub fn connect_with(store: Store, config: Config, clock: Clock) -> Result<AppState> {
    let key = config.master_key().map_err(Error::internal)?;
    let catalogue = Catalogue::load(config.catalogue.as_deref()).map_err(Error::internal)?;
    let site = Site {
        public_url: config.public_url(),
        domain: config.domain.clone(),
        account_url: config.account_url(),
        key,
    };
    let kernel = Kernel::new(Parts {
        store,
        clock,
        storage: Storage::open(&config)?,
        outgoing: Outgoing::new(&config)?,
        site: Arc::new(site),
        running: Running::default(),
        traffic: Traffic::default(),
        config,
    });
    Ok(AppState::new(kernel, catalogue))
}

/// The service's router over a state.
pub fn router(state: &AppState) -> Router {
    api::router(state.clone())
}

/// Who delivers messages of every kind.
pub fn worker(state: &AppState) -> Worker {
    Worker::new(state.kernel.clone(), channels(state))
}

/// All kinds of messages.
fn channels(state: &AppState) -> Vec<Arc<dyn Channel>> {
    vec![
        Arc::new(Webhooks::new(state.kernel.clone())),
        Arc::new(Subscriptions::new(state.kernel.clone())),
    ]
}

/// Delivers messages until `shutdown`, then finishes those that are on their way.
pub async fn work(state: AppState, shutdown: impl Future<Output = ()>) {
    let sweeping = tokio::spawn(sweep_deliveries(state.clone()));
    worker(&state).run(shutdown).await;
    sweeping.abort();
}

/// Answers requests, and delivers messages unless that is left to others, until `shutdown`; then finishes
/// what has begun.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    state: AppState,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let shutdown = shutdown.shared();
    let delivering =
        state.config.deliver.then(|| tokio::spawn(work(state.clone(), shutdown.clone())));
    let counting = tokio::spawn(share_counts(state.clone()));
    let sweeping = tokio::spawn(sweep_files(state.clone()));
    let limits =
        ConnectionLimits { connections: state.config.connections, ..ConnectionLimits::default() };
    connection::serve(listener, router(&state), limits, shutdown).await;
    if let Some(delivering) = delivering {
        delivering.await.map_err(Error::internal)?;
    }
    counting.abort();
    // Wherever it stops, the next sweep goes on.
    sweeping.abort();
    // What was counted since the last round; a lost second of counting is no reason to fail.
    if let Err(error) = state.identities.share(&state.kernel).await {
        tracing::warn!(%error, "request counts could not be written");
    }
    Ok(())
}

async fn share_counts(state: AppState) {
    let mut every = tokio::time::interval(SHARE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = state.identities.share(&state.kernel).await {
            tracing::warn!(%error, "request counts could not be shared");
        }
    }
}

async fn sweep_files(state: AppState) {
    let mut every = tokio::time::interval(sweep::EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        match sweep::sweep(&state).await {
            Ok(swept) if swept == sweep::Swept::default() => {}
            Ok(swept) => tracing::info!(
                uploads = swept.uploads,
                files = swept.files,
                unfinished = swept.unfinished,
                "removed files that nobody uses"
            ),
            Err(error) => tracing::warn!(%error, "unused files could not be removed"),
        }
        match package_files::sweep::sweep(&state).await {
            Ok(swept) if swept == package_files::sweep::Swept::default() => {}
            Ok(swept) => tracing::info!(
                files = swept.files,
                unfinished = swept.unfinished,
                "removed files that no package has"
            ),
            Err(error) => tracing::warn!(%error, "files of packages could not be removed"),
        }
    }
}

async fn sweep_deliveries(state: AppState) {
    let mut every = tokio::time::interval(sweep::EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        match delivery::sweep::sweep(&state.kernel).await {
            Ok(swept) if swept == delivery::sweep::Swept::default() => {}
            Ok(swept) => tracing::info!(
                events = swept.events,
                deliveries = swept.deliveries,
                "removed events and deliveries that were kept long enough"
            ),
            Err(error) => tracing::warn!(%error, "old events and deliveries could not be removed"),
        }
        match event_pull::sweep::sweep(&state.kernel).await {
            Ok(0) => {}
            Ok(events) => {
                tracing::info!(events, "removed events of installs that were kept long enough")
            }
            Err(error) => tracing::warn!(%error, "old events of installs could not be removed"),
        }
    }
}
