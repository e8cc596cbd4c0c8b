// The story of the app offerings, told with openapi-fetch.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from './client/app-offerings.js';

const { BASE: baseUrl, TEST_TOKEN, TEST_CLIENT_ID, TEST_CLIENT_SECRET } = process.env;
const anyone = createClient<paths>({ baseUrl: baseUrl! });
const client = createClient<paths>({ baseUrl: baseUrl!, headers: { authorization: `Bearer ${TEST_TOKEN}` } });
const run = randomBytes(4).toString('hex');
const source = `openapi-fetch ${run}`;
const offering = (number: number): components['schemas']['CreateAppOffering'] => ({
  name: `Story ${run} ${number}`,
  policy_jwt_alg: 'es256',
  service_instance_id: 1,
  source,
  webhook_uri_template: 'https://echo.example.org/hook?account={account}',
});

{
  const { data } = await anyone.POST('/token', {
    body: { grant_type: 'client_credentials', client_id: TEST_CLIENT_ID!, client_secret: TEST_CLIENT_SECRET! },
  });
  const lent = createClient<paths>({ baseUrl: baseUrl!, headers: { authorization: `Bearer ${data!.access_token}` } });
  const account = await lent.GET('/v1/account');
  assert.equal(account.data?.id, 'wdc');
  console.log('log in: an OAuth client gets a token');
}

const created = [];
for (let number = 1; number <= 5; number += 1) {
  const { data, response } = await client.POST('/v1/app_offerings', { body: offering(number) });
  assert.equal(response.status, 201);
  assert.equal(data?.name, `Story ${run} ${number}`);
  assert.equal(data.service_instance.id, 1);
  created.push(data);
}
console.log('create: five offerings');

{
  const names: (string | undefined)[] = [];
  const sizes: number[] = [];
  let search_after: string | undefined;
  for (;;) {
    const { data, response } = await client.GET('/v1/app_offerings', {
      params: { query: { source, sort: 'name', per_page: 2, ...(search_after && { search_after }) } },
    });
    names.push(...data!.map((one) => one.name));
    sizes.push(data!.length);
    if (!response.headers.get('link')?.includes('rel="next"')) break;
    search_after = response.headers.get('x-pagination-end-cursor')!;
  }
  assert.deepEqual(names, created.map((one) => one.name));
  assert.deepEqual(sizes, [2, 2, 1]);
  console.log('list: three pages');
}

{
  const name = `Story ${run} 3`;
  const { data } = await client.GET('/v1/app_offerings', { params: { query: { name, updated_at: '>2026-01-01' } } });
  assert.deepEqual(data?.map((one) => one.id), [created[2]!.id]);
  console.log('list: filters');
}

{
  const { data, error, response } = await client.POST('/v1/app_offerings', {
    body: { ...offering(6), reference: created[0]!.reference, service_instance_id: 999_999_999 },
  });
  assert.equal(data, undefined);
  assert.equal(response.status, 422);
  assert.ok(error && 'errors' in error);
  const refused: components['schemas']['ValidationFailed'] = error;
  assert.equal(refused.message, 'Validation Failed');
  assert.deepEqual(refused.errors, [
    ['reference', 'Reference has already been taken'],
    ['service_instance', 'Service instance must exist'],
  ]);
  console.log('create: refused with the fields by name');
}

{
  const id = String(created[0]!.id);
  const read = await client.GET('/v1/app_offerings/{id}', { params: { path: { id } } });
  const tag = read.response.headers.get('etag')!;
  const update = (description: string) =>
    client.PATCH('/v1/app_offerings/{id}', { params: { path: { id }, header: { 'If-Match': tag } }, body: { description } });
  const changed = await update('Echoes notes');
  assert.equal(changed.data?.description, 'Echoes notes');
  const stale = await update('Too late');
  assert.equal(stale.response.status, 412);
  const refused: components['schemas']['Message'] = stale.error!;
  assert.equal(refused.message, 'Precondition Failed');
  console.log('update: If-Match lets one pass and refuses the stale one');
}

{
  const { data, response } = await client.POST('/v1/app_offerings/{id}/publish', {
    params: { path: { id: String(created[0]!.id) } },
  });
  assert.equal(response.status, 201);
  assert.equal(data?.published, true);
  assert.equal(data.reference, created[0]!.reference);
  assert.equal(data.description, 'Echoes notes');
  assert.notEqual(data.id, created[0]!.id);
  console.log('publish: a version of the same reference');
}
