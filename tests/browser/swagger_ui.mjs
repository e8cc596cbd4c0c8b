// Every operation of both documents, tried out in the Swagger UI of a running server by a real browser.
//
//   npm ci --prefix tests/browser
//   TEST_TOKEN=... TEST_CLIENT_ID=... TEST_CLIENT_SECRET=... TEST_APP_KEY=... TEST_SHARED_SECRET=... \
//   TEST_DEVELOPER=... TEST_PASSWORD=... TEST_SANDBOX=... TEST_PRODUCTION=... TEST_SITE=... \
//     node tests/browser/swagger_ui.mjs http://127.0.0.1:8080 [screenshot.png]
//
// App offerings: a token and an OAuth client. App packages: key and secret of an application, address and password of a
// developer, numbers of a sandbox and a production tenant of the application's account, and of a site of the sandbox
// that is hosted, with a build of the branch `main`, the job `17`.
//
// The page may load nothing from anywhere but the server, and nothing it loads may fail. Each operation is expanded,
// tried out with the values the UI offers, executed, and its answer, as the page shows it, is validated against the
// document. Only what the document cannot know is filled in: ids of records, files, addresses that the server made, credentials.
// A receiver of webhooks on this machine reads the one address that only a receiver is told; the server must be started
// with APPMARKET_OUTGOING_ALLOW='["loopback"]'.
// Creating operations come first, deleting ones last, so that writes go to records the UI itself created.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// `require` also looks where NODE_PATH says, so that the modules need not lie in the source tree.
const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');
const Ajv = require('ajv/dist/2020');
const addFormats = require('ajv-formats');

// The server allows 20 requests in a window of 2 seconds; this pace stays under it with the limit left on.
const BURST_WINDOW = 2_000;
const MILLISECONDS_BETWEEN_REQUESTS = 125;
const PATIENCE = 60_000;
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const [base, screenshot] = process.argv.slice(2);
const NEEDED = [
  'TEST_TOKEN', 'TEST_CLIENT_ID', 'TEST_CLIENT_SECRET', 'TEST_APP_KEY', 'TEST_SHARED_SECRET', 'TEST_DEVELOPER',
  'TEST_PASSWORD', 'TEST_SANDBOX', 'TEST_PRODUCTION', 'TEST_SITE',
];
const missing = NEEDED.filter((name) => !process.env[name]);
if (!base || missing.length > 0) {
  console.error(`usage: swagger_ui.mjs URL [PNG], with ${NEEDED.join(', ')}; missing: ${missing.join(', ') || 'URL'}`);
  process.exit(2);
}
const { TEST_TOKEN: token, TEST_CLIENT_ID: clientId, TEST_CLIENT_SECRET: clientSecret } = process.env;
const { TEST_APP_KEY: appKey, TEST_SHARED_SECRET: sharedSecret } = process.env;
const origin = new URL(base).origin;

// ---- The server, asked directly: the document, and ids to fill in ----------------------------------------------

// Whoever used the token before this script may have used up the window that is open: the first request opens another.
let nextRequest = Date.now() + BURST_WINDOW;
/** Waits for its turn, so that the requests of this script and of the page together stay under the burst limit. */
async function pace() {
  const now = Date.now();
  nextRequest = Math.max(now, nextRequest + MILLISECONDS_BETWEEN_REQUESTS);
  await new Promise((resolve) => setTimeout(resolve, nextRequest - now));
}

