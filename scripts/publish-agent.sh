#!/usr/bin/env bash
# Publishes the agent as one native file. Usage: scripts/publish-agent.sh [linux-x64|linux-arm64]; without an argument for this machine.
#
#   scripts/publish-agent.sh                 dist/linux-x64/failoverhub-agent
#   scripts/publish-agent.sh linux-arm64     on x64 by cross-compiling; Debian: clang lld gcc-aarch64-linux-gnu libc6-dev-arm64-cross zlib1g-dev
#
# The file needs glibc as old as that of the machine that publishes, and nothing else; its symbols for debuggers are beside it (.dbg).
# What is missing is named before anything is built.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

die() { echo "publish-agent.sh: $*" >&2; exit 1; }
case $(uname -m) in x86_64) here=linux-x64 ;; aarch64) here=linux-arm64 ;; *) here=none ;; esac
case ${1:-} in
  -h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
  '') rid=$here ;;
  linux-x64|linux-arm64) rid=$1 ;;
  *) die "no platform '$1'; it is linux-x64 or linux-arm64" ;;
esac
[ "$rid" != none ] || die "this machine ($(uname -m)) is no platform of the agent; name linux-x64 or linux-arm64"

missing=() options=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
if [ "$rid" = "$here" ]; then
  command -v clang >/dev/null || need gcc gcc
  [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
elif [ "$rid" = linux-arm64 ]; then
  compiler=$(compgen -c clang | grep -E '^clang(-[0-9]+)?$' | sort -V | tail -1 || true)
  [ -n "$compiler" ] || missing+=(clang)
  need ld.lld lld
  need aarch64-linux-gnu-objcopy gcc-aarch64-linux-gnu
  [ -e /usr/aarch64-linux-gnu/include/stdio.h ] || missing+=(libc6-dev-arm64-cross)
  options=(-p:CppCompilerAndLinker="$compiler" -p:LinkerFlavor=lld -p:ObjCopyName=aarch64-linux-gnu-objcopy)
else
  die "from $here to $rid nobody has tried; publish on that platform"
fi
[ ${#missing[@]} -eq 0 ] || die "missing: ${missing[*]} (on Debian: sudo apt-get install --no-install-recommends ${missing[*]})"
command -v dotnet >/dev/null || die "the .NET SDK that global.json names is needed"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Folders of their own: a build for one platform leaves another obj behind.
made=$PWD/artifacts/publish-$rid
mkdir -p "$made" "dist/$rid"
dotnet publish src/Agent -c Release -r "$rid" -p:PublishAot=true --artifacts-path "$made" -v q "${options[@]}" >"$made/publish.log" 2>&1 </dev/null \
  || { tail -20 "$made/publish.log" >&2; die "it does not build; the whole log: $made/publish.log"; }
published=$(dirname "$(find "$made/publish" -name failoverhub-agent -type f | head -1)")
install -m 755 "$published/failoverhub-agent" "dist/$rid/failoverhub-agent"
install -m 644 "$published/failoverhub-agent.dbg" "dist/$rid/failoverhub-agent.dbg"
# Whether the list of what a resting agent runs is still one of this program (scripts/order-agent.sh). nm reads the files of its own platform.
if [ "$rid" = "$here" ]; then
  listed=$(wc -l <src/Agent/resting.order)
  there=$(LC_ALL=C comm -12 src/Agent/resting.order <(nm "dist/$rid/failoverhub-agent.dbg" | awk '{ print $3 }' | LC_ALL=C sort -u) | wc -l)
  [ "$there" -ge $((listed * 8 / 10)) ] || echo "of $listed functions in src/Agent/resting.order only $there are in the program: it takes more memory than it has to; see scripts/order-agent.sh" >&2
fi
[ "$(stat -c %s "dist/$rid/failoverhub-agent")" -le 15000000 ] || [ "$rid" != linux-x64 ] || echo "dist/$rid/failoverhub-agent is larger than the 15 MB that docs/adr/0013 promises" >&2
echo "dist/$rid/failoverhub-agent: $(stat -c %s "dist/$rid/failoverhub-agent") bytes"
