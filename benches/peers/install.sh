#!/bin/sh
# Installs the peers' pinned packages beside their sources (node_modules and .venv, ignored by git).
set -eu
cd "$(dirname "$0")"

# Where no prebuilt better-sqlite3 can be fetched it is compiled; Node's own headers are enough.
node_prefix=$(dirname "$(dirname "$(node --print process.execPath)")")
if [ -f "$node_prefix/include/node/node.h" ]; then
  export npm_config_nodedir="$node_prefix"
fi
(cd fastify && npm ci)

python3 -m venv fastapi/.venv
fastapi/.venv/bin/pip install --quiet --requirement fastapi/requirements.txt
