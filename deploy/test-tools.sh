#!/usr/bin/env bash
# See to it that the programs are here which only tests need: coturn, and strace for disks that fail. Prints
# those that this machine cannot have because it has no apt-get; their tests are left out. Fails when apt-get
# is there and does not install them, and so does `make test`: set $TESTS_WITHOUT to go on without.
set -euo pipefail
. "$(cd "$(dirname "$0")" && pwd)/as-root.sh"
without="${TESTS_WITHOUT:-}"

wanted() { ! command -v "$1" >/dev/null && [[ " $without " != *" $1 "* ]]; }

# Debian's package starts a relay of its own, which nobody asked for: not while it is installed, and not later.
install_coturn() {
  if [ -d /run/systemd/system ]; then
    local done=0
    as_root systemctl mask --quiet coturn.service >&2
    apt_install coturn || done=$?
    as_root systemctl unmask --quiet coturn.service >&2
    as_root systemctl disable --quiet coturn.service >&2 || true
    return "$done"
  else
    apt_install coturn
  fi
}

for program in turnserver strace; do
  wanted "$program" || continue
  if ! command -v apt-get >/dev/null; then
    without="$without $program"
  elif [ "$program" = turnserver ]; then
    install_coturn
  else
    apt_install "$program"
  fi
done
echo "$without"
