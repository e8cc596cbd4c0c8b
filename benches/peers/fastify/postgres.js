// PostgreSQL through pg: a pool of connections, prepared (named) statements.
import pg from 'pg'
import { ITEM_COLUMNS, LIST_COLUMNS, orderBy } from './shapes.js'

// Ids are far below 2^53; as numbers they go out as the documented integers.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

const UNIQUE_VIOLATION = '23505'

const item = {
  name: 'item',
  text: `
    SELECT ${ITEM_COLUMNS}
    FROM app_offerings o JOIN service_instances s ON s.id = o.service_instance_id
    LEFT JOIN ui_extension_versions v ON v.id = o.ui_extension_version_id
    WHERE o.id = $1`
}

// One statement looks the service instance up and inserts; no row means that there is none.
const insert = {
  name: 'insert',
  text: `
    WITH s AS (SELECT id, name FROM service_instances WHERE id = $7),
    o AS (
      INSERT INTO app_offerings (reference, name, source, disabled, policy_jwt_alg,
        policy_jwt_claim_expires_in, service_instance_id, webhook_uri_template, created_at, updated_at)
      SELECT $1, $2, $3, $4, $5, $6, s.id, $8, $9, $9 FROM s
      RETURNING *)
    SELECT ${ITEM_COLUMNS}
    FROM o JOIN s ON s.id = o.service_instance_id
    LEFT JOIN ui_extension_versions v ON v.id = o.ui_extension_version_id`
}

export const open = (connectionString) => {
  const pool = new pg.Pool({ connectionString, max: 10 })
  return {
    list: async ({ sort, disabled, limit, offset }) => {
      const isFiltered = disabled !== undefined
      const where = isFiltered ? 'WHERE o.disabled = $1' : ''
      const values = isFiltered ? [disabled] : []
      const n = values.length
      const [page, count] = await Promise.all([
        pool.query({
          name: `page ${sort} ${isFiltered}`,
          text: `
            SELECT ${LIST_COLUMNS}
            FROM app_offerings o JOIN service_instances s ON s.id = o.service_instance_id
            ${where} ORDER BY ${orderBy(sort)} LIMIT $${n + 1} OFFSET $${n + 2}`,
          values: [...values, limit, offset]
        }),
        pool.query({
          name: `count ${isFiltered}`,
          text: `SELECT count(*) FROM app_offerings o ${where}`,
          values
        })
      ])
      return { rows: page.rows, total: count.rows[0].count }
    },
    get: async (id) => (await pool.query({ ...item, values: [id] })).rows[0],
    create: async (v) => {
      const values = [v.reference, v.name, v.source, v.disabled, v.policy_jwt_alg,
        v.policy_jwt_claim_expires_in, v.service_instance_id, v.webhook_uri_template, v.now]
      try {
        const { rows } = await pool.query({ ...insert, values })
        return rows.length ? { row: rows[0] } : { invalid: 'service_instance' }
      } catch (error) {
        if (error.code === UNIQUE_VIOLATION) return { invalid: 'reference' }
        throw error
      }
    }
  }
}
