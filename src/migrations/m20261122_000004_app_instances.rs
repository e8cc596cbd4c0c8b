//! Installed apps, webhooks with the keys that sign their messages, and all that goes out.
//!
//! Times are milliseconds since the epoch; of lanes, deliveries and attempts to the millisecond, of all
//! else to the second.
use sea_orm::DbErr;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use super::statements::{count_rows, run};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

const WEBHOOKS: &[&str] = &[
    "CREATE TABLE webhook_policies (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL UNIQUE,
        jwt_alg {text} NOT NULL,
        jwt_audience {text},
        jwt_claim_expires_in BIGINT,
        disabled BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX webhook_policies_id ON webhook_policies (account_id, id)",
    "CREATE INDEX webhook_policies_created ON webhook_policies (account_id, created_at, id)",
    "CREATE INDEX webhook_policies_updated ON webhook_policies (account_id, updated_at, id)",
    // A key that was replaced is shown until receivers have forgotten what it signed. The private one is
    // sealed.
    "CREATE TABLE webhook_policy_keys (
        id {text} PRIMARY KEY,
        webhook_policy_id BIGINT NOT NULL REFERENCES webhook_policies (id),
        algorithm {text} NOT NULL,
        public_key {text} NOT NULL,
        private_key {text} NOT NULL,
        shown_until BIGINT,
        created_at BIGINT NOT NULL
    )",
    // One key signs, whatever races.
    "CREATE UNIQUE INDEX webhook_policy_keys_signing ON webhook_policy_keys (webhook_policy_id)
        WHERE shown_until IS NULL",
    "CREATE INDEX webhook_policy_keys_policy ON webhook_policy_keys (webhook_policy_id, created_at)",
    // `uri` is without the name and password that it was written with: those are in `credentials`,
    // sealed, as is the key of Standard Webhooks. `app_offering_references`: JSON array, empty for all.
    "CREATE TABLE webhooks (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL,
        event {text} NOT NULL,
        uri {text} NOT NULL,
        credentials {text},
        description {text},
        disabled BOOLEAN NOT NULL,
        last_error {text},
        mail_exceptions_to {text},
        app_offering_references {text} NOT NULL,
        openid_connect_discovery BOOLEAN NOT NULL,
        webhook_policy_id BIGINT REFERENCES webhook_policies (id),
        standard_webhooks BOOLEAN NOT NULL,
        standard_key {text},
        verified_at BIGINT,
        code_hash {text},
        code_expires_at BIGINT,
        failures BIGINT NOT NULL,
        failing_since BIGINT,
        source {text} NOT NULL,
        source_id {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX webhooks_id ON webhooks (account_id, id)",
    "CREATE INDEX webhooks_event ON webhooks (account_id, event)",
    "CREATE INDEX webhooks_policy ON webhooks (webhook_policy_id)",
];

const INSTANCES: &[&str] = &[
    // Nothing has written to it so far.
    "DROP TABLE app_instances",
    // `account_id` is the provider's. `offering_id` is the draft, whatever version is installed: an
    // offering is installed once per customer. `custom_fields`: JSON array, without secrets. `confirmation`:
    // what the codes of the configuration are made for, anew each time that there is something to confirm.
    "CREATE TABLE app_instances (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        customer_account_id {text} NOT NULL REFERENCES accounts (id),
        offering_id BIGINT NOT NULL REFERENCES app_offerings (id),
        app_offering_id BIGINT NOT NULL REFERENCES app_offerings (id),
        customer_representative_id BIGINT REFERENCES people (id),
        disabled BOOLEAN NOT NULL,
        enabled_by_customer BOOLEAN NOT NULL,
        suspended BOOLEAN NOT NULL,
        suspension_comment {text},
        custom_fields {text},
        webhook_id BIGINT REFERENCES webhooks (id),
        webhook_policy_id BIGINT REFERENCES webhook_policies (id),
        confirmation {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (customer_account_id, offering_id)
    )",
    "CREATE INDEX app_instances_provider ON app_instances (account_id, id)",
    "CREATE INDEX app_instances_customer ON app_instances (customer_account_id, id)",
    "CREATE INDEX app_instances_offering ON app_instances (app_offering_id, id)",
    "CREATE INDEX app_instances_webhook ON app_instances (webhook_id)",
    "CREATE INDEX app_instances_policy ON app_instances (webhook_policy_id)",
    // In the customer's account: what the installed version brought along.
    "CREATE TABLE automation_rules (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        app_instance_id BIGINT NOT NULL REFERENCES app_instances (id),
        name {text} NOT NULL,
        rulable_type {text} NOT NULL,
        trigger_on {text} NOT NULL,
        position BIGINT NOT NULL,
        description {text},
        expressions {text},
        condition {text},
        actions {text},
        disabled BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX automation_rules_instance ON automation_rules (app_instance_id, position, id)",
    // OAuth applications of an installed app, one per grant type.
    "ALTER TABLE oauth_clients ADD COLUMN grant_type {text} NOT NULL DEFAULT 'client_credentials'",
    "ALTER TABLE oauth_clients ADD COLUMN app_instance_id BIGINT REFERENCES app_instances (id)",
    "CREATE INDEX oauth_clients_instance ON oauth_clients (app_instance_id)
        WHERE app_instance_id IS NOT NULL",
    "CREATE INDEX tokens_client ON tokens (oauth_client_id) WHERE oauth_client_id IS NOT NULL",
];

