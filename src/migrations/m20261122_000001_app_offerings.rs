//! Accounts and credentials; app offerings and what surrounds them.
use sea_orm::DbErr;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use super::statements::{count_rows, run};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

const DIRECTORY: &[&str] = &[
    "CREATE TABLE accounts (
        id {text} PRIMARY KEY,
        name {text} NOT NULL,
        time_zone {text} NOT NULL,
        locale {text} NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE TABLE people (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL,
        primary_email {text} NOT NULL,
        administrator BOOLEAN NOT NULL,
        disabled BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (account_id, primary_email)
    )",
    "CREATE TABLE trusts (
        provider_id {text} NOT NULL REFERENCES accounts (id),
        customer_id {text} NOT NULL REFERENCES accounts (id),
        created_at BIGINT NOT NULL,
        PRIMARY KEY (provider_id, customer_id)
    )",
    "CREATE INDEX trusts_customer ON trusts (customer_id, provider_id)",
    "CREATE TABLE oauth_clients (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        person_id BIGINT NOT NULL REFERENCES people (id),
        client_id {text} NOT NULL UNIQUE,
        secret_hash {text} NOT NULL,
        scopes {text} NOT NULL,
        disabled BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL
    )",
    "CREATE TABLE tokens (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        person_id BIGINT NOT NULL REFERENCES people (id),
        oauth_client_id BIGINT REFERENCES oauth_clients (id),
        hash {text} NOT NULL UNIQUE,
        scopes {text} NOT NULL,
        expires_at BIGINT,
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX tokens_expires_at ON tokens (expires_at)",
    "CREATE TABLE rate_limits (
        caller {text} NOT NULL,
        window_start BIGINT NOT NULL,
        used BIGINT NOT NULL,
        PRIMARY KEY (caller, window_start)
    )",
    "CREATE TABLE idempotency_keys (
        id {text} PRIMARY KEY,
        request {text} NOT NULL,
        status INTEGER NOT NULL,
        location {text},
        body {text} NOT NULL,
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at)",
    // Rows per account and table, so that the total of a plain list costs nothing.
    "CREATE TABLE collection_counts (
        account_id {text} NOT NULL,
        collection {text} NOT NULL,
        shard INTEGER NOT NULL,
        total BIGINT NOT NULL,
        PRIMARY KEY (account_id, collection, shard)
    )",
    "CREATE TABLE audit_lines (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        record_type {text} NOT NULL,
        record_id BIGINT NOT NULL,
        record_label {text} NOT NULL,
        action {text} NOT NULL,
        changes {text} NOT NULL,
        person_id BIGINT NOT NULL REFERENCES people (id),
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX audit_lines_account ON audit_lines (account_id, id)",
    "CREATE INDEX audit_lines_record ON audit_lines (record_type, record_id, id)",
    "CREATE TABLE uploads (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        file_key {text} NOT NULL UNIQUE,
        name {text} NOT NULL,
        content_type {text} NOT NULL,
        size BIGINT NOT NULL,
        digest {text} NOT NULL,
        blob {text} NOT NULL UNIQUE,
        created_at BIGINT NOT NULL
    )",
    "CREATE TABLE attachments (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        record_type {text} NOT NULL,
        record_id BIGINT NOT NULL,
        field {text} NOT NULL,
        file_key {text} NOT NULL,
        name {text} NOT NULL,
        size BIGINT NOT NULL,
        inline BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        UNIQUE (record_type, record_id, field, file_key)
    )",
    "CREATE INDEX attachments_file_key ON attachments (file_key)",
];