async function send(method, path, body, headers = { authorization: `Bearer ${token}` }) {
  await pace();
  const answer = await fetch(origin + path, { method, body, headers });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

const ask = (path) => send('GET', path);

const pointer = (...keys) => keys.map((key) => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** A document, with its operations and what tells whether an answer is as it says. */
async function read(path) {
  const document = await ask(path);
  const resolve = (node) =>
    node?.$ref
      ? resolve(node.$ref.slice(2).split('/').reduce((at, key) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], document))
      : node;
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      path,
      method,
      ...item[method],
      parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolve),
    })),
  );

  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  // Formats that say how large a number is, not how it is written: bounds of their own are declared beside them.
  for (const format of ['int32', 'int64', 'float', 'double', 'binary', 'password']) ajv.addFormat(format, true);
  ajv.addSchema(document, 'document');

  /** What is wrong with the answer as the document sees it; null when nothing is. */
  function mismatch({ path, method, responses }, status, contentType, text) {
    const declared = responses[status];
    if (!declared) return `status ${status} is not documented`;
    const response = resolve(declared);
    const media = Object.keys(response.content ?? {});
    if (media.length === 0) return text ? `a body where none is documented: ${text}` : null;
    const type = contentType.split(';')[0].trim();
    if (media.includes('*/*')) return null;
    if (!media.includes(type)) return `content type ${type} is not documented, ${media} is`;
    if (!type.endsWith('json')) return null;
    const at = declared.$ref ?? `#/paths${pointer(path, method)}/responses/${status}`;
    const schema = response.content[type].schema;
    const $ref = `document${schema.$ref ?? `${at}/content${pointer(type)}/schema`}`;
    // A property that the document does not name is a mistake too, so the record, or each record of a list, is closed.
    const closed = (record) => ({ $ref: record, unevaluatedProperties: false });
    const validate = ajv.compile(resolve(schema).items ? { $ref, items: closed(`${$ref}/items`) } : closed($ref));
    return validate(JSON.parse(text)) ? null : ajv.errorsText(validate.errors, { separator: '\n      ' });
  }

  return { document, operations, mismatch };
}

// ---- App offerings: values that the document cannot know -------------------------------------------------------------

/** Records created through the UI, by the path they were created at: `/v1/app_offerings` → the record. */
const created = new Map();

/**
 * A file and a picture, uploaded without the page: what they are downloaded with are parts of addresses that the
 * server makes. Resolves to the parameters of the two downloads.
 */
async function uploads() {
  const upload = async (path, part, fields = {}) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
    form.append(part, new Blob([PNG], { type: 'image/png' }), 'pixel.png');
    return send('POST', path, form);
  };
  const [offering] = await ask('/v1/app_offerings/latest_internal');
  const record = `/v1/app_offerings/${offering.id}`;
  const storage = await ask('/v1/attachments/storage');
  const { key } = await upload('/v1/attachments', 'file', storage[storage.provider]);
  const { attachments } = await send('PATCH', record, JSON.stringify({ description_attachments: [{ key }] }));
  const file = attachments.find((attachment) => attachment.key === key);
  const { picture_uri: picture } = await upload(`${record}/avatar`, 'avatar');
  return {
    '/v1/attachments/files/{id}': { id: String(file.id), ...Object.fromEntries(new URL(file.uri).searchParams) },
    '/v1/attachments/pictures/{name}': { name: new URL(picture).pathname.split('/').at(-1) },
  };
}

/** What the receiver of webhooks was told to be verified with, the last time. */
let callback;
const receiver = createServer(async (request, answer) => {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  const message = JSON.parse(body);
  if (message.event === 'webhook.verify') ({ callback } = message.payload);
  answer.end();
});
await new Promise((listening) => receiver.listen(0, '127.0.0.1', listening));
const ENDPOINT = `http://127.0.0.1:${receiver.address().port}/in`;

