#!/usr/bin/env bash
# The whole suite on real servers: SQLite first, then the database tests again on PostgreSQL and Redis.
# Nothing may be skipped here: every skip makes this fail.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${ARCHWAY_PYTHON:-python3}" -m tests.run_all
