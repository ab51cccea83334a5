#!/usr/bin/env bash
# Print the path of a Chromium that tests can drive, installing one, and a Chinese font, when there is none.
# $CHROMIUM is taken when it is set. A browser from a snap is passed over: it cannot read files in /tmp.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
. "$here/as-root.sh"
python="$here/../.venv/bin/python"

from_snap() { [ "$(basename "$(readlink -f "$1")")" = snap ] || head -c 4096 "$1" | grep -qa /snap/; }

works() { [ -x "$1" ] && ! from_snap "$1" && "$1" --version >/dev/null 2>&1; }

on_path() {
  local name path
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    path="$(command -v "$name" || true)"
    if works "$path"; then echo "$path"; return; fi
  done
  return 1
}

of_playwright() {
  "$python" - <<'PYTHON'
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
PYTHON
}

if [ -z "$(fc-list :lang=zh 2>/dev/null | head -1)" ]; then
  apt_install fontconfig fonts-noto-cjk || echo "No Chinese font: pictures will show empty boxes." >&2
fi

if [ -n "${CHROMIUM:-}" ]; then
  works "$CHROMIUM" || { echo "CHROMIUM=$CHROMIUM does not run." >&2; exit 1; }
  echo "$CHROMIUM"
elif on_path; then
  :
elif ! apt-cache show chromium 2>/dev/null | grep -qi snap && apt_install chromium && on_path; then
  :
else
  echo "No Chromium from the system: taking Playwright's own." >&2
  "$python" -m playwright install --with-deps chromium >&2
  path="$(of_playwright)"
  works "$path" || { echo "Playwright's Chromium does not run here." >&2; exit 1; }
  echo "$path"
fi