/** What `look` finds, as soon as it finds something: messages arrive, and are noted down, when they do. */
async function eventually(what, look) {
  for (let tries = 0; tries < 30; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${what} does not come`);
}

/** The parameters of an operation, of an address that the server made. */
function addressed({ path }, address) {
  const { pathname, searchParams } = new URL(address);
  const [parts, values] = [path.split('/'), pathname.split('/')];
  const inPath = parts.flatMap((part, at) => (part.startsWith('{') ? [[part.slice(1, -1), values[at]]] : []));
  return Object.fromEntries([...inPath, ...searchParams]);
}

/** A version that leads who configures it to a page of this server, so that no request leaves it. */
async function configurable() {
  const [{ service_instance: instance }] = await ask('/v1/app_offerings?fields=service_instance');
  const offering = {
    name: 'Configured in a browser',
    service_instance_id: instance.id,
    webhook_uri_template: ENDPOINT,
    policy_jwt_alg: 'es256',
    configuration_uri_template: `${origin}/docs?account={account}`,
  };
  const draft = await send('POST', '/v1/app_offerings', JSON.stringify(offering));
  return send('POST', `/v1/app_offerings/${draft.id}/publish`, '{}');
}

/** Where who configures the instance was led to with. */
let confirmation;

/** Bodies and parameters of the operations that messages and pages of accounts are about. */
const ABOUT_MESSAGES = {
  create_app_instance: async () => ({ body: { app_offering_id: (await configurable()).id } }),
  create_webhook: () => ({ body: { event: 'app_instance.create', uri: ENDPOINT } }),
  configure_app_instance: async (operation) => {
    const instance = created.get('/v1/app_instances').id;
    const { configuration_uri: address } = await ask(`/v1/app_instances/${instance}/configuration`);
    return { parameters: addressed(operation, address) };
  },
  ask_to_confirm_app_instance: (operation) => ({ parameters: addressed(operation, confirmation) }),
  confirm_app_instance: (operation) => ({ parameters: addressed(operation, confirmation) }),
  get_webhook_policy_configuration: () => ({ parameters: keys() }),
  get_webhook_policy_keys: () => ({ parameters: keys() }),
  verify_webhook: async (operation) => ({
    parameters: addressed(operation, await eventually('webhook.verify', () => callback)),
  }),
  confirm_webhook: (operation) => ({ parameters: addressed(operation, callback) }),
  // What carried a secret cannot be sent again: a test can.
  redeliver_webhook_delivery: async () => {
    const webhook = created.get('/v1/webhooks').id;
    const delivery = await eventually('the test of the webhook', async () =>
      (await ask(`/v1/webhooks/${webhook}/deliveries`)).find(({ event, state }) => event !== 'webhook.verify' && state === 'delivered'),
    );
    return { parameters: { webhook_id: String(webhook), delivery_id: String(delivery.id) } };
  },
};

const keys = () => ({ account: 'wdc', name: created.get('/v1/webhook_policies').name });

/** The parameters of an operation: ids in its path, from the records created in the UI or else from the first record listed. */
async function offeringParameters({ path, method }, downloads) {
  if (downloads[path]) return downloads[path];
  const ids = {};
  let filled = '';
  for (const segment of path.slice(1).split('/')) {
    const name = segment.match(/^\{(.+)\}$/)?.[1];
    if (!name) {
      filled += `/${segment}`;
      continue;
    }
    if (!created.has(filled) && ['patch', 'put', 'delete'].includes(method)) {
      throw new Error(`nothing was created at ${filled} that ${method.toUpperCase()} could be tried on`);
    }
    const record = created.get(filled) ?? (await ask(filled))[0];
    if (!record) throw new Error(`${filled} lists no record to fill {${name}} with`);
    ids[name] = String(record.id);
    filled += `/${ids[name]}`;
  }
  return ids;
}

/** Creating first (parents before children), then changing, reading, everything else, and deleting last. */
function offeringTurn({ path, method }, { document }) {
  const creates = method === 'post' && Object.keys(document.paths).some((other) => /^\/\{\w+\}$/.test(other.replace(path, '')));
  if (creates) return path.split('/').length;
  return 100 + ['patch', 'put', 'get', 'post', 'delete'].indexOf(method);
}

async function offerings() {
  const family = await read('/openapi/app-offerings.json');
  const downloads = await uploads();
  return {
    ...family,
    name: 'App Offerings',
    scheme: 'personal_access_token',
    token,
    client: [clientId, clientSecret],
    // Asked for with the token that the UI has fetched.
    probe: ({ path, method }) => path === '/v1/me' && method === 'get',
    turn: (operation) => offeringTurn(operation, family),
    async values(operation) {
      const own = await ABOUT_MESSAGES[operation.operationId]?.(operation);
      const parameters = own?.parameters ?? (await offeringParameters(operation, downloads));
      // The credentials of a token request. An upload needs its file only, where the page sends a token.
      const form =
        operation.path === '/token' ? { client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials' } : {};
      return { parameters, form, body: own?.body };
    },
    learn({ method, operationId }, answer, record) {
      if (operationId === 'configure_app_instance') {
        confirmation = new URL(answer.headers().location).searchParams.get('confirmation_url');
      }
      if (method !== 'post' || answer.status() !== 201 || record?.id === undefined) return;
      const collection = new URL(answer.url()).pathname;
      if (!created.has(collection)) created.set(collection, record);
    },
  };
}

// ---- App packages: values that the document cannot know --------------------------------------------------------------

const { TEST_DEVELOPER: developer, TEST_PASSWORD: password } = process.env;
const [sandbox, production, site] = ['TEST_SANDBOX', 'TEST_PRODUCTION', 'TEST_SITE'].map((name) => Number(process.env[name]));

/** Answers of the operations so far, by operationId. */
const made = {};

const NAMESPACE = appKey.split('.')[0];
const VERSION = `${NAMESPACE}.browser.1.0.0`;
const own = { applicationKey: `${VERSION}.Release` };
const file = { ...own, filepath: 'assets/pixel.png' };
const tenant = { 'x-vol-tenant': sandbox };
const hosted = { 'x-vol-tenant': sandbox, 'x-vol-site': site };
const installed = { ...tenant, appId: appKey };
const endpoint = 'https://loyalty.acme.example/hooks';

/** In the order in which the operations are tried: what one makes, others use. */
const PACKAGES = {
  authenticate_app: () => ({ body: { applicationId: appKey, sharedSecret } }),
  authenticate_app_oauth: () => ({ form: { client_id: appKey, client_secret: sharedSecret } }),
  refresh_app_ticket: () => ({ body: { refreshToken: made.authenticate_app.refreshToken } }),
  delete_app_ticket: () => ({ parameters: { refreshToken: made.authenticate_app.refreshToken } }),
  authenticate_developer: () => ({ body: { emailAddress: developer, password } }),
  refresh_developer_ticket: () => ({ body: { refreshToken: made.authenticate_developer.refreshToken } }),
  delete_developer_ticket: () => ({ parameters: { refreshToken: made.authenticate_developer.refreshToken } }),
  create_app_package: () => ({ body: { appKey: own.applicationKey } }),
  create_package: () => ({ body: { appKey: `${VERSION}.Work`, packageDescription: 'Made in a browser' } }),
  clone_package: () => ({ parameters: { ...own, packageName: 'Copy' } }),
  update_package: () => ({ parameters: own, body: { packageDescription: 'Changed in a browser' } }),
  get_package: () => ({ parameters: own }),
  list_application_versions: () => ({ parameters: { appId: 'browser' } }),
  list_packages: () => ({ parameters: own }),
  list_app_versions: () => ({ parameters: { nsAndAppId: `${NAMESPACE}.browser` } }),
  list_app_package_names: () => ({ parameters: own }),
  update_package_behaviors: () => ({ parameters: { packageId: made.create_app_package.id }, body: [{ behaviorId: 102 }] }),
  get_package_behaviors: () => ({ parameters: { packageId: made.create_app_package.id } }),
  upsert_package_file: () => ({ parameters: file }),
  get_package_file_metadata: () => ({ parameters: file }),
  get_package_metadata: () => ({ parameters: own }),
  get_package_file: () => ({ parameters: own }),
  rename_package_file: () => ({ parameters: own, body: { oldFullPath: file.filepath, newFullPath: 'assets/dot.png' } }),
  delete_package_file: () => ({ parameters: { ...own, filepath: 'assets/dot.png' } }),
  create_application_subscription: () => ({
    body: { packageId: made.create_app_package.id, applicationEndPoint: endpoint, events: [{ eventName: 'order.opened' }] },
  }),
  update_application_subscription: () => ({
    body: { ...made.create_application_subscription, noCallback: true },
  }),
  get_application_subscription: () => ({
    parameters: { subscriptionId: made.create_application_subscription.applicationSubscriptionId },
  }),
  delete_application_subscription: () => ({
    parameters: { applicationSubscriptionId: made.create_application_subscription.applicationSubscriptionId },
  }),
  install_application: () => ({ body: { appKey, tenantId: sandbox } }),
  install_application_to_production: () => ({ body: { appKey: `${NAMESPACE}.loyalty.1.0.0.Release`, tenantId: production } }),
  get_entitlement: () => ({ parameters: { applicationEntitlementId: made.install_application.applicationEntitlementId } }),
  list_tenant_entitlements: () => ({ parameters: { tenantId: sandbox } }),
  list_version_entitlements: () => ({ parameters: { applicationId: made.install_application.applicationId } }),
  update_installed_application: () => ({ parameters: installed }),
  get_installed_application: () => ({ parameters: installed }),
  list_recent_events: () => ({}),
  get_recent_event: () => ({ parameters: { eventId: made.list_recent_events.items[0].id } }),
  get_tenant: () => ({ parameters: { tenantId: sandbox } }),
  get_behavior: () => ({ parameters: { behaviorId: 42 } }),
  get_behavior_category: () => ({ parameters: { categoryId: 2 } }),
  list_runtime_logs: () => ({ parameters: hosted }),
  list_builds: () => ({ parameters: { ...hosted, branchName: 'main' } }),
  get_build_log: () => ({ parameters: { ...hosted, branchName: 'main', jobId: '17' } }),
  download_log: () => {
    const address = new URL(made.list_runtime_logs.logs[0].logUrl);
    const [, key] = address.pathname.split('/headless-app/files/');
    return { parameters: { key: decodeURIComponent(key), ...Object.fromEntries(address.searchParams) } };
  },
  delete_package: () => ({ parameters: { applicationKey: `${VERSION}.Copy` } }),
};

async function packages() {
  const json = { 'content-type': 'application/json' };
  const credentials = JSON.stringify({ applicationId: appKey, sharedSecret });
  const ticket = await send('POST', '/api/platform/applications/authtickets', credentials, json);
  const order = Object.keys(PACKAGES);
  return {
    ...(await read('/openapi/app-packages.json')),
    name: 'App Packages',
    scheme: 'bearerAuth',
    token: ticket.accessToken,
    client: [appKey, sharedSecret],
    probe: ({ operationId }) => operationId === 'list_behaviors',
    // Those that need nothing come before the last one, which removes what was made.
    turn: ({ operationId }) => (order.includes(operationId) ? order.indexOf(operationId) : order.length - 1.5),
    values: async ({ operationId }) => PACKAGES[operationId]?.() ?? {},
    learn: ({ operationId }, _, record) => (made[operationId] = record),
  };
}

// ---- The page -------------------------------------------------------------------------------------------------------

const profile = await mkdtemp(join(tmpdir(), 'appmarket-chromium-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  viewport: { width: 1400, height: 1000 },
  args: [
    // Chromium refuses its sandbox to root; it sees nothing here but our own server.
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // A name that is not localhost, for what the UI does only on public hosts.
    '--host-resolver-rules=MAP appmarket.example 127.0.0.1',
  ],
});

/** Everything that was wrong; empty at the end of a good run. */
const failures = [];
const fail = (what) => {
  failures.push(what);
  console.error(`FAILED ${what}`);
};

/** Watches a page: whatever it asks for must come from its own server and arrive, and its console stays silent. */
function watch(page, home) {
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (/^https?:|^wss?:/.test(protocol) && origin !== home) fail(`a request left the server: ${request.url()}`);
  });
  page.on('requestfailed', (request) => fail(`${request.url()} failed: ${request.failure()?.errorText}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) fail(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => fail(`uncaught in the page: ${error.message}`));
}

