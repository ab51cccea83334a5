#!/usr/bin/env bash
# Make a virtual environment (first argument) with the newest Python this service runs on.
# A name on PATH is not enough: a version switcher's shim may fail, and Debian's python3 may come without venv.
set -euo pipefail
. "$(dirname "$0")/as-root.sh"

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

newest() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if usable "$name"; then echo "$name"; return; fi
  done
  return 1
}

if ! python=$(newest); then
  apt_install python3 python3-venv || true
  newest >/dev/null || apt_install python3.11-venv || true
  python=$(newest) || { echo "Bangban needs Python 3.11 or newer with its venv module." >&2; exit 1; }
fi
"$python" -m venv "$1"
