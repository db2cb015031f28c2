#!/usr/bin/env bash
# Builds everything once and runs the tests. Usage: ./test.sh [quick|unit|interop|browser|all] [options of the xunit runner]
#
#   ./test.sh                                  everything, as CI does
#   ./test.sh quick                            the quick loop: no whole hub, no process, no long simulation; needs no package, and says when it takes more than a minute
#   ./test.sh unit                             those too: no root, no browser; of Debian's packages only systemd, psmisc and postgresql
#   ./test.sh unit -class '*AdjRibOut*'        what follows the group goes to every test program: -class -method -namespace -trait
#
# interop runs the agent against FRR, BIRD and GoBGP in network namespaces (root, sudo or a user namespace), browser runs Chromium.
# quick leaves out the classes that say [Trait("Kind", …)]: Hub (starts a whole hub), Process (starts programs or a server), Long (seconds on end).
# The hub's tests run twice (quick: once): on SQLite, and as Web.Tests.Postgres on a PostgreSQL server that they start and stop themselves.
# With interop goes a test of ten minutes (Kind=Endurance), beside all others.
# What is missing of Debian's packages is installed when that is allowed (root or sudo without a password); else it is named.
# The last line is always "N passed, N failed". Logs and results are in TestResults/.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")" || exit 1

group=all
case ${1:-} in
  quick|unit|interop|browser|all) group=$1; shift ;;
  -h|--help) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*|'') ;;
  *) echo "test.sh: no group '$1'; it is quick, unit, interop, browser or all" >&2; exit 2 ;;
esac
filter=("$@")
results=$PWD/TestResults
passed=0 failed=0 trouble=0
wanted=() finished=() red=() endurance=
not_quick=(-trait- Kind=Hub -trait- Kind=Process -trait- Kind=Long)

finish() {
  trap - EXIT
  # Interrupted: what runs in the background would not notice.
  [ -z "$endurance" ] || pkill -TERM -P "$endurance"
  failed=$((failed + trouble))
  # Whoever sees only the end of the output is to know what to look at.
  [ ${#red[@]} -eq 0 ] || printf 'failed: %s\n' "${red[@]}"
  echo "$passed passed, $failed failed"
  [ $failed -eq 0 ]; exit
}
# Something that is wrong without being a failed test: it counts as one, so that the last line never looks like success.
complain() { echo "test.sh: $*"; trouble=$((trouble + 1)); }
# Of a log what the runner says of failed tests, without what the programs under test have logged between.
failures() { awk '/^    [^ ].* \[FAIL\]$/ { on = 1; print; next } on && /^(      .*)?$/ { print; next } { on = 0 }' "$1"; }
# An error of this script itself must not look like success either.
trap 'complain "stopped before its end"; finish' EXIT
seconds() { echo $(( $(date +%s) - $1 )) s; }

# ---------------------------------------------------------------------------------------------- what the tests need
# One line for each thing needed: the group, how to see that it is there, Debian's package.
needs() {
  cat <<'NEEDS'
unit     command -v systemd-analyze              systemd
unit     command -v killall                      psmisc
unit     ls /usr/lib/postgresql/*/bin/initdb        postgresql
unit     command -v setpriv                      util-linux
interop  test -x /usr/lib/frr/bgpd               frr
interop  command -v vtysh                        frr
interop  command -v bird                         bird2
interop  command -v birdc                        bird2
interop  command -v gobgpd                       gobgpd
interop  command -v gobgp                        gobgpd
interop  command -v tshark                       tshark
interop  command -v dumpcap                      wireshark-common
interop  command -v ip                           iproute2
interop  command -v nsenter                      util-linux
interop  command -v mount                        mount
interop  ls /usr/lib/*/faketime/libfaketimeMT.so.1 libfaketime
interop  command -v clang||command -v gcc        gcc
interop  test -e /usr/include/stdio.h            libc6-dev
interop  test -e /usr/include/zlib.h             zlib1g-dev
interop  command -v netplan                      netplan.io
interop  command -v ifup                         ifupdown
interop  ls /usr/lib/*/libnm.so.0                libnm0
interop  command -v radvd                        radvd
browser  command -v chromium                     chromium
browser  fc-list|grep -q .                       fonts-dejavu-core
NEEDS
}
# Daemons live in sbin, which is not on everybody's path.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing_packages() {
  local kind line test package
  while read -r kind line; do
    package=${line##* } test=${line% *}
    [ "$group" = all ] || [ "$group" = "$kind" ] || continue
    bash -c "$test" >/dev/null 2>&1 || echo "$package"
  done < <(needs) | sort -u
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
may_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

# Debian starts a daemon when it is installed. Here they are only files for the tests: policy-rc.d forbids the start, and what
# the installation enabled for the next boot is disabled again.
policy=/usr/sbin/policy-rc.d kept=/usr/sbin/policy-rc.d.before-failoverhub-tests
forbid_starts() {
  [ -e $kept ] || [ ! -e $policy ] || as_root mv $policy $kept
  printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy
}
allow_starts() { if [ -e $kept ]; then as_root mv $kept $policy; else as_root rm -f $policy; fi; }

install_packages() {
  local log=$results/apt.log service
  echo "Installing $*"
  trap 'allow_starts; exit 1' INT TERM
  forbid_starts
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300)
  as_root "${apt[@]}" install "$@" >"$log" 2>&1 </dev/null \
    || { as_root "${apt[@]}" update >>"$log" 2>&1 </dev/null; as_root "${apt[@]}" install "$@" >>"$log" 2>&1 </dev/null; }
  local status=$?
  allow_starts
  trap - INT TERM
  [ $status -eq 0 ] || { tail -20 "$log" >&2; return $status; }
  if command -v systemctl >/dev/null; then
    for service in frr bird gobgpd postgresql radvd networking; do
      case " ${*/ifupdown/networking} " in *" $service "*|*" ${service}2 "*) as_root systemctl disable $service >>"$log" 2>&1 ;; esac
    done
  fi
  return 0
}

provide_needs() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] && return 0
  if command -v apt-get >/dev/null && may_be_root; then
    install_packages "${missing[@]}"
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -eq 0 ] && return 0
  fi
  complain "missing, and not to be installed from here: ${missing[*]} (on Debian: sudo apt-get install ${missing[*]}; ./test.sh unit needs only systemd, psmisc and postgresql)"
  return 1
}

