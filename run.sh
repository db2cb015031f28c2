#!/usr/bin/env bash
# A trial data center on this machine: route servers and a fabric (lab), the hub, and two nodes' agents, each a real process, on loopback and
# without root. Needs the .NET SDK and nothing else. `./run.sh help` says what it can do.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run_dir=${FAILOVERHUB_RUN_DIR:-$root/.run}
stamp="$root/artifacts/trial.built"
components=(lab hub node-a node-b)

usage() {
  cat <<'TEXT'
./run.sh                 build, start the trial data center, the hub and two agents; Ctrl-C stops all of it
./run.sh hub [FLAGS]     build and start the hub alone (FLAGS go to `failoverhub run`)
./run.sh status          what is running, and which node holds the shared address
./run.sh start NAME      start lab, hub, node-a or node-b again
./run.sh stop [NAME]     stop one of them, or everything
./run.sh logs [NAME]     follow the logs
./run.sh clean           forget history, sign-ins and the nodes' last intents (nothing may be running)

Environment: FAILOVERHUB_RUN_DIR          folder for state and logs (default .run)
             FAILOVERHUB_TRIAL_INDEX      0 to 99: a second trial beside the first one, with other addresses and ports (default 0)
             FAILOVERHUB_TRIAL_PORT_BASE  the hub's port, agents get the next one (default 5080 + 10 x index)
             FAILOVERHUB_NO_BUILD=1       start what was built last
             FAILOVERHUB_PARENT_PID       stop when that process is gone
TEXT
}

# shellcheck source=scripts/processes.sh
. "$root/scripts/processes.sh"
# shellcheck source=scripts/build.sh
. "$root/scripts/build.sh"
# shellcheck source=scripts/ask.sh
. "$root/scripts/ask.sh"
# shellcheck source=scripts/join.sh
. "$root/scripts/join.sh"

say() { printf '%s\n' "$*"; }
die() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

# --- settings: written at the start, read by the other commands ---------------------------------------------------------------------------

decide_settings() {
  index=${FAILOVERHUB_TRIAL_INDEX:-0}
  [[ $index =~ ^[0-9]{1,2}$ ]] || die "FAILOVERHUB_TRIAL_INDEX is a number from 0 to 99, not '$index'."
  index=$((10#$index))
  port_base=${FAILOVERHUB_TRIAL_PORT_BASE:-$((5080 + 10 * index))}
  if ! [[ $port_base =~ ^[1-9][0-9]{0,4}$ ]] || ((port_base >= 65535)); then die "FAILOVERHUB_TRIAL_PORT_BASE is a port, not '$port_base'."; fi
}

save_settings() { printf 'index=%s\nport_base=%s\n' "$index" "$port_base" >"$run_dir/settings"; }

load_settings() {
  local key value
  decide_settings
  [ -r "$run_dir/settings" ] || return 0
  while IFS='=' read -r key value; do
    case $key in
      index) index=$value ;;
      port_base) port_base=$value ;;
    esac
  done <"$run_dir/settings"
}

hub_url() { printf 'http://127.0.0.1:%s' "$port_base"; }
agent_url() { printf 'https://127.0.0.1:%s' "$((port_base + 1))"; }
shared_address() { printf '127.203.%s.10' "$((113 + index))"; }
node_address() { # node-a | node-b
  if [ "$1" = node-a ]; then printf '127.0.%s.11' "$index"; else printf '127.0.%s.12' "$index"; fi
}

executable() { # Agent failoverhub-agent
  printf '%s/src/%s/bin/Release/net10.0/%s' "$root" "$1" "$2"
}

start_component() {
  local name=$1 neighbors=() servers=() host role
  shift
  for host in 1 2 3 4; do
    servers+=(--route-server "127.34.$index.$host")
    neighbors+=(--neighbor "127.34.$index.$host:1790")
  done
  case $name in
    lab)
      launch lab "$(executable Lab failoverhub-lab)" run "${servers[@]}" --node "node-a=$(node_address node-a)" \
        --node "node-b=$(node_address node-b)" --state "$run_dir/lab.json"
      ;;
    hub)
      if [ $# = 0 ]; then set -- --probe tcp:8080; fi
      launch hub "$(executable Web failoverhub)" run --urls "$(hub_url)" --agent-url "$(agent_url)" --data "$run_dir/hub" "$@"
      ;;
    node-a | node-b)
      role=--primary
      if [ "$name" = node-b ]; then role=--secondary; fi
      launch "$name" "$(executable Agent failoverhub-agent)" run --node "$name" "$role" "${neighbors[@]}" \
        --local-address "$(node_address "$name")" --announce "$(shared_address)/32" --identity-port 0 --state "$run_dir/$name"
      ;;
  esac
}

# --- commands -----------------------------------------------------------------------------------------------------------------------------

