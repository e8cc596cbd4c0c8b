// What goes over the wire, and the SQL columns it is made of. Both databases share it.

const HOST = 'example.test'

export const nodeID = (type, id) => Buffer.from(`${HOST}/${type}/${id}`).toString('base64url')

const timestamp = (value) =>
  typeof value === 'string' ? value : `${value.toISOString().slice(0, 19)}Z`

const instance = (row) => ({
  id: row.service_instance_id,
  name: row.service_instance_name,
  nodeID: nodeID('ServiceInstance', row.service_instance_id)
})

/** Columns of the default fields of a collection. */
export const LIST_COLUMNS = `
  o.id, o.reference, o.name, o.source_id, o.disabled, o.policy_jwt_alg, o.policy_jwt_audience,
  o.policy_jwt_claim_expires_in, o.webhook_uri_template, o.created_at, o.updated_at,
  o.service_instance_id, s.name AS service_instance_name`

/** Columns of all fields of one offering. */
export const ITEM_COLUMNS = `${LIST_COLUMNS},
  o.source, o.card_description, o.description, o.features, o.compliance, o.picture_uri,
  o.configuration_uri_template, o.openid_connect_discovery, o.requires_enabled_oauth_person,
  o.ui_extension_version_id, v.name AS ui_extension_version_name, v.version AS ui_extension_version_nr`

export const listItem = (row) => {
  const item = {
    id: row.id,
    sourceID: row.source_id,
    nodeID: nodeID('AppOffering', row.id),
    reference: row.reference,
    name: row.name,
    policy_jwt_alg: row.policy_jwt_alg,
    policy_jwt_audience: row.policy_jwt_audience,
    policy_jwt_claim_expires_in: row.policy_jwt_claim_expires_in,
    service_instance: instance(row),
    webhook_uri_template: row.webhook_uri_template,
    created_at: timestamp(row.created_at),
    updated_at: timestamp(row.updated_at)
  }
  if (row.disabled) item.disabled = true
  return item
}

export const fullItem = (row) => ({
  id: row.id,
  nodeID: nodeID('AppOffering', row.id),
  source: row.source,
  sourceID: row.source_id,
  reference: row.reference,
  name: row.name,
  card_description: row.card_description,
  description: row.description,
  features: row.features,
  compliance: row.compliance,
  disabled: Boolean(row.disabled),
  picture_uri: row.picture_uri,
  policy_jwt_alg: row.policy_jwt_alg,
  policy_jwt_audience: row.policy_jwt_audience,
  policy_jwt_claim_expires_in: row.policy_jwt_claim_expires_in,
  service_instance: instance(row),
  ui_extension_version:
    row.ui_extension_version_id === null
      ? null
      : {
          id: row.ui_extension_version_id,
          name: row.ui_extension_version_name,
          version: row.ui_extension_version_nr,
          nodeID: nodeID('UiExtensionVersion', row.ui_extension_version_id)
        },
  webhook_uri_template: row.webhook_uri_template,
  configuration_uri_template: row.configuration_uri_template,
  openid_connect_discovery: Boolean(row.openid_connect_discovery),
  requires_enabled_oauth_person: Boolean(row.requires_enabled_oauth_person),
  attachments: [],
  created_at: timestamp(row.created_at),
  updated_at: timestamp(row.updated_at)
})

// Schemas let Fastify serialise with generated code instead of JSON.stringify.
const text = { type: ['string', 'null'] }
const integer = { type: ['integer', 'null'] }
const flag = { type: 'boolean' }
const reference = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: { type: 'string' }, nodeID: { type: 'string' } }
}
const listProperties = {
  id: { type: 'integer' },
  sourceID: text,
  nodeID: { type: 'string' },
  reference: { type: 'string' },
  name: { type: 'string' },
  policy_jwt_alg: text,
  policy_jwt_audience: text,
  policy_jwt_claim_expires_in: integer,
  service_instance: reference,
  webhook_uri_template: text,
  created_at: { type: 'string' },
  updated_at: { type: 'string' },
  disabled: flag
}

export const listSchema = { type: 'array', items: { type: 'object', properties: listProperties } }

export const itemSchema = {
  type: 'object',
  properties: {
    ...listProperties,
    source: text,
    card_description: text,
    description: text,
    features: text,
    compliance: text,
    picture_uri: text,
    ui_extension_version: {
      type: ['object', 'null'],
      properties: { ...reference.properties, version: { type: 'integer' } }
    },
    configuration_uri_template: text,
    openid_connect_discovery: flag,
    requires_enabled_oauth_person: flag,
    attachments: { type: 'array' }
  }
}

export const createSchema = {
  type: 'object',
  required: ['name', 'policy_jwt_alg', 'service_instance_id', 'webhook_uri_template'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 128 },
    policy_jwt_alg: { enum: ['rs256', 'rs384', 'rs512', 'es256', 'es384', 'es512'] },
    policy_jwt_claim_expires_in: integer,
    service_instance_id: { type: 'integer' },
    webhook_uri_template: { type: 'string', minLength: 1, maxLength: 255 },
    disabled: { ...flag, default: false }
  }
}

export const querySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    page: { type: 'integer', minimum: 1, default: 1 },
    per_page: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    sort: {
      type: 'string',
      enum: ['reference', 'name', 'created_at', 'updated_at'].flatMap((name) => [name, `-${name}`]),
      default: 'reference'
    },
    disabled: flag
  }
}

/** ORDER BY of a `sort` that `querySchema` let through. */
export const orderBy = (sort) =>
  sort.startsWith('-') ? `o.${sort.slice(1)} DESC, o.id DESC` : `o.${sort}, o.id`
