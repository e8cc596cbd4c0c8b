//! App packages: who develops, what they make, where it is installed, and who hosts it.
//!
//! Numbers are BIGINT throughout and times milliseconds since the epoch. A `…_key` is the column beside
//! it in lower case: what is unique or looked up without regard to case (contract 2.2).
use sea_orm::DbErr;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use super::statements::{count_rows, run};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

const DIRECTORY: &[&str] = &[
    // The wire of app packages knows accounts by numbers.
    "CREATE TABLE account_numbers (
        number {key},
        account_id {text} NOT NULL UNIQUE REFERENCES accounts (id)
    )",
    "INSERT INTO account_numbers (account_id) SELECT id FROM accounts ORDER BY created_at, id",
    "CREATE TABLE developers (
        id {key},
        email {text} NOT NULL,
        email_key {text} NOT NULL UNIQUE,
        password_hash {text} NOT NULL,
        disabled BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    // As which person a developer works in an account.
    "CREATE TABLE developer_accounts (
        developer_id BIGINT NOT NULL REFERENCES developers (id),
        account_id {text} NOT NULL REFERENCES accounts (id),
        person_id BIGINT NOT NULL REFERENCES people (id),
        PRIMARY KEY (developer_id, account_id)
    )",
    // One key per period: of the servers that make it at the same time, one succeeds.
    "CREATE TABLE signing_keys (
        id {text} PRIMARY KEY,
        public_key {text} NOT NULL,
        private_key {text} NOT NULL,
        signs_from BIGINT NOT NULL UNIQUE,
        shown_until BIGINT NOT NULL,
        created_at BIGINT NOT NULL
    )",
];

const APPLICATIONS: &[&str] = &[
    "CREATE TABLE namespaces (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL,
        name_key {text} NOT NULL UNIQUE,
        registry_id {text} NOT NULL,
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX namespaces_account ON namespaces (account_id, id)",
    // `person_id`: whom audit entries name when the application itself changes something.
    "CREATE TABLE applications (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
        app_id {text} NOT NULL,
        app_id_key {text} NOT NULL,
        type_id BIGINT NOT NULL CHECK (type_id BETWEEN 1 AND 3),
        person_id BIGINT NOT NULL REFERENCES people (id),
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (namespace_id, app_id_key)
    )",
    "CREATE INDEX applications_account ON applications (account_id, app_id_key, id)",
    // The secret itself is sealed; its keyed hash is what a log-in is compared with.
    "CREATE TABLE application_versions (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        application_id BIGINT NOT NULL REFERENCES applications (id),
        major BIGINT NOT NULL,
        minor BIGINT NOT NULL,
        revision BIGINT NOT NULL,
        is_latest BOOLEAN NOT NULL,
        guid {text} NOT NULL UNIQUE,
        name {text} NOT NULL,
        name_key {text} NOT NULL,
        description {text},
        status_id BIGINT NOT NULL CHECK (status_id BETWEEN 1 AND 6),
        shared_secret {text} NOT NULL,
        secret_hash {text} NOT NULL,
        parent_version_id BIGINT REFERENCES application_versions (id),
        parent_range {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (application_id, major, minor, revision)
    )",
    // One latest version per application, whatever races.
    "CREATE UNIQUE INDEX application_versions_latest ON application_versions (application_id)
        WHERE is_latest",
    "CREATE INDEX application_versions_name ON application_versions (account_id, name_key, id)
        WHERE is_latest",
    // Where a theme looks for updates of its parent.
    "CREATE INDEX application_versions_published
        ON application_versions (application_id, major, minor, revision)
        WHERE status_id = 5",
    // `behaviors`: JSON array of ids, ascending; `capability_types` and `attributes`: JSON arrays of
    // contract 2.6.
    "CREATE TABLE packages (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        version_id BIGINT NOT NULL REFERENCES application_versions (id),
        name {text} NOT NULL,
        name_key {text} NOT NULL,
        is_release BOOLEAN NOT NULL,
        is_deleted BOOLEAN NOT NULL,
        guid {text} NOT NULL UNIQUE,
        description {text},
        api_version {text} NOT NULL,
        app_config_url {text},
        theme_engine_version {text},
        project_id BIGINT,
        user_id BIGINT REFERENCES developers (id),
        behaviors {text} NOT NULL,
        capability_types {text} NOT NULL,
        attributes {text} NOT NULL,
        file_count BIGINT NOT NULL CHECK (file_count >= 0),
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (version_id, name_key)
    )",
    "CREATE UNIQUE INDEX packages_release ON packages (version_id) WHERE is_release",
    "CREATE INDEX packages_account ON packages (account_id, id) WHERE NOT is_deleted",
    // Of an application or of a developer; the latter's account is the one that was chosen.
    "CREATE TABLE refresh_tokens (
        hash {text} PRIMARY KEY,
        package_id BIGINT REFERENCES packages (id),
        developer_id BIGINT REFERENCES developers (id),
        account_id {text} REFERENCES accounts (id),
        expires_at BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        CHECK ((package_id IS NULL) <> (developer_id IS NULL))
    )",
    "CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at)",
    "CREATE INDEX refresh_tokens_package ON refresh_tokens (package_id)",
    // `events`: JSON array of events (contract 2.6), as the catalogue had them.
    "CREATE TABLE package_subscriptions (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        package_id BIGINT NOT NULL REFERENCES packages (id),
        endpoint {text} NOT NULL,
        events {text} NOT NULL,
        no_callback BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX package_subscriptions_package ON package_subscriptions (package_id, id)",
    // Several rows may share a blob: copies of a package do.
    "CREATE TABLE package_files (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        package_id BIGINT NOT NULL REFERENCES packages (id),
        path {text} NOT NULL,
        path_key {text} NOT NULL,
        media_type {text} NOT NULL,
        check_sum {text} NOT NULL,
        size BIGINT NOT NULL,
        blob {text} NOT NULL,
        created_by {text} NOT NULL,
        updated_by {text} NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        UNIQUE (package_id, path_key)
    )",
    "CREATE INDEX package_files_blob ON package_files (blob)",
    // The next id of what lives within JSON columns.
    "CREATE TABLE wire_ids (
        name {text} PRIMARY KEY,
        next BIGINT NOT NULL
    )",
    "INSERT INTO wire_ids (name, next) VALUES ('capability', 1), ('transaction', 1)",
];

