// The story of the app offerings, told with the client that openapi-generator writes in TypeScript.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  AppOfferingsApi,
  Configuration,
  type CreateAppOffering,
  JwtAlgorithm,
  MessageFromJSON,
  MetaApi,
  OauthApi,
  ResponseError,
  TokenRequestGrantTypeEnum,
  ValidationFailedFromJSON,
} from './client/index.js';

const { BASE: basePath, TEST_TOKEN, TEST_CLIENT_ID, TEST_CLIENT_SECRET } = process.env;
const offerings = new AppOfferingsApi(new Configuration({ basePath: basePath!, accessToken: TEST_TOKEN! }));
const run = randomBytes(4).toString('hex');
const source = `typescript-fetch ${run}`;
const offering = (number: number): CreateAppOffering => ({
  name: `Story ${run} ${number}`,
  policyJwtAlg: JwtAlgorithm.Es256,
  serviceInstanceId: 1,
  source,
  webhookUriTemplate: 'https://echo.example.org/hook?account={account}',
});

/** The answer to what must be refused. */
async function refusal(promise: Promise<unknown>): Promise<Response> {
  const error = await promise.then(() => assert.fail('it went well'), (error: unknown) => error);
  assert.ok(error instanceof ResponseError, String(error));
  return error.response;
}

{
  const token = await new OauthApi(new Configuration({ basePath: basePath! })).createToken({
    grantType: TokenRequestGrantTypeEnum.ClientCredentials,
    clientId: TEST_CLIENT_ID!,
    clientSecret: TEST_CLIENT_SECRET!,
  });
  const lent = new Configuration({ basePath: basePath!, accessToken: token.accessToken });
  assert.equal((await new MetaApi(lent).getAccount()).id, 'wdc');
  console.log('log in: an OAuth client gets a token');
}

const created = [];
for (let number = 1; number <= 5; number += 1) {
  const made = await offerings.createAppOffering({ createAppOffering: offering(number) });
  assert.equal(made.name, `Story ${run} ${number}`);
  assert.equal(made.serviceInstance.id, 1);
  created.push(made);
}
console.log('create: five offerings');

{
  const names: (string | undefined)[] = [];
  const sizes: number[] = [];
  let searchAfter: string | undefined;
  for (;;) {
    const page = await offerings.listAppOfferingsRaw({ source, sort: 'name', perPage: 2, searchAfter });
    const items = await page.value();
    names.push(...items.map((one) => one.name));
    sizes.push(items.length);
    if (!page.raw.headers.get('link')?.includes('rel="next"')) break;
    searchAfter = page.raw.headers.get('x-pagination-end-cursor')!;
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
  const wrong = { ...offering(6), reference: created[0].reference, serviceInstanceId: 999_999_999 };
  const response = await refusal(offerings.createAppOffering({ createAppOffering: wrong }));
  assert.equal(response.status, 422);
  const refused = ValidationFailedFromJSON(await response.json());
  assert.equal(refused.message, 'Validation Failed');
  assert.deepEqual(refused.errors, [
    ['reference', 'Reference has already been taken'],
    ['service_instance', 'Service instance must exist'],
  ]);
  console.log('create: refused with the fields by name');
}

{
  const id = String(created[0].id);
  const ifMatch = (await offerings.getAppOfferingRaw({ id })).raw.headers.get('etag')!;
  const changed = await offerings.updateAppOffering({ id, ifMatch, updateAppOffering: { description: 'Echoes notes' } });
  assert.equal(changed.description, 'Echoes notes');
  const response = await refusal(offerings.updateAppOffering({ id, ifMatch, updateAppOffering: { description: 'Too late' } }));
  assert.equal(response.status, 412);
  assert.equal(MessageFromJSON(await response.json()).message, 'Precondition Failed');
  console.log('update: If-Match lets one pass and refuses the stale one');
}

{
  const version = await offerings.publishAppOffering({ id: String(created[0].id) });
  assert.equal(version.published, true);
  assert.deepEqual([version.reference, version.description], [created[0].reference, 'Echoes notes']);
  assert.notEqual(version.id, created[0].id);
  console.log('publish: a version of the same reference');
}
