// How @hey-api/openapi-ts names operations: `list_app_offerings` of the tag `app_offerings` becomes
// `client.appOfferings.list()`. INPUT is the document, OUTPUT the folder of the client.

const words = (text) => text.split(/[^A-Za-z0-9]+/).filter(Boolean);
const camel = ([first, ...others]) => first + others.map((word) => word[0].toUpperCase() + word.slice(1)).join('');
const singular = (record) => record.replace(/ies$/, 'y').replace(/s$/, '');

// Of a record within another, the other's name goes too: `list_app_offering_scopes` becomes
// `client.appOfferings.scopes.list()`.
function nesting({ operationId, tags: [tag] }) {
  const [record, within] = tag.split('/').reverse();
  const names = `(${record}|${singular(record)})`;
  const ofRecord = within
    ? new RegExp(`_(\\w+_)?${names}(_of_${singular(within)})?$`)
    : new RegExp(`(_of)?_${names}(?=_|$)`);
  return [...tag.split('/'), operationId.replace(ofRecord, '')].map((part) => camel(words(part)));
}

export default {
  input: process.env.INPUT,
  output: { path: process.env.OUTPUT, importFileExtension: '.js' },
  logs: { file: false },
  plugins: [
    '@hey-api/client-fetch',
    '@hey-api/typescript',
    { name: '@hey-api/sdk', operations: { strategy: 'single', containerName: 'Appmarket', nesting } },
  ],
};