const INSTALLS: &[&str] = &[
    "CREATE TABLE tenants (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        name {text} NOT NULL,
        is_sandbox BOOLEAN NOT NULL,
        domain {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE INDEX tenants_account ON tenants (account_id, id)",
    "CREATE TABLE sites (
        id {key},
        tenant_id BIGINT NOT NULL REFERENCES tenants (id),
        name {text} NOT NULL,
        domain {text},
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX sites_tenant ON sites (tenant_id, id)",
    // `account_id` owns the tenant, `owner_account_id` the application. `place` is the site, or 0: no
    // index tells two NULLs apart. `behaviors`, `subscriptions` and `capability_types` are as they were
    // at the install; `transactions` is a JSON array of contract 2.6.
    "CREATE TABLE entitlements (
        id {key},
        account_id {text} NOT NULL REFERENCES accounts (id),
        owner_account_id {text} NOT NULL REFERENCES accounts (id),
        application_id BIGINT NOT NULL REFERENCES applications (id),
        version_id BIGINT NOT NULL REFERENCES application_versions (id),
        package_id BIGINT NOT NULL REFERENCES packages (id),
        tenant_id BIGINT NOT NULL REFERENCES tenants (id),
        site_id BIGINT REFERENCES sites (id),
        place BIGINT NOT NULL,
        is_current BOOLEAN NOT NULL,
        revoked_at BIGINT,
        license_type {text} NOT NULL,
        starts_at BIGINT NOT NULL,
        ends_at BIGINT,
        installed_at BIGINT NOT NULL,
        installed_by BIGINT REFERENCES people (id),
        installation_id {text} NOT NULL,
        enabled BOOLEAN NOT NULL,
        initialized BOOLEAN NOT NULL,
        behaviors {text} NOT NULL,
        subscriptions {text} NOT NULL,
        capability_types {text} NOT NULL,
        transactions {text} NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    // One current install per application and place, whatever races.
    "CREATE UNIQUE INDEX entitlements_current ON entitlements (application_id, tenant_id, place)
        WHERE is_current",
    "CREATE INDEX entitlements_package ON entitlements (package_id, id)",
    "CREATE INDEX entitlements_version ON entitlements (version_id, id)",
    "CREATE INDEX entitlements_tenant ON entitlements (tenant_id, id)",
    "CREATE INDEX entitlements_account ON entitlements (account_id, id)",
    "CREATE INDEX entitlements_owner ON entitlements (owner_account_id, id)",
    // What is to be told to subscribers. `caused_by`: the application whose call it was.
    "CREATE TABLE package_events (
        id {key},
        event_id {text} NOT NULL UNIQUE,
        topic {text} NOT NULL,
        account_id {text} NOT NULL REFERENCES accounts (id),
        tenant_id BIGINT NOT NULL REFERENCES tenants (id),
        site_id BIGINT,
        entitlement_id BIGINT NOT NULL REFERENCES entitlements (id),
        entity_id {text} NOT NULL,
        caused_by BIGINT,
        correlation_id {text} NOT NULL,
        occurred_at BIGINT NOT NULL
    )",
];

const HOSTING: &[&str] = &[
    "CREATE TABLE hosted_sites (
        site_id BIGINT PRIMARY KEY REFERENCES sites (id),
        application_id BIGINT NOT NULL REFERENCES applications (id),
        log_folder {text} NOT NULL,
        created_at BIGINT NOT NULL
    )",
    "CREATE TABLE builds (
        id {key},
        site_id BIGINT NOT NULL REFERENCES hosted_sites (site_id),
        branch {text} NOT NULL,
        job_id {text} NOT NULL,
        status {text} NOT NULL,
        commit_id {text},
        commit_time BIGINT,
        started_at BIGINT NOT NULL,
        ended_at BIGINT,
        created_at BIGINT NOT NULL,
        UNIQUE (site_id, branch, job_id)
    )",
    "CREATE INDEX builds_branch ON builds (site_id, branch, started_at, id)",
    "CREATE TABLE build_steps (
        build_id BIGINT NOT NULL REFERENCES builds (id),
        position BIGINT NOT NULL,
        name {text} NOT NULL,
        status {text} NOT NULL,
        log_key {text},
        started_at BIGINT,
        ended_at BIGINT,
        PRIMARY KEY (build_id, position)
    )",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statements in [DIRECTORY, APPLICATIONS, INSTALLS, HOSTING] {
            run(manager, statements).await?;
        }
        count_rows(manager, "applications").await
    }
}