async function open(home) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  watch(page, home);
  const answer = await page.goto(`${home}/docs`, { waitUntil: 'networkidle' });
  const policy = answer.headers()['content-security-policy'] ?? '';
  if (!/default-src|script-src/.test(policy)) fail(`/docs comes without a content-security-policy: "${policy}"`);
  if (/\*|https?:/.test(policy)) fail(`the content-security-policy of /docs lets other hosts in: ${policy}`);
  await page.locator('.opblock-tag').first().waitFor();
  return page;
}

/** Turns to the other document, in the drop-down above it. */
async function choose(page, family) {
  await page.locator('.topbar select').selectOption({ label: family.name });
  await page.locator('.info .title', { hasText: family.name }).waitFor();
  await page.locator('.opblock-tag').first().waitFor();
  const messages = page.locator('.webhooks .opblock');
  const described = Object.keys(family.document.webhooks).length;
  if ((await messages.count()) !== described) fail(`of ${described} messages the page shows ${await messages.count()}`);
  // In them is nothing to try out, and laying them out anew for every click takes seconds.
  await page.locator('.webhooks').evaluateAll((all) => all.forEach((section) => (section.style.display = 'none')));
}

async function authorize(page, family) {
  await page.locator('.auth-wrapper > .authorize').click();
  const forms = page.locator('.auth-container');
  const bearer = forms.filter({ hasText: family.scheme });
  await bearer.locator('input').fill(family.token);
  await bearer.getByRole('button', { name: 'Apply credentials' }).click();
  await bearer.getByRole('button', { name: 'Remove authorization' }).waitFor();
  await bearer.locator('.btn-done').click();
}

