# Shared by the scripts of this folder (sourced by them, never run): the repository root, which cmake, how many jobs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '==> %s\n' "$*" >&2; }
fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 1; }

# The cmake of Debian first: one on PATH may be a wrapper of something else. Called after setup.
find_cmake() {
  local candidate
  for candidate in "${CMAKE:-}" /usr/bin/cmake cmake; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "cmake is missing" "run scripts/setup, or install cmake 3.25 or newer"
}

# All cores, but no more than the memory allows: a compile job takes up to 1.2 GB.
job_count() {
  local cores by_memory
  cores=$(nproc 2>/dev/null || echo 1)
  by_memory=$(awk '/MemAvailable/ {print int($2 / 1200000)}' /proc/meminfo 2>/dev/null || echo "$cores")
  [ "${by_memory:-0}" -ge 1 ] || by_memory=1
  [ "$cores" -lt "$by_memory" ] && echo "$cores" || echo "$by_memory"
}

# clang-format of Debian 12's major version, or nothing: others format a few things differently.
find_clang_format() {
  local candidate
  for candidate in clang-format-14 clang-format; do
    if "$candidate" --version 2>/dev/null | grep -q ' version 14\.'; then
      printf '%s\n' "$candidate"
      return
    fi
  done
}