prepare() {
  local pid name leftovers=()
  decide_settings
  umask 077
  mkdir -p "$run_dir/log"
  if pid=$(pid_of run); then
    load_settings
    die "a trial is running already (pid $pid, dashboard $(hub_url)). Stop it with './run.sh stop', or start another one beside it: FAILOVERHUB_RUN_DIR=.run/2 FAILOVERHUB_TRIAL_INDEX=2 ./run.sh"
  fi
  for name in "${components[@]}"; do if pid_of "$name" >/dev/null; then leftovers+=("$name"); fi; done
  if [ ${#leftovers[@]} != 0 ]; then
    say "An earlier run did not end properly; stopping what it left: ${leftovers[*]}."
    terminate "${leftovers[@]}"
  fi
  find_dotnet
  write_pid run $$
  trap 'stopping=1' INT TERM HUP
  trap finish EXIT
  build
  if [ -n "${stopping:-}" ]; then exit 1; fi
  save_settings
  # Stops everything even when this script is killed without a chance to.
  setsid "$BASH" "$root/run.sh" __keeper "$$" "$(start_time $$)" </dev/null >>"$run_dir/log/keeper.log" 2>&1 &
  keeper=$!
  # It may have ended already, and then there is nothing to disown.
  disown 2>/dev/null || true
}

require_free() { # WHAT ADDRESS PORT
  if is_open "$2" "$3"; then
    die "$2:$3 ($1) is in use by another program ('ss -ltnp sport = :$3' shows which). Stop it, or choose others: FAILOVERHUB_TRIAL_INDEX=1 ./run.sh"
  fi
}

finish() {
  trap - EXIT
  trap '' INT TERM HUP
  if [ -n "${announced:-}" ]; then say "Stopping ..."; fi
  if [ -n "${keeper:-}" ]; then kill "$keeper" 2>/dev/null || true; fi
  terminate_all
  rm -f "$run_dir/run.pid" "$run_dir/trial.json"
}

issue_access() {
  local hub
  hub=$(executable Web failoverhub)
  "$hub" token revoke trial --data "$run_dir/hub" >/dev/null 2>&1 || true
  token=$("$hub" token create --name trial --data "$run_dir/hub" | tail -n 1) || die "the hub gave no API token; look into $run_dir/log/hub.log."
  sign_in=$("$hub" sign-in-link --data "$run_dir/hub" --url "$(hub_url)" | grep -o 'http[^ ]*' | tail -n 1) || die "the hub gave no sign-in link; look into $run_dir/log/hub.log."
  printf '{"hubUrl":"%s","signInUrl":"%s","apiToken":"%s","agentUrl":"%s"}\n' "$(hub_url)" "$sign_in" "$token" "$(agent_url)" >"$run_dir/trial.json.new"
  mv "$run_dir/trial.json.new" "$run_dir/trial.json"
}

# Until Ctrl-C: says when a component dies or comes back, and leaves the others alone.
watch() { # NAME...
  local name pid
  declare -A seen
  for name in "$@"; do seen[$name]=$(pid_of "$name" || true); done
  announced=1
  while [ -z "${stopping:-}" ]; do
    for name in "$@"; do
      pid=$(pid_of "$name" || true)
      if [ -n "${seen[$name]}" ] && [ -z "$pid" ]; then
        say "$(date +%H:%M:%S) $name (pid ${seen[$name]}) is gone; the others go on. Start it again: ./run.sh start $name"
      elif [ -n "$pid" ] && [ "$pid" != "${seen[$name]}" ]; then
        say "$(date +%H:%M:%S) $name runs (pid $pid)."
      fi
      seen[$name]=$pid
    done
    sleep 0.5 &
    wait $! || true
  done
}

run_trial() {
  local address
  prepare
  require_free "dashboard and API" 127.0.0.1 "$port_base"
  require_free "agents' port of the hub" 127.0.0.1 "$((port_base + 1))"
  require_free "route server" "127.34.$index.1" 1790
  require_free "node-a's service" "$(node_address node-a)" 8080
  say "Starting lab, hub, node-a and node-b ..."
  forget_other_hubs
  start_component lab
  start_component hub
  wait_for lab 30 "the trial data center was up" node_answers || return 0
  wait_for hub 60 "the hub was ready" hub_is_ready || return 0
  issue_access
  join_node node-a
  join_node node-b
  start_component node-a
  start_component node-b
  wait_for hub 60 "both nodes had 4 of 4 sessions" pair_is_complete || return 0
  address=$(shared_address)
  cat <<TEXT

  FailoverHub's trial data center is running.

  Dashboard      $(hub_url)
  Sign in once   $sign_in

  node-a (primary, pid $(pid_of node-a)) and node-b (secondary, pid $(pid_of node-b)) share $address.
  Who answers:     while sleep 0.2; do curl -s http://$address:8080/; done
  Move it:         open the pair in the dashboard, press "Switch over", give a reason
  Kill a node:     kill -9 \$(cut -d' ' -f1 ${run_dir#"$PWD"/}/node-a.pid)
  Bring it back:   ./run.sh start node-a
  Look closer:     ./run.sh status | ./run.sh logs node-a | ${run_dir#"$PWD"/}/trial.json (URLs and API token)

  Ctrl-C stops all of it.

TEXT
  watch "${components[@]}"
}

run_hub() {
  prepare
  require_free "dashboard and API" 127.0.0.1 "$port_base"
  if [ $# = 0 ]; then set -- --probe icmp; fi
  start_component hub "$@"
  wait_for hub 60 "the hub was ready" hub_is_ready || return 0
  issue_access
  cat <<TEXT

  FailoverHub's hub is running, alone.

  Dashboard      $(hub_url)
  Sign in once   $sign_in
  Agents         $(agent_url); a token for one of them: $(executable Web failoverhub) join-token create --data ${run_dir#"$PWD"/}/hub

  Ctrl-C stops it.

TEXT
  watch hub
}

start_again() { # NAME
  local pid
  is_component "${1:-}" || die "start what? One of: ${components[*]}"
  load_settings
  pid_of run >/dev/null || die "no trial is running: start it with ./run.sh"
  if pid=$(pid_of "$1"); then say "$1 runs already (pid $pid)."; return; fi
  find_dotnet
  umask 077
  start_component "$1"
  say "$1 started (pid $(pid_of "$1"))."
}

stop() { # [NAME]
  local pid tries
  if [ $# != 0 ]; then
    is_component "$1" || die "stop what? One of: ${components[*]}; or nothing, for everything"
    if pid_of "$1" >/dev/null; then terminate "$1"; say "$1 stopped."; else say "$1 does not run."; fi
  elif pid=$(pid_of run); then
    kill -TERM "$pid"
    for ((tries = 0; tries < 150; tries++)); do
      if ! pid_of run >/dev/null; then say "Stopped."; return; fi
      sleep 0.1
    done
    die "run.sh (pid $pid) does not stop."
  else
    terminate_all
    say "Nothing is running."
  fi
}

status() {
  local name pid holder
  load_settings
  for name in "${components[@]}"; do
    if pid=$(pid_of "$name"); then printf '%-8s running, pid %s\n' "$name" "$pid"; else printf '%-8s not running\n' "$name"; fi
  done
  if pid_of lab >/dev/null && [ -r "$run_dir/lab.json" ]; then
    holder=$(sed -n 's/^ *"holder": "\(.*\)",$/\1/p' "$run_dir/lab.json" | head -n 1)
    say "$(shared_address) goes to ${holder:-nowhere}."
  fi
  if pid_of hub >/dev/null; then say "Dashboard: $(hub_url)"; fi
}

logs() { # [NAME]
  if [ $# = 0 ]; then exec tail -n 20 -F "$run_dir"/log/{lab,hub,node-a,node-b}.log; fi
  is_component "$1" || die "logs of what? One of: ${components[*]}"
  exec tail -n 50 -F "$run_dir/log/$1.log"
}

clean() {
  local name
  for name in run "${components[@]}"; do if pid_of "$name" >/dev/null; then die "$name is running: ./run.sh stop first."; fi; done
  rm -rf "$run_dir/hub" "$run_dir/node-a" "$run_dir/node-b" "$run_dir/log" "$run_dir/lab.json" "$run_dir/trial.json" "$run_dir/settings" "$run_dir"/*.pid
  say "Forgotten: history, sign-ins, intents and logs in $run_dir."
}

# In a session of its own: outlives run.sh, and cleans up after it when it was killed.
keeper() { # PID START-TIME
  trap '' INT HUP
  while [ "$(start_time "$1" || true)" = "$2" ]; do
    if [ -n "${FAILOVERHUB_PARENT_PID:-}" ] && ! start_time "$FAILOVERHUB_PARENT_PID" >/dev/null; then kill -TERM "$1" 2>/dev/null || true; fi
    sleep 0.5
  done
  terminate_all
  rm -f "$run_dir/run.pid" "$run_dir/trial.json"
}

# A shell script that starts us in the background (&) has us ignore SIGINT, and bash cannot undo that by itself.
accept_interrupt() {
  local ignored
  ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' "/proc/$$/status")
  if (((16#${ignored: -4} & 2) != 0)) && env --default-signal=INT true 2>/dev/null; then
    exec env --default-signal=INT "$BASH" "$root/run.sh" "$@"
  fi
}

case ${1:-run} in
  run | hub) accept_interrupt "$@" ;;
esac
case ${1:-run} in
  run) run_trial ;;
  hub) shift; run_hub "$@" ;;
  start) start_again "${2:-}" ;;
  stop) shift; stop "$@" ;;
  status) status ;;
  logs) shift; logs "$@" ;;
  clean) clean ;;
  __keeper) keeper "$2" "$3" ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
