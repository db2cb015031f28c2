#!/usr/bin/env bash
# Measures our agent beside BIRD, FRR and GoBGP. Usage: ./bench.sh [quick|full|forwarding] [options]; tests/Bench/README.md explains the rows.
#
#   ./bench.sh                              quick: three rounds, about six minutes
#   ./bench.sh full --output results.json   six rounds and longer watching, about eleven minutes; the JSON has every sample
#   ./bench.sh forwarding                   what a client that pings every 10 ms sees and loses when the address moves, before real route servers;
#                                           five rounds, about sixteen minutes
#   ./bench.sh hub [--agents 2000] [--seconds 20] [--largest] [--no-page] [--no-bare]
#                                           the hub under a fleet that speaks mTLS, beside a bare server under the same; how long a change takes to a program
#                                           and to a page in Chromium, an operation to its node, a restart; --largest: and how many agents there may be.
#                                           About five minutes, with --largest ten; needs no root and no other daemon
#
#   ./bench.sh history [EVENTS]             makes a history of a million events and measures a page of it by every combination of filters; no root
#                                           --keep DIR fills that folder once and measures it again; --database 'Host=…;Database=…' has it on PostgreSQL
#
#   ./bench.sh probes [TARGETS] [SECONDS]   the hub's prober with 5,000 targets on loopback for a minute: how late its probes are, and their cost; then charts of each range
#                                           out of a year of probes. Raw ICMP needs root, or a wide net.ipv4.ping_group_range
#
#   --output FILE    results as JSON; the table goes to standard output in any case
#   --rounds N       samples of each row
#   --parts A,B      only some of: start, goodbyes, idle, commands, local, full, keepalives, codec; of forwarding: moves, services (keepalived needed), returns
#   --no-build       measure what the last run built
#
# Daemons run in namespaces that end with the bench, also after Ctrl-C; that needs root, or sudo without a password. Nothing else should run on the
# machine: the bench says when its load is too high. Needs FRR, BIRD, GoBGP and a C compiler.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")" || exit 1

die() { echo "bench.sh: $*" >&2; exit 1; }
case ${1:-} in
  -h|--help) sed -n '2,25s/^# \{0,1\}//p' "$0"; exit 0 ;;
  quick|full|forwarding) mode=$1; shift ;;
  history) shift; export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1; exec dotnet run --project tests/Bench -c Release -- history "$@" ;;
  probes) shift; export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1; exec dotnet run --project tests/Bench -c Release -- probes "$@" ;;
  hub)
    shift
    export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
    made=$PWD/artifacts/bench
    mkdir -p "$made"
    if [ "${1:-}" = --no-build ]; then shift; else
      for part in src/Web:hub tests/Bench:bench; do
        echo "Building ${part#*:}" >&2
        dotnet publish "${part%:*}" -c Release --artifacts-path "$made/${part#*:}" -v q >"$made/${part#*:}.log" 2>&1 </dev/null || { tail -20 "$made/${part#*:}.log" >&2; die "${part%:*} does not build"; }
      done
    fi
    # The two share the cores: the fleet must not be in the hub's way. Its collections are not to be seen in the hub's latencies.
    exec env DOTNET_gcConcurrent=1 nice -n 5 "$made/bench/publish/Bench/release/FailoverHub.Bench" hub "$made/hub/publish/Web/release/failoverhub" "$@" ;;
  ''|--*) mode=quick ;;
  *) die "no mode '$1'; it is quick, full, forwarding, hub, history or probes" ;;
esac
build=yes options=()
while [ $# -gt 0 ]; do
  case $1 in
    --no-build) build=no; shift ;;
    --output|--rounds|--parts)
      [ $# -ge 2 ] || die "$1 needs a value"
      if [ "$1" = --output ]; then options+=("$1" "$(realpath -m "$2")"); else options+=("$1" "$2"); fi
      shift 2 ;;
    *) die "no option '$1'; see ./bench.sh --help" ;;
  esac
done

# Daemons live in sbin, which is not on everybody's path.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=()
while read -r package test; do bash -c "$test" >/dev/null 2>&1 || missing+=("$package"); done <<'NEEDS'
frr       test -x /usr/lib/frr/bgpd && command -v vtysh
bird2     command -v bird && command -v birdc
gobgpd    command -v gobgpd && command -v gobgp
iproute2  command -v ip
gcc       command -v gcc || command -v clang
zlib1g-dev test -e /usr/include/zlib.h
NEEDS
[ "$mode" != forwarding ] || command -v keepalived >/dev/null || missing+=(keepalived)
[ ${#missing[@]} -eq 0 ] || die "missing: ${missing[*]} (on Debian: sudo apt-get install --no-install-recommends ${missing[*]}; ./test.sh interop installs the daemons without starting them)"
command -v dotnet >/dev/null || die "the .NET SDK that global.json names is needed"
if [ "$(id -u)" = 0 ]; then as=(); elif sudo -n true 2>/dev/null; then as=(sudo -n); else die "network namespaces need root, or sudo without a password"; fi

export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
made=$PWD/artifacts/bench
mkdir -p "$made"
# The agent as it ships, native code, and the same under the JIT. Folders of their own, because a build for one platform leaves another obj behind.
publish() { echo "Building $1" >&2; dotnet publish "$2" -c Release --artifacts-path "$made/$1" -v q "${@:3}" >"$made/$1.log" 2>&1 </dev/null || { tail -20 "$made/$1.log" >&2; die "$1 does not build"; }; }
if [ $build = yes ]; then
  publish native src/Agent -r linux-x64 -p:PublishAot=true
  publish jit src/Agent
  publish bench tests/Bench
fi
program=$made/bench/publish/Bench/release/FailoverHub.Bench
[ -x "$program" ] || die "not built yet: leave --no-build away"

# Everything that is started ends with the first process of the new process namespace, whatever ends that.
exec "${as[@]}" env "PATH=$PATH" "DOTNET_ROOT=$DOTNET_ROOT" DOTNET_TieredPGO=0 \
  unshare --mount --pid --net --fork --kill-child=SIGKILL --mount-proc -- "$program" "$mode" \
  --native "$made/native/publish/Agent/release_linux-x64/failoverhub-agent" --jit "$made/jit/publish/Agent/release/failoverhub-agent" "${options[@]}"
