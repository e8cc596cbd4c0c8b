// Do the linters see what they are there for? Each of these documents is broken in one place, and each linter that is
// named must fail and name that place.
//
//   NODE_PATH=node_modules node .ci/broken-documents.mjs node_modules/.bin
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const tools = process.argv[2];
const commands = {
  spectral: (file) => [join(tools, 'spectral'), ['lint', '--fail-severity=hint', '--format=json', '--quiet', file]],
  redocly: (file) => [join(tools, 'redocly'), ['lint', '--extends=recommended-strict', '--format=json', file]],
};
const me = (document) => document.paths['/v1/me'].get;
const create = (document) => document.paths['/v1/app_offerings'].post;
const json = (document) => create(document).requestBody.content['application/json'];
const broken = [
  {
    what: 'dangling reference',
    change: (document) => { json(document).schema.$ref = '#/components/schemas/None'; },
    finds: {
      spectral: /"paths",\s*"\/v1\/app_offerings",\s*"post",\s*"requestBody",\s*"content",\s*"application\/json",\s*"schema"/,
      redocly: /#\/paths\/~1v1~1app_offerings\/post\/requestBody\/content\/application~1json\/schema/,
    },
  },
  {
    what: 'duplicated operationId',
    change: (document) => { me(document).operationId = create(document).operationId; },
    finds: {
      spectral: /"operationId"/,
      redocly: /#\/paths\/~1v1~1me\/get\/create_app_offering/,
    },
  },
  {
    what: 'missing example',
    // As a whole, and of a member.
    change: (document) => {
      delete json(document).example;
      delete document.components.schemas.CreateAppOffering.properties.name.examples;
    },
    finds: { spectral: /"paths",\s*"\/v1\/app_offerings",\s*"post",\s*"requestBody",\s*"content",\s*"application\/json"/ },
  },
  {
    what: 'changed type',
    change: (document) => { document.components.schemas.AppOffering.properties.name.type = 'integer'; },
    finds: {
      spectral: /"components",\s*"schemas",\s*"AppOffering",\s*"properties",\s*"name"/,
      redocly: /#\/components\/schemas\/AppOffering\/properties\/name/,
    },
  },
  {
    what: 'removed enum value',
    change: (document) => {
      const schema = document.components.schemas.JwtAlgorithm;
      schema.enum = schema.enum.filter((value) => value !== json(document).example.policy_jwt_alg);
    },
    finds: {
      spectral: /"paths",\s*"\/v1\/app_offerings",\s*"post",\s*"requestBody"|"policy_jwt_alg"/,
      redocly: /#\/paths\/~1v1~1app_offerings\/post\/requestBody|policy_jwt_alg/,
    },
  },
];

function lint(linter, document) {
  writeFileSync(file, JSON.stringify(document));
  const [command, arguments_] = commands[linter](file);
  return spawnSync(command, arguments_, { encoding: 'utf8', maxBuffer: 1 << 28 });
}

// Inside the source tree, where the linters find their rules. Their exceptions name other files, hence the document as
// it is for comparison: what is found in it is not what was broken.
mkdirSync('target', { recursive: true });
const folder = mkdtempSync(join('target', 'broken-'));
const file = join(folder, 'app-offerings.json');
let failures = 0;
try {
  const text = readFileSync('openapi/app-offerings.json', 'utf8');
  const intact = {};
  for (const linter of Object.keys(commands)) intact[linter] = lint(linter, JSON.parse(text)).stdout;
  for (const { what, change, finds } of broken) {
    const document = JSON.parse(text);
    change(document);
    for (const [linter, place] of Object.entries(finds)) {
      const { status, stdout, stderr } = lint(linter, document);
      const found = status === 1 && place.test(stdout) && !place.test(intact[linter]);
      console.log(`${found ? 'found ' : 'MISSED'}  ${what} by ${linter}`);
      if (!found) {
        failures += 1;
        console.error(`exit code ${status}, and nothing about ${place}:\n${stdout.slice(0, 2000)}${stderr.slice(0, 2000)}`);
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failures === 0 ? 0 : 1;
