// Verifies signatures of outgoing messages with libraries that receivers in JavaScript use.
//
//   APPMARKET_TEST_SIGNATURES=/tmp/signatures.jsonl cargo test --lib every_algorithm_signs
//   npm ci --prefix tests/clients/webhook_signatures
//   node tests/clients/webhook_signatures/verify.mjs /tmp/signatures.jsonl
//
// Each line of the file is one signed message: a JWT with its key, or a body in the manner of Standard Webhooks,
// whose time must not be more than five minutes ago.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// `require` also looks where NODE_PATH says, so that the modules need not lie in the source tree.
const require = createRequire(import.meta.url);
const { createLocalJWKSet, importJWK, importSPKI, jwtVerify } = require('jose');
const { Webhook, WebhookVerificationError } = require('standardwebhooks');

const ALGORITHMS = ['es256', 'es384', 'es512', 'rs256', 'rs384', 'rs512'];

/** The token with other claims under the same signature. */
function forge(token) {
  const [header, , signature] = token.split('.');
  return `${header}.eyJzdWIiOiI4IiwiYXVkIjoicmVjZWl2ZXIifQ.${signature}`;
}

async function verifyJwt({ algorithm, jwt, jwk, pem, claims }) {
  const alg = algorithm.toUpperCase();
  const options = { algorithms: [alg], audience: 'receiver' };
  const set = createLocalJWKSet({ keys: [jwk] });
  for (const key of [await importSPKI(pem, alg), await importJWK(jwk, alg), set]) {
    const { payload, protectedHeader } = await jwtVerify(jwt, key, options);
    assert.deepEqual(payload, claims);
    assert.deepEqual(protectedHeader, { typ: 'JWT', alg, kid: 'k1' });
    const refusal = { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' };
    await assert.rejects(jwtVerify(forge(jwt), key, options), refusal);
  }
  return algorithm;
}

function verifyStandardWebhook({ secret, id, timestamp, body, signature }) {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signature };
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
const tokens = messages.filter((message) => message.jwt);
const others = messages.filter((message) => !message.jwt);
assert.deepEqual((await Promise.all(tokens.map(verifyJwt))).sort(), ALGORITHMS);
assert.equal(others.length, 1);
verifyStandardWebhook(others[0]);
console.log(`jose: ${ALGORITHMS.join(', ')}; standardwebhooks: 1 message`);
