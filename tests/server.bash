# Sourced by scripts that test a program from outside. `start_server PROGRAM` has it listen on a free port, with data of
# its own and limits lifted, and sets `base`; both end with the script. Settings are those of the environment.
scratch=$(mktemp -d /tmp/appmarket-test.XXXXXX)
server=
stop_server() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait || true
  rm -rf "$scratch"
}
trap stop_server EXIT
trap 'exit 130' INT TERM

start_server() {
  program=$(realpath "$1")
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  export APPMARKET_LISTEN=127.0.0.1:$port APPMARKET_DATA=$scratch/data
  export APPMARKET_RATE_LIMIT_PER_HOUR=1000000000 APPMARKET_RATE_LIMIT_BURST=1000000000
  export APPMARKET_PACKAGE_RATE_LIMIT_PER_HOUR=1000000000 APPMARKET_PACKAGE_RATE_LIMIT_BURST=1000000000
  base=http://127.0.0.1:$port
  (cd "$scratch" && exec "$program" serve) >"$scratch/server.log" 2>&1 </dev/null &
  server=$!
  for _ in {1..100}; do
    curl --silent --fail --output /dev/null "$base/readyz" && grep --quiet Token "$scratch/server.log" && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$scratch/server.log" >&2
  exit 1
}

# The command line of the same program, on the same data.
appmarket() { (cd "$scratch" && "$program" "$@"); }
# What the server printed of its demo data: Token, App key, Secret.
printed() { sed -n "s/^ *$1 *//p" "$scratch/server.log"; }
# A member of the JSON object on standard input.
member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
