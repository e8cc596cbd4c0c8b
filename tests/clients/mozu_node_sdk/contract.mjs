// Contract test with the public npm client `mozu-node-sdk`, unmodified, against a running server.
//
//   npm ci --prefix tests/clients/mozu_node_sdk
//   TEST_APP_KEY=... TEST_SHARED_SECRET=... node tests/clients/mozu_node_sdk/contract.mjs http://127.0.0.1:8080
//
// Every request goes through the client. It expects `https://` before the domain of a tenant; here its context
// names the address of the tenant itself (`tenantPod`), as its manual allows. The key is that of an application
// with all behaviors. TEST_SANDBOX is the number of a sandbox of its account; that of the demo data is 1.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';

// `require` also looks where NODE_PATH says, so that the modules need not lie in the source tree.
const require = createRequire(import.meta.url);
const appPackage = require('mozu-node-sdk/clients/platform/appdev/appPackage');
const authTicket = require('mozu-node-sdk/clients/platform/applications/authTicket');
const application = require('mozu-node-sdk/clients/platform/application');
const eventNotification = require('mozu-node-sdk/clients/event/eventNotification');
const Client = require('mozu-node-sdk/client');
const { APP_ONLY, NONE } = require('mozu-node-sdk/constants').scopes;
// The client has no operation that installs.
const installs = Client.sub({
  install: Client.method({ method: 'POST', url: '{+homePod}api/platform/appdev/appinstall/application/entitlement' }),
});

const [base] = process.argv.slice(2);
const { TEST_APP_KEY: appKey, TEST_SHARED_SECRET: sharedSecret, TEST_SANDBOX = '1' } = process.env;
const tenantId = Number(TEST_SANDBOX);
if (!base || !appKey || !sharedSecret) {
  console.error('usage: TEST_APP_KEY=… TEST_SHARED_SECRET=… contract.mjs URL');
  process.exit(2);
}

const context = { appKey, sharedSecret, baseUrl: base, tenantPod: base };
const packages = appPackage({ context });
const developer = application({ context });
const [namespace] = appKey.split('.');
// A run of its own: keys are never used again.
const appId = `sdk-${randomBytes(4).toString('hex')}`;
const first = `${namespace}.${appId}.1.0.0.Release`;
const working = `${namespace}.${appId}.1.0.0.ann`;
const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

/** Demands that the client refuses with this status and code. */
async function refused(promise, status, code) {
  const error = await promise.then(
    () => assert.fail(`expected ${status} ${code}, but it went well`),
    (error) => error,
  );
  const { statusCode, errorCode } = error.originalError ?? {};
  assert.deepEqual({ statusCode, errorCode }, { statusCode: status, errorCode: code }, error.message);
}

