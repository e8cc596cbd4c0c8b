// The story of the app packages, told with openapi-fetch.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from './client/app-packages.js';

const { BASE, TEST_APP_KEY, TEST_SHARED_SECRET } = process.env;
const baseUrl = `${BASE}/api`;
const [namespace] = TEST_APP_KEY!.split('.');
const applicationKey = `${namespace}.story-${randomBytes(4).toString('hex')}.1.0.0.Release`;
const bytes = new TextEncoder().encode('Grüße, not parsed: {"\n');

const ticket = await createClient<paths>({ baseUrl }).POST('/platform/applications/authtickets', {
  body: { applicationId: TEST_APP_KEY!, sharedSecret: TEST_SHARED_SECRET! },
});
assert.match(ticket.data?.accessToken ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/);
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${ticket.data?.accessToken}` } });
console.log('log in: key and secret give a ticket');

{
  const { data } = await client.POST('/platform/appdev/apppackages/create', { body: { appKey: applicationKey } });
  assert.equal(data?.appKey, applicationKey);
  assert.equal(data.isReleasePackage, true);
  const again = await client.POST('/platform/appdev/apppackages/create', { body: { appKey: applicationKey } });
  assert.equal(again.response.status, 409);
  const refused: components['schemas']['AppDevError'] = again.error!;
  assert.equal(refused.errorCode, 'ITEM_ALREADY_EXISTS');
  console.log('create: a package, once');
}

const path = { applicationKey, filepath: 'assets/story.bin' };
{
  const { data } = await client.POST('/platform/developer/packages/{applicationKey}/files/{filepath}', {
    params: { path },
    headers: { 'content-type': 'application/octet-stream' },
    // The types know no bytes; these are what is sent.
    body: '',
    bodySerializer: () => bytes,
  });
  assert.equal(data?.path, 'assets/story.bin');
  console.log('upload: the bytes of a file');
}

{
  const { data } = await client.GET('/platform/developer/packages/{applicationKey}/filemetadata/{filepath}', {
    params: { path },
  });
  assert.equal(data?.checkSum, createHash('md5').update(bytes).digest('hex'));
  assert.equal(data.sizeInBytes, bytes.length);
  console.log('metadata: checksum and size of what was uploaded');
}

{
  const { data } = await client.GET('/platform/appdev/apppackages/applications/{applicationKey}/packages', {
    params: { path: { applicationKey } },
  });
  assert.deepEqual(data?.items?.map((one) => one.packageName), ['Release']);
  const all = await client.GET('/platform/appdev/apppackages', { params: { query: { pageSize: 1 } } });
  assert.equal(all.data?.items?.length, 1);
  assert.ok((all.data.totalCount ?? 0) >= 2);
  console.log('list: the package is there');
}
