-- Tables of the peers, on SQLite and PostgreSQL alike. The benchmark replaces the words in braces:
-- {id} and {timestamp} by the database's types, {rows} by the number of offerings.
CREATE TABLE service_instances (
  id {id},
  name varchar(80) NOT NULL
);
CREATE TABLE ui_extension_versions (
  id {id},
  name varchar(190) NOT NULL,
  version integer NOT NULL
);
CREATE TABLE app_offerings (
  id {id},
  reference varchar(161) NOT NULL,
  name varchar(128) NOT NULL,
  source varchar(30),
  source_id varchar(128),
  card_description varchar(255),
  description text,
  features text,
  compliance text,
  disabled boolean NOT NULL,
  picture_uri text,
  policy_jwt_alg varchar(5),
  policy_jwt_audience text,
  policy_jwt_claim_expires_in integer,
  service_instance_id bigint NOT NULL REFERENCES service_instances (id),
  ui_extension_version_id bigint REFERENCES ui_extension_versions (id),
  webhook_uri_template varchar(255),
  configuration_uri_template varchar(255),
  openid_connect_discovery boolean NOT NULL DEFAULT false,
  requires_enabled_oauth_person boolean NOT NULL DEFAULT false,
  created_at {timestamp} NOT NULL,
  updated_at {timestamp} NOT NULL
);

INSERT INTO service_instances (name) VALUES ('Our Integration');

-- The same texts and the same tenth of disabled offerings as the benchmark gives to the server.
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
INSERT INTO app_offerings (reference, name, source, disabled, policy_jwt_alg,
  policy_jwt_claim_expires_in, service_instance_id, webhook_uri_template, created_at, updated_at)
SELECT 'wdc_bench_offering_' || substr('' || (10000000 + i), 2),
  'Bench offering ' || substr('' || (10000000 + i), 2),
  'Appmarket benchmark', i % 10 = 0, 'es256', 10, 1,
  'https://echo.example.test/hook?account={account}', '2026-02-01T09:15:00Z', '2026-02-01T09:15:00Z'
FROM n;

CREATE UNIQUE INDEX app_offerings_reference ON app_offerings (reference);
CREATE INDEX app_offerings_name ON app_offerings (name, id);
CREATE INDEX app_offerings_created_at ON app_offerings (created_at, id);
CREATE INDEX app_offerings_updated_at ON app_offerings (updated_at, id);
CREATE INDEX app_offerings_disabled ON app_offerings (disabled, created_at, id);
