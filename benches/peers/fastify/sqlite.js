// SQLite through better-sqlite3: synchronous, in the server's own thread, every commit on disk.
import Database from 'better-sqlite3'
import { ITEM_COLUMNS, LIST_COLUMNS, orderBy } from './shapes.js'

const cached = (make) => {
  const known = new Map()
  return (key) => {
    if (!known.has(key)) known.set(key, make(key))
    return known.get(key)
  }
}

export const open = (path) => {
  const db = new Database(path, { fileMustExist: true })
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')

  const where = (filtered) => (filtered ? 'WHERE o.disabled = :disabled' : '')
  const count = cached((filtered) =>
    db.prepare(`SELECT count(*) FROM app_offerings o ${where(filtered)}`).pluck()
  )
  const plain = cached((sort) => page(sort, false))
  const filtered = cached((sort) => page(sort, true))
  const page = (sort, isFiltered) =>
    db.prepare(`
      SELECT ${LIST_COLUMNS}
      FROM app_offerings o JOIN service_instances s ON s.id = o.service_instance_id
      ${where(isFiltered)} ORDER BY ${orderBy(sort)} LIMIT :limit OFFSET :offset`)

  const item = db.prepare(`
    SELECT ${ITEM_COLUMNS}
    FROM app_offerings o JOIN service_instances s ON s.id = o.service_instance_id
    LEFT JOIN ui_extension_versions v ON v.id = o.ui_extension_version_id
    WHERE o.id = ?`)
  const serviceInstance = db.prepare('SELECT id FROM service_instances WHERE id = ?')
  const taken = db.prepare('SELECT 1 FROM app_offerings WHERE reference = ?')
  const insert = db.prepare(`
    INSERT INTO app_offerings (reference, name, source, disabled, policy_jwt_alg,
      policy_jwt_claim_expires_in, service_instance_id, webhook_uri_template, created_at, updated_at)
    VALUES (:reference, :name, :source, :disabled, :policy_jwt_alg,
      :policy_jwt_claim_expires_in, :service_instance_id, :webhook_uri_template, :now, :now)`)

  return {
    list: ({ sort, disabled, limit, offset }) => {
      const isFiltered = disabled !== undefined
      const values = isFiltered ? { disabled: Number(disabled) } : {}
      const rows = (isFiltered ? filtered : plain)(sort).all({ ...values, limit, offset })
      return { rows, total: count(isFiltered).get(values) }
    },
    get: (id) => item.get(id),
    create: db.transaction((values) => {
      if (!serviceInstance.get(values.service_instance_id)) return { invalid: 'service_instance' }
      if (taken.get(values.reference)) return { invalid: 'reference' }
      const { lastInsertRowid } = insert.run({ ...values, disabled: Number(values.disabled) })
      return { row: item.get(lastInsertRowid) }
    })
  }
}
