# Sourced by the other scripts: `as_root command...` runs it as root, directly or through sudo, and fails
# with a sentence when neither is possible.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "This needs root, and there is no sudo. Run as root: $*" >&2
    return 1
  fi
}

# apt_install package...: with a fresh package list, quietly, without questions.
apt_install() {
  command -v apt-get >/dev/null || { echo "No apt-get here. Install by hand: $*" >&2; return 1; }
  as_root apt-get update -qq >&2 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}