const OFFERINGS: &[&str] = &[
    "CREATE TABLE service_instances (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL,
        status {text} NOT NULL,
        service_id BIGINT NOT NULL,
        service_name {text} NOT NULL,
        provider_id BIGINT,
        provider_name {text},
        support_team_id BIGINT,
        support_team_name {text},
        first_line_team_id BIGINT,
        first_line_team_name {text},
        maintenance_window_id BIGINT,
        maintenance_window_name {text},
        remarks {text},
        picture_uri {text},
        time_zone {text},
        custom_fields {text},
        impact {text},
        source {text} NOT NULL,
        source_id {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX service_instances_id ON service_instances (account_id, id)",
    "CREATE INDEX service_instances_source_id ON service_instances (account_id, source_id, id)",
    "CREATE INDEX service_instances_name ON service_instances (account_id, name, id)",
    "CREATE INDEX service_instances_status ON service_instances (account_id, status, id)",
    "CREATE INDEX service_instances_service ON service_instances (account_id, service_id, id)",
    "CREATE INDEX service_instances_team ON service_instances (account_id, support_team_id, id)",
    // What another record of the account calls a team or calendar is looked up by its number.
    "CREATE INDEX service_instances_first_line ON service_instances (account_id, first_line_team_id)
        WHERE first_line_team_id IS NOT NULL",
    "CREATE INDEX service_instances_maintenance
        ON service_instances (account_id, maintenance_window_id)
        WHERE maintenance_window_id IS NOT NULL",
    "CREATE INDEX service_instances_created ON service_instances (account_id, created_at, id)",
    "CREATE INDEX service_instances_updated ON service_instances (account_id, updated_at, id)",
    "CREATE TABLE ui_extensions (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL,
        category {text} NOT NULL,
        title {text},
        description {text},
        disabled BOOLEAN NOT NULL,
        dark_mode_safe BOOLEAN NOT NULL,
        hide_note BOOLEAN NOT NULL,
        show_on_complete BOOLEAN NOT NULL,
        active_version_id BIGINT,
        prepared_version_id BIGINT,
        created_by_id BIGINT NOT NULL REFERENCES people (id),
        updated_by_id BIGINT NOT NULL REFERENCES people (id),
        source {text} NOT NULL,
        source_id {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX ui_extensions_id ON ui_extensions (account_id, id)",
    "CREATE INDEX ui_extensions_source_id ON ui_extensions (account_id, source_id, id)",
    "CREATE INDEX ui_extensions_name ON ui_extensions (account_id, name, id)",
    "CREATE INDEX ui_extensions_created ON ui_extensions (account_id, created_at, id)",
    "CREATE INDEX ui_extensions_updated ON ui_extensions (account_id, updated_at, id)",
    "CREATE TABLE ui_extension_versions (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        ui_extension_id BIGINT NOT NULL REFERENCES ui_extensions (id),
        version_nr BIGINT NOT NULL,
        status {text} NOT NULL,
        html {text},
        css {text},
        javascript {text},
        form_definition {text},
        phrases {text} NOT NULL,
        dark_mode_safe BOOLEAN NOT NULL,
        hide_note BOOLEAN NOT NULL,
        activated_at BIGINT,
        archived_at BIGINT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (ui_extension_id, version_nr)
    )",
    // One active version and one that is prepared, whatever races.
    "CREATE UNIQUE INDEX ui_extension_versions_active ON ui_extension_versions (ui_extension_id)
        WHERE status = 'active'",
    "CREATE UNIQUE INDEX ui_extension_versions_prepared ON ui_extension_versions (ui_extension_id)
        WHERE status = 'being_prepared'",
    "CREATE TABLE app_offerings (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        draft_id BIGINT REFERENCES app_offerings (id),
        published BOOLEAN NOT NULL,
        latest BOOLEAN NOT NULL,
        reference {text} NOT NULL,
        name {text} NOT NULL,
        card_description {text},
        description {text},
        features {text},
        compliance {text},
        disabled BOOLEAN NOT NULL,
        picture_uri {text},
        policy_jwt_alg {text},
        policy_jwt_audience {text},
        policy_jwt_claim_expires_in BIGINT,
        service_instance_id BIGINT NOT NULL REFERENCES service_instances (id),
        ui_extension_version_id BIGINT REFERENCES ui_extension_versions (id),
        webhook_uri_template {text},
        configuration_uri_template {text},
        openid_connect_discovery BOOLEAN NOT NULL,
        requires_enabled_oauth_person BOOLEAN NOT NULL,
        source {text} NOT NULL,
        source_id {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    // One draft per offering: this is what makes a reference unique over all accounts.
    "CREATE UNIQUE INDEX app_offerings_draft ON app_offerings (reference) WHERE draft_id IS NULL",
    // One latest published version per offering, whatever races.
    "CREATE UNIQUE INDEX app_offerings_latest ON app_offerings (draft_id)
        WHERE latest AND draft_id IS NOT NULL",
    "CREATE INDEX app_offerings_id ON app_offerings (account_id, id)",
    "CREATE INDEX app_offerings_source_id ON app_offerings (account_id, source_id, id)",
    "CREATE INDEX app_offerings_reference ON app_offerings (account_id, reference, id)",
    "CREATE INDEX app_offerings_name ON app_offerings (account_id, name, id)",
    "CREATE INDEX app_offerings_created ON app_offerings (account_id, created_at, id)",
    "CREATE INDEX app_offerings_updated ON app_offerings (account_id, updated_at, id)",
    "CREATE TABLE app_offering_scopes (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        app_offering_id BIGINT NOT NULL REFERENCES app_offerings (id),
        effect {text} NOT NULL,
        grant_type {text} NOT NULL,
        actions {text} NOT NULL,
        conditions {text} NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX app_offering_scopes_offering ON app_offering_scopes (app_offering_id, id)",
    "CREATE TABLE app_offering_automation_rules (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        app_offering_id BIGINT NOT NULL REFERENCES app_offerings (id),
        name {text} NOT NULL,
        rulable_type {text} NOT NULL,
        trigger_on {text} NOT NULL,
        position BIGINT NOT NULL,
        description {text},
        expressions {text},
        condition {text},
        actions {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX app_offering_automation_rules_offering
        ON app_offering_automation_rules (app_offering_id, position, id)",
    "CREATE INDEX app_offering_automation_rules_id
        ON app_offering_automation_rules (account_id, id)",
    "CREATE INDEX app_offering_automation_rules_position
        ON app_offering_automation_rules (account_id, position, id)",
    "CREATE TABLE app_instances (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        customer_account_id {text} NOT NULL REFERENCES accounts (id),
        app_offering_id BIGINT NOT NULL REFERENCES app_offerings (id),
        reference {text} NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (customer_account_id, reference)
    )",
];

/// Tables whose plain lists are counted.
const COUNTED: &[&str] = &[
    "audit_lines",
    "service_instances",
    "ui_extensions",
    "app_offerings",
    "app_offering_automation_rules",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DIRECTORY).await?;
        run(manager, OFFERINGS).await?;
        for table in COUNTED {
            count_rows(manager, table).await?;
        }
        Ok(())
    }
}
