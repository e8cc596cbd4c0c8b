// The story of the app offerings, told with the client that openapi-generator writes in JavaScript.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  ApiClient,
  AppOffering,
  AppOfferingsApi,
  CreateAppOffering,
  Message,
  ServiceInstancesApi,
  UpdateAppOffering,
  ValidationFailed,
} from './client/src/index.js';

const client = new ApiClient(process.env.BASE);
client.authentications.personal_access_token.accessToken = process.env.TEST_TOKEN;
const offerings = new AppOfferingsApi(client);
const run = randomBytes(4).toString('hex');
const source = `javascript ${run}`;
const [instance] = await new ServiceInstancesApi(client).listServiceInstances();

function offering(number) {
  const offering = new CreateAppOffering(
    `Story ${run} ${number}`, 'es256', instance.id, 'https://echo.example.org/hook?account={account}');
  offering.source = source;
  return offering;
}

/** What must be refused with the status, as the type that the document names for it. */
async function refused(status, type, promise) {
  const error = await promise.then(() => assert.fail('it went well'), (error) => error);
  assert.equal(error.status, status, error);
  assert.ok(type.validateJSON(error.body));
  return type.constructFromObject(error.body);
}

const created = [];
for (let number = 1; number <= 5; number += 1) {
  const { data, response } = await offerings.createAppOfferingWithHttpInfo(offering(number));
  assert.equal(response.status, 201);
  assert.ok(data instanceof AppOffering);
  assert.equal(data.name, `Story ${run} ${number}`);
  assert.equal(data.service_instance.id, instance.id);
  created.push(data);
}
console.log('create: five offerings');

{
  const names = [];
  const sizes = [];
  let searchAfter;
  for (;;) {
    const query = { source, sort: 'name', perPage: 2, searchAfter };
    const { data, response } = await offerings.listAppOfferingsWithHttpInfo(query);
    names.push(...data.map((one) => one.name));
    sizes.push(data.length);
    if (!response.headers.link?.includes('rel="next"')) break;
    searchAfter = response.headers['x-pagination-end-cursor'];
  }
  assert.deepEqual(names, created.map((one) => one.name));
  assert.deepEqual(sizes, [2, 2, 1]);
  console.log('list: three pages');
}

{
  const found = await offerings.listAppOfferings({ name: `Story ${run} 3`, updatedAt: '>2026-01-01' });
  assert.deepEqual(found.map((one) => one.id), [created[2].id]);
  console.log('list: filters');
}

{
  const wrong = offering(6);
  wrong.reference = created[0].reference;
  wrong.service_instance_id = 999_999_999;
  const refusal = await refused(422, ValidationFailed, offerings.createAppOffering(wrong));
  assert.equal(refusal.message, 'Validation Failed');
  assert.deepEqual(refusal.errors, [
    ['reference', 'Reference has already been taken'],
    ['service_instance', 'Service instance must exist'],
  ]);
  console.log('create: refused with the fields by name');
}

{
  const id = String(created[0].id);
  const ifMatch = (await offerings.getAppOfferingWithHttpInfo(id)).response.headers.etag;
  const change = new UpdateAppOffering();
  change.description = 'Echoes notes';
  const changed = await offerings.updateAppOffering(id, change, { ifMatch });
  assert.equal(changed.description, 'Echoes notes');
  change.description = 'Too late';
  const refusal = await refused(412, Message, offerings.updateAppOffering(id, change, { ifMatch }));
  assert.equal(refusal.message, 'Precondition Failed');
  console.log('update: If-Match lets one pass and refuses the stale one');
}

{
  const version = await offerings.publishAppOffering(String(created[0].id));
  assert.equal(version.published, true);
  assert.deepEqual([version.reference, version.description], [created[0].reference, 'Echoes notes']);
  assert.notEqual(version.id, created[0].id);
  console.log('publish: a version of the same reference');
}
