#!/bin/sh
# Measures calproof against what a user would take instead, and writes the tables of README.md.
#
#   benches/compare/run.sh [--bytes N] [--rounds N] [--quick] [--keep]
#
# Needs Debian's mawk, gawk, goaccess, ripgrep and openssl, and PyPI's duckdb, polars and chdb, which go
# into a virtual environment beside the data. A tool that is missing is named in the table.
# COMPARE_DIR says where data and environment lie (default: a new directory below TMPDIR); the logs are
# deleted at the end, unless --keep is given.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
own=${COMPARE_DIR:+no}
COMPARE_DIR=${COMPARE_DIR:-$(mktemp -d)}
export COMPARE_DIR
cargo build --release --manifest-path "$root/Cargo.toml" --bin calproof --example compare-generate --example compare-reference
if [ ! -x "$COMPARE_DIR/venv/bin/python" ]; then
    python3 -m venv "$COMPARE_DIR/venv"
    "$COMPARE_DIR/venv/bin/pip" install --quiet duckdb polars chdb ||
        echo "run.sh: some rivals could not be installed; the table will say so" >&2
fi
keep=no
for argument in "$@"; do [ "$argument" = --keep ] && keep=yes; done
status=0
"$COMPARE_DIR/venv/bin/python" "$here/run.py" --target "${CARGO_TARGET_DIR:-$root/target}/release" "$@" || status=$?
if [ -z "$own" ] && [ "$keep" = no ]; then rm -rf "$COMPARE_DIR"; fi
exit "$status"
