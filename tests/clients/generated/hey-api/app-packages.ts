// The story of the app packages, told with the client that @hey-api/openapi-ts writes.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createClient } from './client/client/index.js';
import { type AppDevError, Appmarket } from './client/index.js';

const { BASE, TEST_APP_KEY, TEST_SHARED_SECRET } = process.env;
const appmarket = (key: string, auth = '') =>
  new Appmarket({ key, client: createClient({ baseUrl: `${BASE}/api`, auth }) });
const [namespace] = TEST_APP_KEY!.split('.');
const applicationKey = `${namespace}.story-${randomBytes(4).toString('hex')}.1.0.0.Release`;
const bytes = new TextEncoder().encode('Grüße, not parsed: {"\n');

const ticket = await appmarket('anyone').appAuthtickets.authenticateApp({
  body: { applicationId: TEST_APP_KEY!, sharedSecret: TEST_SHARED_SECRET! },
});
assert.match(ticket.data?.accessToken ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/);
const client = appmarket('application', ticket.data!.accessToken);
console.log('log in: key and secret give a ticket');

{
  const body = { appKey: applicationKey };
  const { data } = await client.apppackages.createAppPackage({ body });
  assert.deepEqual([data?.appKey, data?.isReleasePackage], [applicationKey, true]);
  const again = await client.apppackages.createAppPackage({ body });
  assert.equal(again.response?.status, 409);
  const refused: AppDevError = again.error!;
  assert.equal(refused.errorCode, 'ITEM_ALREADY_EXISTS');
  console.log('create: a package, once');
}

const path = { applicationKey, filepath: 'assets/story.bin' };
{
  const { data } = await client.packageFiles.upsert({ path, body: new Blob([bytes]) });
  assert.equal(data?.path, path.filepath);
  console.log('upload: the bytes of a file');
}

{
  const { data } = await client.packageFiles.getMetadata({ path });
  assert.equal(data?.checkSum, createHash('md5').update(bytes).digest('hex'));
  assert.equal(data.sizeInBytes, bytes.length);
  console.log('metadata: checksum and size of what was uploaded');
}

{
  const { data } = await client.apppackages.listPackages({ path: { applicationKey } });
  assert.deepEqual(data?.items?.map((one) => one.packageName), ['Release']);
  const all = await client.apppackages.listAllPackages({ query: { pageSize: 1 } });
  assert.equal(all.data?.items?.length, 1);
  assert.ok((all.data.totalCount ?? 0) >= 2);
  console.log('list: the package is there');
}
