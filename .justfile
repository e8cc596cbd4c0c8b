# What one does every day; `.ci/run` is what must pass.

# Start on an embedded database with demo data.
run:
    cargo run --release

# The whole suite; on PostgreSQL too when APPMARKET_TEST_DATABASE_URL names a server.
test:
    cargo test

# Rewrite everything under openapi/; fails when something breaks the released documents.
openapi:
    cargo run -- openapi

# What has changed since the documents were released.
changes:
    cargo run -- openapi --changes

# Format, and mend what clippy can mend.
fix:
    cargo fmt
    cargo clippy --fix --allow-dirty --all-targets

# Everything that a change must pass.
check:
    bash .ci/run