const steps = {
  'authenticate: tickets come and are renewed': async () => {
    const client = authTicket({ context });
    const ticket = await client.authenticateApp({ applicationId: appKey, sharedSecret }, { scope: NONE });
    // The client makes dates of texts with fractions only.
    assert.ok(ticket.accessTokenExpiration instanceof Date && ticket.refreshTokenExpiration > new Date());
    const renewed = await client.refreshAppAuthTicket({ refreshToken: ticket.refreshToken }, { scope: NONE });
    assert.equal(renewed.refreshToken, ticket.refreshToken);
    await client.deleteAppAuthTicket({ refreshToken: ticket.refreshToken }, { scope: APP_ONLY });
    await refused(client.refreshAppAuthTicket({ refreshToken: ticket.refreshToken }, { scope: NONE }), 401, 'INVALID_CREDENTIALS');
    await refused(client.authenticateApp({ applicationId: appKey, sharedSecret: 'wrong' }, { scope: NONE }), 401, 'INVALID_CREDENTIALS');
  },

  'create: a new application starts with its release package': async () => {
    const made = await packages.createNewCorePackage({ appKey: first });
    assert.equal(Object.keys(made).length, 53);
    assert.deepEqual([made.appKey, made.isReleasePackage, made.applicationStatusId], [first, true, 1]);
    assert.match(made.sharedSecret, /^[0-9a-f]{32}$/);
    assert.ok(made.updateDate instanceof Date);
    await refused(packages.createNewCorePackage({ appKey: first }), 409, 'ITEM_ALREADY_EXISTS');
    const selected = await packages.createNewCorePackage({ appKey: `${namespace}.${appId}.2.0.0`, responseFields: 'appKey,id' });
    assert.deepEqual(Object.keys(selected), ['id', 'appKey']);
  },

  'get: a package, with its children on demand': async () => {
    const plain = await packages.getPackage({ applicationKey: first });
    assert.equal(plain.applicationBehaviors, null);
    const whole = await packages.getPackage({ applicationKey: first, includeChildren: true });
    assert.deepEqual(whole.applicationBehaviors, []);
    await refused(packages.getPackage({ applicationKey: `${namespace}.${appId}.9.9.9.Release` }), 404, 'ITEM_NOT_FOUND');
  },

  'update: what was read is written back with a change': async () => {
    const read = await packages.getPackage({ applicationKey: first });
    const changed = await packages.updatePackage({ ...read, applicationKey: first, applicationName: 'Changed by the client' });
    assert.equal(changed.applicationName, 'Changed by the client');
    assert.equal((await packages.getPackage({ applicationKey: first })).applicationName, 'Changed by the client');
  },

  'clone: a working package of the same version': async () => {
    // The client posts its arguments as a body.
    const made = await packages.clonePackage({ applicationKey: first, packageName: 'ann' });
    assert.deepEqual([made.appKey, made.isReleasePackage], [working, false]);
  },

  'lists: packages and summaries': async () => {
    const listed = await packages.getPackages({ applicationKey: first });
    assert.deepEqual(listed.items.map((item) => item.packageName), ['Release', 'ann']);
    const parents = await packages.getApplicationSummaryParents({ filter: `appId eq ${appId}`, pageSize: 200 });
    assert.deepEqual(parents.items.map((item) => item.appKey), [`${namespace}.${appId}.2.0.0.Release`]);
    const children = await packages.getApplicationSummaryChildren({ appId });
    assert.deepEqual(children.map((item) => item.appKey), [`${namespace}.${appId}.2.0.0.Release`, first]);
    const versions = await developer.getAppVersions({ nsAndAppId: `${namespace}.${appId}` });
    assert.deepEqual(versions.items, ['2.0.0', '1.0.0']);
    const names = await developer.getAppPackageNames({ applicationKey: first });
    assert.deepEqual(names.items, ['Release', 'ann']);
  },

  'files: upload, metadata, rename, delete': async () => {
    const bytes = Buffer.from('{"not": "parsed"\n');
    const at = { applicationKey: working, filepath: 'assets/src/a.json' };
    const stored = await developer.upsertPackageFile(at, { body: bytes });
    assert.deepEqual([stored.path, stored.checkSum, stored.sizeInBytes], ['assets/src/a.json', md5(bytes), bytes.length]);
    // The tool that syncs folders separates with bars.
    const nested = { applicationKey: working, filepath: 'assets|b.js' };
    assert.equal((await developer.upsertPackageFile(nested, { body: Buffer.from('b') })).path, 'assets/b.js');
    const found = await developer.getPackageFileMetadata(at);
    assert.equal(found.id, stored.id);
    const tree = await developer.getPackageMetadata({ applicationKey: working });
    const [assets] = tree.subFolders;
    assert.deepEqual([assets.name, assets.files.map((file) => file.path)], ['assets', ['assets/b.js']]);
    assert.deepEqual(assets.subFolders[0].files.map((file) => file.path), ['assets/src/a.json']);
    const renamed = await developer.renamePackageFile({ applicationKey: working, oldFullPath: 'assets|src|a.json', newFullPath: 'assets|c.json' });
    assert.deepEqual([renamed.path, renamed.id, renamed.checkSum], ['assets/c.json', stored.id, md5(bytes)]);
    await refused(developer.getPackageFileMetadata(at), 404, 'ITEM_NOT_FOUND');
    await developer.deletePackageFile({ applicationKey: working, filepath: 'assets/c.json' });
    await refused(developer.deletePackageFile({ applicationKey: working, filepath: 'assets/c.json' }), 404, 'ITEM_NOT_FOUND');
    const { assetFileCount } = await packages.getPackage({ applicationKey: working });
    assert.equal(assetFileCount, 1);
    await refused(
      developer.upsertPackageFile({ ...nested, lastModifiedTime: '2001-01-01T00:00:00.000Z' }, { body: Buffer.from('stale') }),
      409,
      'VALIDATION_CONFLICT',
    );
  },

  'events: what happened lately is there for whoever asks': async () => {
    const events = eventNotification({ context });
    await installs({ context }).install({ appKey: first, tenantId });
    const { items, totalCount } = await events.getEvents({ filter: `entityId eq ${first}`, sortBy: 'createDate desc', pageSize: 5 });
    const [event] = items;
    assert.deepEqual([totalCount, event.topic, event.tenantId], [1, 'application.installed', tenantId]);
    assert.match(event.id, /^[0-9a-f]{32}$/);
    assert.ok(event.auditInfo.createDate instanceof Date);
    assert.deepEqual(await events.getEvent({ eventId: event.id }), event);
    await refused(events.getEvent({ eventId: '6f1c2a349b1e4f0a8f570d3e5b7a9c11' }), 404, 'ITEM_NOT_FOUND');
  },

  'delete: a working package, never the release': async () => {
    await packages.deletePackage({ applicationKey: working });
    await refused(packages.getPackage({ applicationKey: working }), 404, 'ITEM_NOT_FOUND');
    await refused(packages.deletePackage({ applicationKey: first }), 409, 'VALIDATION_CONFLICT');
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok     ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}\n${error.stack}`);
  }
}
console.log(`${Object.keys(steps).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
