// Verifies what receive.py received with the libraries that receivers in JavaScript use.
//
//   npm ci --prefix tests/clients/webhook_signatures
//   node tests/clients/webhook_signatures/verify.mjs /tmp/messages.jsonl
//
// The server must still run, for its keys are discovered, and the messages must be less than five minutes old.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// `require` also looks where NODE_PATH says, so that the modules need not lie in the source tree.
const require = createRequire(import.meta.url);
const { createRemoteJWKSet, importSPKI, jwtVerify } = require('jose');
const { Webhook, WebhookVerificationError } = require('standardwebhooks');

/** The token with other claims under the same signature. */
function forge(token) {
  const [header, , signature] = token.split('.');
  return `${header}.${Buffer.from('{"aud":"receiver","data":{}}').toString('base64url')}.${signature}`;
}

async function verifyJwt({ algorithm, jwt, pem, issuer, jwks_uri: address, claims }) {
  const options = { algorithms: [algorithm], audience: 'receiver', issuer, requiredClaims: ['exp', 'iat', 'nbf', 'jti', 'sub'] };
  const keys = [await importSPKI(pem, algorithm)];
  if (address) keys.push(createRemoteJWKSet(new URL(address)));
  for (const key of keys) {
    const { payload } = await jwtVerify(jwt, key, options);
    assert.deepEqual(payload, claims);
    const refusal = { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' };
    await assert.rejects(jwtVerify(forge(jwt), key, options), refusal);
  }
  return `${algorithm}${address ? ' discovered' : ''}`;
}

function verifyStandardWebhook({ secret, body, headers }) {
  const webhook = new Webhook(secret);
  assert.deepEqual(webhook.verify(body, headers), JSON.parse(body));
  assert.throws(() => webhook.verify(`${body} `, headers), WebhookVerificationError);
}

const [file] = process.argv.slice(2);
if (!file) {
  console.error('usage: verify.mjs FILE');
  process.exit(2);
}
const messages = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const verified = [];
for (const message of messages.filter(({ jwt }) => jwt)) verified.push(await verifyJwt(message));
const algorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512'];
assert.deepEqual(verified, algorithms.flatMap((algorithm) => [algorithm, `${algorithm} discovered`]));
const [standard, ...others] = messages.filter(({ jwt }) => !jwt);
assert.deepEqual(others, []);
verifyStandardWebhook(standard);
console.log(`jose: ${verified.join(', ')}; standardwebhooks: 1 message`);