# ---------------------------------------------------------------------------------------------- the tests
group_of() { case $1 in Interop.Tests) echo interop ;; Browser.Tests) echo browser ;; *) echo unit ;; esac; }
projects() { tr '\\' '/' <FailoverHub.sln | grep -o 'tests/[A-Za-z.]*\.Tests/[A-Za-z.]*\.csproj' | xargs -n1 dirname | xargs -n1 basename | sort; }
has_tests() { grep -rqE --include='*.cs' --exclude-dir=obj --exclude-dir=bin '^ *\[(Fact|Theory)' "tests/$1"; }

# Interop needs root of network namespaces only, not of the machine: a user namespace will do.
enter_root() {
  if [ "$(id -u)" = 0 ]; then as=()
  elif sudo -n true 2>/dev/null; then as=(sudo -n env "PATH=$PATH" "DOTNET_ROOT=$DOTNET_ROOT" ${FAILOVERHUB_KEEP_LOGS:+"FAILOVERHUB_KEEP_LOGS=$FAILOVERHUB_KEEP_LOGS"})
  elif unshare --user --map-root-user --net true 2>/dev/null; then as=(unshare --user --map-root-user)
  else return 1
  fi
}

# Runs the tests of a project that fit a filter, under a name for its log and results; they are counted later, so it may run in the background.
run_tests() {
  local name=$1 project=$2 kind started as=() limit; shift 2
  local program=tests/$project/bin/Release/net10.0/FailoverHub.$project
  kind=$(group_of "$project")
  if [ "$kind" = interop ]; then enter_root || return; fi
  limit=1500
  started=$(date +%s)
  timeout --kill-after=20 $limit "${as[@]}" "$program" -noLogo -noColor -result-xml "$results/$name.xml" "$@" "${filter[@]}" >"$results/$name.log" 2>&1 </dev/null
  echo "$? $(seconds "$started")" >"$results/$name.ended"
}

