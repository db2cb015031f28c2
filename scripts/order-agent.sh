#!/usr/bin/env bash
# Writes src/Agent/resting.order: the functions that a resting agent runs, which the native compiler then puts next to each other (docs/adr/0013).
#
#   scripts/order-agent.sh PID [SECONDS]    PID runs dist/linux-x64/failoverhub-agent with sessions up and a hub over TLS, for half a minute at least;
#                                           it is watched for SECONDS (60), and goes on afterwards
#
# Every function gets a breakpoint that goes with its first hit, so this needs the right to trace the process (root), and gcc. A list that is a few months old costs
# nothing but the memory that it would save: publish-agent.sh says how many of its names are still there.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

die() { echo "order-agent.sh: $*" >&2; exit 1; }
[[ ${1:-} =~ ^[0-9]+$ ]] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
pid=$1 seconds=${2:-60} symbols=dist/linux-x64/failoverhub-agent.dbg
[ -e "$symbols" ] || die "no $symbols: scripts/publish-agent.sh makes it"
cmp -s "/proc/$pid/exe" dist/linux-x64/failoverhub-agent || die "process $pid does not run dist/linux-x64/failoverhub-agent"

made=$(mktemp -d) || exit 1
trap 'rm -rf "$made"' EXIT
gcc -O2 -Wall -o "$made/entered" scripts/functions-entered.c || die "scripts/functions-entered.c does not compile"
nm "$symbols" | awk 'tolower($2) == "t" { print $1 }' | sort -u >"$made/functions"
"$made/entered" "$pid" "$seconds" <"$made/functions" >"$made/hit" || die "process $pid cannot be traced"
# Those of the runtime, which is C++, keep their places: the list is the compiler's and not the linker's.
awk 'NR == FNR { hit[$1]; next } tolower($2) == "t" && ($1 in hit) && $3 !~ /^_Z/ { print $3 }' "$made/hit" <(nm "$symbols") | LC_ALL=C sort -u >src/Agent/resting.order
echo "src/Agent/resting.order: $(wc -l <src/Agent/resting.order) functions"
