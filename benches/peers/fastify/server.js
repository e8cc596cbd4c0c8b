// App offerings in Fastify, with hand-written SQL: node server.js PORT DATABASE
// DATABASE is a postgres:// URL or the path of a SQLite file; its tables are made by the benchmark.
import Fastify from 'fastify'
import { createSchema, fullItem, itemSchema, listItem, listSchema, querySchema } from './shapes.js'

const [port, database] = process.argv.slice(2)
const { open } = await import(database.startsWith('postgres') ? './postgres.js' : './sqlite.js')
const store = open(database)
const app = Fastify({ logger: false })

const pageLinks = (request, page, pages) => {
  const link = (number, rel) => {
    const url = new URL(request.url, `http://${request.host}`)
    url.searchParams.set('page', number)
    return `<${url}>; rel="${rel}"`
  }
  const links = page > 1 ? [link(1, 'first'), link(page - 1, 'prev')] : []
  if (page < pages) links.push(link(page + 1, 'next'))
  return links.join(',')
}

const invalid = (reply, field, text) =>
  reply.code(422).send({ message: 'Validation Failed', errors: [[field, text]] })

app.get('/v1/app_offerings', { schema: { querystring: querySchema, response: { 200: listSchema } } },
  async (request, reply) => {
    const { page, per_page: limit, sort, disabled } = request.query
    const { rows, total } = await store.list({ sort, disabled, limit, offset: (page - 1) * limit })
    const pages = Math.max(1, Math.ceil(total / limit))
    reply.headers({
      'X-Pagination-Per-Page': limit,
      'X-Pagination-Current-Page': page,
      'X-Pagination-Total-Pages': pages,
      'X-Pagination-Total-Entries': total
    })
    if (pages > 1) reply.header('Link', pageLinks(request, page, pages))
    return rows.map(listItem)
  })

app.get('/v1/app_offerings/:id',
  {
    schema: {
      params: { type: 'object', properties: { id: { type: 'integer' } } },
      response: { 200: itemSchema }
    }
  },
  async (request, reply) => {
    const row = await store.get(request.params.id)
    return row ? fullItem(row) : reply.code(404).send({ message: 'Not Found' })
  })

app.post('/v1/app_offerings', { schema: { body: createSchema, response: { 201: itemSchema } } },
  async (request, reply) => {
    const body = request.body
    const { row, invalid: field } = await store.create({
      ...body,
      policy_jwt_claim_expires_in: body.policy_jwt_claim_expires_in ?? null,
      reference: `wdc_${body.name.trim().toLowerCase().replaceAll(' ', '_')}`,
      source: (request.headers['user-agent'] ?? 'Xurrent API').slice(0, 30),
      now: `${new Date().toISOString().slice(0, 19)}Z`
    })
    if (field === 'service_instance') return invalid(reply, field, 'Service instance must exist')
    if (field === 'reference') return invalid(reply, field, 'Reference has already been taken')
    reply.code(201).header('Location', `http://wdc.example.test/app_offerings/${row.id}`)
    return fullItem(row)
  })

await app.listen({ host: '127.0.0.1', port: Number(port) })
