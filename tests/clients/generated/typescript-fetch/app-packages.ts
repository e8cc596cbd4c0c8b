// The story of the app packages, told with the client that openapi-generator writes in TypeScript.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  AppAuthticketsApi,
  AppDevErrorFromJSON,
  ApppackagesApi,
  Configuration,
  PackageFilesApi,
  ResponseError,
} from './client/index.js';

const { BASE, TEST_APP_KEY: applicationId, TEST_SHARED_SECRET: sharedSecret } = process.env;
const basePath = `${BASE}/api`;
const [namespace] = applicationId!.split('.');
const applicationKey = `${namespace}.story-${randomBytes(4).toString('hex')}.1.0.0.Release`;
const bytes = new TextEncoder().encode('Grüße, not parsed: {"\n');

const ticket = await new AppAuthticketsApi(new Configuration({ basePath })).authenticateApp({
  appAuthInfo: { applicationId, sharedSecret },
});
assert.match(ticket.accessToken ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/);
const configuration = new Configuration({ basePath, accessToken: ticket.accessToken! });
const packages = new ApppackagesApi(configuration);
const files = new PackageFilesApi(configuration);
console.log('log in: key and secret give a ticket');

{
  const made = await packages.createAppPackage({ packageRequest: { appKey: applicationKey } });
  assert.deepEqual([made.appKey, made.isReleasePackage], [applicationKey, true]);
  const again = packages.createAppPackage({ packageRequest: { appKey: applicationKey } });
  const error = await again.then(() => assert.fail('it went well'), (error: unknown) => error);
  assert.ok(error instanceof ResponseError, String(error));
  assert.equal(error.response.status, 409);
  assert.equal(AppDevErrorFromJSON(await error.response.json()).errorCode, 'ITEM_ALREADY_EXISTS');
  console.log('create: a package, once');
}

const file = { applicationKey, filepath: 'assets/story.bin' };
{
  const stored = await files.upsertPackageFile({ ...file, body: new Blob([bytes]) });
  assert.equal(stored.path, file.filepath);
  console.log('upload: the bytes of a file');
}

{
  const found = await files.getPackageFileMetadata(file);
  assert.equal(found.checkSum, createHash('md5').update(bytes).digest('hex'));
  assert.equal(found.sizeInBytes, bytes.length);
  console.log('metadata: checksum and size of what was uploaded');
}

{
  const listed = await packages.listPackages({ applicationKey });
  assert.deepEqual(listed.items?.map((one) => one.packageName), ['Release']);
  const all = await packages.listAllPackages({ pageSize: 1 });
  assert.equal(all.items?.length, 1);
  assert.ok((all.totalCount ?? 0) >= 2);
  console.log('list: the package is there');
}