const EVENTS: &[&str] = &[
    // What has happened, written with the change itself. `position` is its place in the feed: given
    // afterwards, by one at a time, so that whoever reads on from a position misses nothing. `secrets` is
    // sealed, and gone once the messages are made.
    "CREATE TABLE events (
        id {key},
        event_id {text} NOT NULL UNIQUE,
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL,
        record_type {text} NOT NULL,
        record_id BIGINT NOT NULL,
        person_id BIGINT REFERENCES people (id),
        audit_line_id BIGINT,
        payload {text} NOT NULL,
        secrets {text},
        position BIGINT,
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX events_waiting ON events (id) WHERE position IS NULL",
    "CREATE INDEX events_account ON events (account_id, position)",
    "CREATE INDEX events_created ON events (created_at)",
    // The next position. Whoever has locked it gives positions.
    "CREATE TABLE event_positions (
        id BIGINT PRIMARY KEY CHECK (id = 1),
        next BIGINT NOT NULL
    )",
    "INSERT INTO event_positions (id, next) VALUES (1, 1)",
    // Where messages go: to a webhook, or to a subscription of a package (`target_id`); `name` tells more
    // lanes of one target apart. One worker at a time has a lane, until `leased_until`. Nothing waits in
    // one without `due_at`. `resumes` counts how often what was held was let go.
    "CREATE TABLE delivery_lanes (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        kind {text} NOT NULL,
        target_id BIGINT NOT NULL,
        name {text} NOT NULL,
        due_at BIGINT,
        holder {text},
        leased_until BIGINT NOT NULL,
        resumes BIGINT NOT NULL,
        UNIQUE (kind, target_id, name)
    )",
    "CREATE INDEX delivery_lanes_due ON delivery_lanes (due_at) WHERE due_at IS NOT NULL",
    // Messages. `object` is what they are about: those of one object leave in order. One that waits
    // without `next_attempt_at` is held until its lane is resumed. `origin_id` names the delivery that
    // this one repeats. `payload`: JSON; `secrets`: more of it, sealed, and gone once
    // delivered.
    "CREATE TABLE deliveries (
        id {key},
        lane_id BIGINT NOT NULL REFERENCES delivery_lanes (id),
        account_id {text} NOT NULL REFERENCES accounts (id),
        delivery_id {text} NOT NULL UNIQUE,
        origin_id {text},
        event_id BIGINT,
        event {text} NOT NULL,
        object {text} NOT NULL,
        payload {text} NOT NULL,
        secrets {text},
        state {text} NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
        attempts BIGINT NOT NULL,
        next_attempt_at BIGINT,
        finished_at BIGINT,
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX deliveries_lane ON deliveries (lane_id, id)",
    "CREATE INDEX deliveries_due ON deliveries (lane_id, next_attempt_at, id) WHERE state = 'waiting'",
    "CREATE INDEX deliveries_object ON deliveries (lane_id, object, id) WHERE state = 'waiting'",
    "CREATE INDEX deliveries_origin ON deliveries (origin_id) WHERE origin_id IS NOT NULL",
    "CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL",
    // `request_url` is without name and password; `request_headers`: JSON object. Either an answer came, or `error` says why not.
    "CREATE TABLE delivery_attempts (
        delivery_id BIGINT NOT NULL REFERENCES deliveries (id),
        number BIGINT NOT NULL,
        started_at BIGINT NOT NULL,
        duration BIGINT NOT NULL,
        request_url {text} NOT NULL,
        request_headers {text} NOT NULL,
        response_status BIGINT,
        response_body {text},
        error {text},
        PRIMARY KEY (delivery_id, number)
    )",
];

const PACKAGE_EVENTS: &[&str] = &[
    // `owner_account_id` owns the application. `recipients`: JSON array of the subscriptions that are told,
    // settled with the change itself: a later install has others.
    "ALTER TABLE package_events ADD COLUMN owner_account_id {text} NOT NULL DEFAULT ''",
    "ALTER TABLE package_events ADD COLUMN recipients {text} NOT NULL DEFAULT '[]'",
    "UPDATE package_events SET owner_account_id =
        (SELECT owner_account_id FROM entitlements WHERE entitlements.id = entitlement_id)",
    "CREATE INDEX package_events_account ON package_events (account_id, id)",
    "CREATE INDEX package_events_owner ON package_events (owner_account_id, id)",
    "CREATE INDEX package_events_occurred ON package_events (occurred_at)",
];

/// Tables whose plain lists are counted.
const COUNTED: &[&str] = &["webhook_policies", "webhooks"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statements in [WEBHOOKS, INSTANCES, EVENTS, PACKAGE_EVENTS] {
            run(manager, statements).await?;
        }
        for table in COUNTED {
            count_rows(manager, table).await?;
        }
        Ok(())
    }
}