# What a run told, into the sums.
count_tests() {
  local name=$1 project=$2 log=$results/$1.log line total errors bad skipped status took
  if ! read -r status took <"$results/$name.ended"; then complain "$name: it was not run"; return; fi
  line=$(grep -a -E "^ *FailoverHub\.$project +Total: " "$log" | tail -1)
  if [ -z "$line" ]; then
    tail -100 "$log"
    [ "$status" -ne 124 ] || complain "$name: not finished after $took"
    complain "$name: ended with $status and told no result; whole log: $log"
    return
  fi
  # With no test at all the line says "Total: 0" and nothing else.
  number() { local n; n=$(grep -o "$1: [0-9]*" <<<"$line"); n=${n##*: }; echo "${n:-0}"; }
  total=$(number Total) errors=$(number Errors) bad=$(number Failed) skipped=$(number Skipped)
  passed=$((passed + total - bad - skipped)) failed=$((failed + bad + errors))
  printf '%-20s %4d passed, %d failed (%s)\n' "$name" $((total - bad - skipped)) $((bad + errors)) "$took"
  if [ $((bad + errors)) -gt 0 ]; then
    mapfile -t -O ${#red[@]} red < <(sed -n "s/^    \([^ ].*\) \[FAIL\]\$/$name: \1/p" "$log")
    echo; failures "$log"; echo; echo "whole log: $log"; echo
  fi
  [ "$skipped" -eq 0 ] || complain "$name: $skipped skipped; a test runs or is not there"
  [ "$total" -gt 0 ] || [ ${#filter[@]} -gt 0 ] || complain "$name: has tests but ran none"
  [ "$status" -eq 0 ] || [ $((bad + errors + skipped)) -gt 0 ] || [ "$total" -eq 0 ] || complain "$name: ended with $status although no test failed"
}

can_run() {
  local program=tests/$1/bin/Release/net10.0/FailoverHub.$1 as=()
  if [ ! -x "$program" ]; then complain "$1: $program was not built"; return 1; fi
  if [ "$(group_of "$1")" = interop ] && ! enter_root; then
    complain "$1: network namespaces need root, sudo without a password, or user namespaces; none of them is allowed here"; return 1
  fi
}

run_project() {
  local name=$1 without=()
  if ! has_tests "$name"; then printf '%-20s no tests yet\n' "$name"; return; fi
  can_run "$name" || return
  [ "$name" != Interop.Tests ] || without=(-trait- Kind=Endurance)
  [ "$group" != quick ] || without=("${not_quick[@]}")
  run_tests "$name" "$name" "${without[@]}"
  count_tests "$name" "$name"
}

# A loop that has grown is not run any more: says which classes it is.
tell_slowest() {
  [ "$1" -gt 60 ] || return 0
  echo "quick took $1 s, which is more than a minute. The slowest classes; what starts a hub or a process, or simulates for long, says so with [Trait(\"Kind\", …)]:"
  local files=("${wanted[@]/#/$results/}")
  grep -aoh '<collection [^>]*>' "${files[@]/%/.xml}" | sed -E 's/.* name="Test collection for ([^"]*)".*/& \1/; s/.* time="([0-9.]*)"[^>]*> ?(.*)/\1 s \2/' | sort -rn | head -10
}

# The hub's tests once more, with every database on a server of PostgreSQL.
run_on_postgres() {
  can_run Web.Tests || return
  # What is about SQLite itself (its full-text index, its file) has nothing to say of the other one.
  FAILOVERHUB_TEST_DATABASE=postgres run_tests Web.Tests.Postgres Web.Tests -trait- Database=Sqlite
  count_tests Web.Tests.Postgres Web.Tests
}

# Ten minutes that hardly cost a processor run beside everything else.
start_endurance() {
  can_run Interop.Tests || return
  run_tests Endurance Interop.Tests -trait Kind=Endurance &
  endurance=$!
}

# ---------------------------------------------------------------------------------------------- the run
mkdir -p "$results"
rm -f "$results"/*.ended
if ! command -v dotnet >/dev/null; then
  complain "the .NET SDK $(sed -n 's/.*"version": "\([^"]*\)".*/\1/p' global.json) or a later one of that version is needed: https://dotnet.microsoft.com/download"
  finish
fi
export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
[ -z "${CI:-}" ] || export MSBUILDDISABLENODEREUSE=1

started=$(date +%s)
provide_needs || finish
echo "Packages: $(seconds "$started")"

started=$(date +%s)
# One compiler for all projects, also where the machine says otherwise: it warms up once. In CI nothing of it stays behind.
if ! { dotnet restore FailoverHub.sln -v q && dotnet build FailoverHub.sln -c Release --no-restore -v q -clp:ErrorsOnly\;NoSummary -p:UseSharedCompilation=true; } >"$results/build.log" 2>&1 </dev/null; then
  sort -u "$results/build.log"
  complain "it does not build"
  finish
fi
[ -z "${CI:-}" ] || dotnet build-server shutdown --vbcscompiler >>"$results/build.log" 2>&1 </dev/null
echo "Build: $(seconds "$started")"

# One native file, as it is packaged: once a run, and only when it is older than what was built.
publish_native() {
  local file started
  file=dist/linux-$(case $(uname -m) in x86_64) echo x64 ;; aarch64) echo arm64 ;; *) echo none ;; esac)/failoverhub-agent
  if [ "$file" -nt src/Agent/bin/Release/net10.0/failoverhub-agent.dll ]; then return; fi
  started=$(date +%s)
  scripts/publish-agent.sh >"$results/publish.log" 2>&1 || { cat "$results/publish.log"; complain "the agent cannot be published as native code"; return; }
  echo "Native file: $(seconds "$started")"
}
case $group in interop|all) publish_native ;; esac

for kind in unit interop browser; do
  [ "$group" = all ] || [ "$group" = $kind ] || [ "$group $kind" = "quick unit" ] || continue
  for project in $(projects); do
    if [ "$(group_of "$project")" = $kind ]; then wanted+=("$project"); fi
  done
done
case $group in interop|all) start_endurance ;; esac
started=$(date +%s)
for project in "${wanted[@]}"; do
  run_project "$project"
  [ "$project" != Web.Tests ] || [ "$group" = quick ] || run_on_postgres
  finished+=("$project")
done
[ "$group" != quick ] || tell_slowest $(($(date +%s) - started))
if [ -n "$endurance" ]; then
  wait "$endurance"
  endurance=
  count_tests Endurance Interop.Tests
fi
# An error of this script leaves the loop without a word.
[ "${wanted[*]}" = "${finished[*]}" ] || complain "not every project was run: ${wanted[*]}"
[ $((passed + failed + trouble)) -gt 0 ] || complain "no test ran"
if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then sudo -n chown -R "$(id -u):$(id -g)" "$results"; fi
finish