/** The other way in: the client credentials of an OAuth client, exchanged for a token by the UI itself. */
async function authorizeByOauth(page, { client: [id, secret] }) {
  await page.locator('.auth-wrapper > .authorize').click();
  // The UI may remember the token of the other way across a reload.
  const forget = page.getByRole('button', { name: 'Remove authorization' });
  if (await forget.isVisible()) await forget.click();
  const form = page.locator('.auth-container').filter({ hasText: 'oauth2' });
  await form.locator('#client_id_clientCredentials').fill(id);
  await form.locator('#client_secret_clientCredentials').fill(secret);
  await form.getByText('select all', { exact: true }).click();
  await pace();
  await form.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  await form.getByRole('button', { name: 'Remove authorization' }).waitFor();
  await form.locator('.btn-done').click();
}

/** Tries one operation out in the page; returns the line to print, throws when it is not as documented. */
async function tryOut(page, family, operation) {
  const { path, method } = operation;
  const block = page.locator(`.opblock.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) });
  if (!(await block.isVisible())) {
    const section = page.locator('.opblock-tag-section', { has: page.locator(`[data-tag="${operation.tags[0]}"]`) });
    await section.locator('.opblock-tag').click();
  }
  await block.locator('.opblock-summary-control').click();
  const start = block.getByRole('button', { name: 'Try it out' });
  const execute = block.locator('.execute');
  await start.or(execute).waitFor();
  if (await start.isVisible()) await start.click();

  const { parameters = {}, form = {}, body } = await family.values(operation);
  for (const [name, value] of Object.entries(parameters)) {
    // A query may filter by what is also the name of a part of the path.
    const places = operation.parameters.filter((parameter) => parameter.name === name).map((parameter) => parameter.in);
    const place = places.includes('path') ? 'path' : places[0];
    await block.locator(`tr[data-param-in="${place}"][data-param-name="${name}"] input`).fill(String(value));
  }
  for (const [name, value] of Object.entries(form)) {
    const field = block.locator(`.opblock-section-request-body tr[data-property-name="${name}"]`);
    if (await field.locator('select').count()) await field.locator('select').selectOption(String(value));
    else await field.locator('input').first().fill(String(value));
  }
  if (body !== undefined) await block.locator('.opblock-section-request-body textarea').fill(JSON.stringify(body));
  for (const file of await block.locator('.opblock-section-request-body input[type=file]').all()) {
    await file.setInputFiles({ name: 'pixel.png', mimeType: 'image/png', buffer: PNG });
  }

  await pace();
  // The headers come from the wire: the page shows them, but in no form made for reading.
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === method.toUpperCase() && !response.url().includes('/docs/')),
    execute.click(),
  ]);
  const shown = block.locator('.live-responses-table .response').first();
  if (answer.status() === 302) {
    // The page shows what is at the end of the way; the answer is seen on the wire only.
    await shown.waitFor();
    if (!operation.responses[302]) throw new Error('answered 302, which is not documented');
    await block.locator('.opblock-summary-control').click();
    family.learn(operation, answer);
    return '302';
  }
  const status = (await shown.locator('.response-col_status').innerText()).trim().split(/\s/)[0];
  const code = shown.locator('.response-col_description .highlight-code code');
  const text = (await code.count()) ? await code.first().textContent() : '';
  if (!/^2\d\d$/.test(status)) throw new Error(`answered ${status}: ${text}\n      to ${answer.request().url()} ${answer.request().postData() ?? ''}`);
  const contentType = (await answer.headerValue('content-type')) ?? '';
  const problem = family.mismatch(operation, status, contentType, text);
  if (problem) throw new Error(`${status} is not as documented:\n      ${problem}\n      ${text.slice(0, 2000)}`);
  await block.locator('.opblock-summary-control').click();

  const record = text && contentType.includes('json') ? JSON.parse(text) : undefined;
  family.learn(operation, answer, record);
  return `${status}${Array.isArray(record) ? `, ${record.length} record(s)` : ''}`;
}

// ---- The run --------------------------------------------------------------------------------------------------------

let [passed, total] = [0, 0];

/** Every operation of a document, by the token; then one by the token that the page gets as an OAuth client. */
async function run(page, family) {
  await choose(page, family);
  await authorize(page, family);
  total += family.operations.length;
  for (const operation of family.operations.toSorted((a, b) => family.turn(a) - family.turn(b))) {
    const name = `${operation.method.toUpperCase().padEnd(6)} ${operation.path}`;
    try {
      console.log(`ok     ${name}  ${await tryOut(page, family, operation)}`);
      passed += 1;
    } catch (error) {
      fail(`${name}  ${error.message}`);
    }
  }
  if (screenshot) await page.screenshot({ path: screenshot.replace(/\.png$/, `-${family.scheme}.png`), fullPage: true });

  console.log(`${family.name}: authorizing as an OAuth client`);
  await page.reload({ waitUntil: 'networkidle' });
  await choose(page, family);
  await authorizeByOauth(page, family);
  const operation = family.operations.find(family.probe);
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.url().split('?')[0].endsWith(operation.path)),
    tryOut(page, family, operation),
  ]);
  const sent = (await request.allHeaders()).authorization;
  if (!sent || sent === `Bearer ${family.token}`) fail(`the UI did not use the token that it fetched, it sent "${sent}"`);
}

try {
  for (const family of [await offerings(), await packages()]) {
    console.log(`Opening ${origin}/docs for ${family.name}`);
    const page = await open(origin);
    await run(page, family);
    await page.close();
  }
  console.log('Opening the page under a name that is not localhost');
  await open(origin.replace('127.0.0.1', 'appmarket.example'));
} catch (error) {
  fail(error.message);
} finally {
  await browser.close();
  receiver.close();
  await rm(profile, { recursive: true, force: true });
}

console.log(`${passed} of ${total} operations answered as documented`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed === total && passed > 0 ? 0 : 1;
