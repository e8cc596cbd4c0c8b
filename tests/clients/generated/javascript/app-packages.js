// The story of the app packages, told with the client that openapi-generator writes in JavaScript.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  ApiClient,
  AppAuthInfo,
  AppAuthticketsApi,
  AppDevError,
  ApppackagesApi,
  FileMetadata,
  PackageFilesApi,
  PackageRequest,
} from './client/src/index.js';

const { BASE, TEST_APP_KEY: applicationId, TEST_SHARED_SECRET: sharedSecret } = process.env;
const client = new ApiClient(`${BASE}/api`);
const [namespace] = applicationId.split('.');
const applicationKey = `${namespace}.story-${randomBytes(4).toString('hex')}.1.0.0.Release`;
const bytes = Buffer.from('Grüße, not parsed: {"\n');

const credentials = AppAuthInfo.constructFromObject({ applicationId, sharedSecret });
const ticket = await new AppAuthticketsApi(client).authenticateApp(credentials);
assert.match(ticket.accessToken, /^[\w-]+\.[\w-]+\.[\w-]+$/);
assert.ok(ticket.accessTokenExpiration > new Date());
console.log('log in: key and secret give a ticket');
for (const authentication of Object.values(client.authentications)) authentication.accessToken = ticket.accessToken;
const packages = new ApppackagesApi(client);
const files = new PackageFilesApi(client);

{
  const request = PackageRequest.constructFromObject({ appKey: applicationKey });
  const made = await packages.createAppPackage(request);
  assert.deepEqual([made.appKey, made.isReleasePackage], [applicationKey, true]);
  const error = await packages.createAppPackage(request).then(() => assert.fail('it went well'), (error) => error);
  assert.equal(error.status, 409, error);
  assert.equal(AppDevError.constructFromObject(error.body).errorCode, 'ITEM_ALREADY_EXISTS');
  console.log('create: a package, once');
}

const filepath = 'assets/story.bin';
{
  const stored = await files.upsertPackageFile(applicationKey, filepath, { body: bytes });
  assert.ok(stored instanceof FileMetadata);
  assert.equal(stored.path, filepath);
  console.log('upload: the bytes of a file');
}

{
  const found = await files.getPackageFileMetadata(applicationKey, filepath);
  assert.equal(found.checkSum, createHash('md5').update(bytes).digest('hex'));
  assert.equal(found.sizeInBytes, bytes.length);
  console.log('metadata: checksum and size of what was uploaded');
}

{
  const listed = await packages.listPackages(applicationKey);
  assert.deepEqual(listed.items.map((one) => one.packageName), ['Release']);
  const all = await packages.listAllPackages({ pageSize: 1 });
  assert.equal(all.items.length, 1);
  assert.ok(all.totalCount >= 2);
  console.log('list: the package is there');
}
