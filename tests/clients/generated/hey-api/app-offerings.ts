// The story of the app offerings, told with the client that @hey-api/openapi-ts writes.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createClient } from './client/client/index.js';
import { Appmarket, type CreateAppOffering, type Message, type ValidationFailed } from './client/index.js';

const { BASE: baseUrl, TEST_TOKEN, TEST_CLIENT_ID, TEST_CLIENT_SECRET } = process.env;
const appmarket = (key: string, auth = '') => new Appmarket({ key, client: createClient({ baseUrl: baseUrl!, auth }) });
const client = appmarket('publisher', TEST_TOKEN!);
const run = randomBytes(4).toString('hex');
const source = `hey-api ${run}`;
const offering = (number: number): CreateAppOffering => ({
  name: `Story ${run} ${number}`,
  policy_jwt_alg: 'es256',
  service_instance_id: 1,
  source,
  webhook_uri_template: 'https://echo.example.org/hook?account={account}',
});

{
  const { data } = await appmarket('anyone').oauth.createToken({
    body: { grant_type: 'client_credentials', client_id: TEST_CLIENT_ID!, client_secret: TEST_CLIENT_SECRET! },
  });
  const account = await appmarket('lent', data!.access_token).meta.getAccount();
  assert.equal(account.data?.id, 'wdc');
  console.log('log in: an OAuth client gets a token');
}

const created: { id: number; name: string; reference: string }[] = [];
for (let number = 1; number <= 5; number += 1) {
  const { data } = await client.appOfferings.create({ body: offering(number) });
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
    const query = { source, sort: 'name', per_page: 2, search_after };
    const { data, response } = await client.appOfferings.list({ query });
    names.push(...data!.map((one) => one.name));
    sizes.push(data!.length);
    if (!response?.headers.get('link')?.includes('rel="next"')) break;
    search_after = response.headers.get('x-pagination-end-cursor')!;
  }
  assert.deepEqual(names, created.map((one) => one.name));
  assert.deepEqual(sizes, [2, 2, 1]);
  console.log('list: three pages');
}

{
  const query = { name: `Story ${run} 3`, updated_at: '>2026-01-01' };
  const { data } = await client.appOfferings.list({ query });
  assert.deepEqual(data?.map((one) => one.id), [created[2].id]);
  console.log('list: filters');
}

{
  const { error, response } = await client.appOfferings.create({
    body: { ...offering(6), reference: created[0].reference, service_instance_id: 999_999_999 },
  });
  assert.equal(response?.status, 422);
  assert.ok(error && 'errors' in error);
  const refused: ValidationFailed = error;
  assert.equal(refused.message, 'Validation Failed');
  assert.deepEqual(refused.errors, [
    ['reference', 'Reference has already been taken'],
    ['service_instance', 'Service instance must exist'],
  ]);
  console.log('create: refused with the fields by name');
}

{
  const path = { id: String(created[0].id) };
  const read = await client.appOfferings.get({ path });
  const headers = { 'If-Match': read.response!.headers.get('etag')! };
  const changed = await client.appOfferings.update({ path, headers, body: { description: 'Echoes notes' } });
  assert.equal(changed.data?.description, 'Echoes notes');
  const stale = await client.appOfferings.update({ path, headers, body: { description: 'Too late' } });
  assert.equal(stale.response?.status, 412);
  const refused: Message = stale.error!;
  assert.equal(refused.message, 'Precondition Failed');
  console.log('update: If-Match lets one pass and refuses the stale one');
}

{
  const { data } = await client.appOfferings.publish({ path: { id: String(created[0].id) } });
  assert.equal(data?.published, true);
  assert.deepEqual([data.reference, data.description], [created[0].reference, 'Echoes notes']);
  assert.notEqual(data.id, created[0].id);
  console.log('publish: a version of the same reference');
}
