#!/usr/bin/env bash
# Makes the container images and tries them: the whole trial data center of docker/compose.yaml, with agents that join by token.
#
#   scripts/containers.sh publish      what the images copy: dist/containers/hub, dist/containers/lab, dist/linux-x64/failoverhub-agent
#   scripts/containers.sh build        the images failoverhub, failoverhub-agent, failoverhub-lab out of that (BASE_IMAGE of hub and lab: HUB_BASE_IMAGE,
#                                      of the agent: AGENT_BASE_IMAGE)
#   scripts/containers.sh bases        for a machine without a registry: both base images from Debian's packages (debootstrap, root) and this
#                                      machine's .NET runtime, as failoverhub-base-aspnet and failoverhub-base-native; podman only. Kept for the
#                                      next time; AGAIN=1 makes them anew
#   scripts/containers.sh try          starts the trial from the images, waits until the hub shows the pair as Healthy, moves the address,
#                                      restarts hub and agents, looks again and takes everything away. Health checks are the images' own, and
#                                      none of the processes is root or has a capability. The last line is "containers: good"
#   scripts/containers.sh all          publish, bases where podman has no registry (NO_REGISTRY=1), build, try
#
# ENGINE is docker or podman; without it, whichever there is. podman needs docker-compose (any version from 1.29), which asks it over a socket.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
say() { printf '%s\n' "$*"; }
die() { printf 'containers.sh: %s\n' "$*" >&2; exit 1; }

engine=${ENGINE:-$(command -v docker >/dev/null && docker info >/dev/null 2>&1 && echo docker || echo podman)}
command -v "$engine" >/dev/null || die "neither docker nor podman is here"
project=failoverhub-try-$$
port=${HUB_PORT:-5980}
work=
pids=()

publish() {
  mkdir -p dist/containers/empty
  rm -rf dist/containers/hub dist/containers/lab
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
  dotnet publish src/Web -c Release -o dist/containers/hub -v q -clp:ErrorsOnly\;NoSummary
  dotnet publish src/Lab -c Release -o dist/containers/lab -v q -clp:ErrorsOnly\;NoSummary
  scripts/publish-agent.sh
}

# Only what the programs need: OpenSSL, the certificates of authorities, and the runtime of this machine.
bases() {
  local tree dotnet version
  [ "$engine" = podman ] && [ "$(id -u)" = 0 ] || die "bases is for podman, as root"
  command -v debootstrap >/dev/null || die "debootstrap is missing (apt-get install --no-install-recommends debootstrap)"
  dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
  # Named after the runtime that is in it: another one makes others.
  version=$(ls "$dotnet/shared/Microsoft.AspNetCore.App" | sort -V | tail -1)
  export HUB_BASE_IMAGE=localhost/failoverhub-base-aspnet:$version AGENT_BASE_IMAGE=localhost/failoverhub-base-native:$version
  if [ -z "${AGAIN:-}" ] && podman image exists "$HUB_BASE_IMAGE" && podman image exists "$AGENT_BASE_IMAGE"; then return; fi
  tree=$(mktemp -d)
  debootstrap --variant=minbase --include=libssl3,ca-certificates,libstdc++6,zlib1g bookworm "$tree" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$tree.log" 2>&1 || { tail "$tree.log" >&2; die "no base from Debian"; }
  rm -rf "$tree"/var/cache/apt "$tree"/var/lib/apt/lists "$tree"/usr/share/doc "$tree"/usr/share/locale "$tree"/usr/share/man
  tar -C "$tree" -c . | podman import -q - "$AGENT_BASE_IMAGE" >/dev/null
  mkdir -p "$tree/usr/share/dotnet"
  cp -r "$dotnet/dotnet" "$dotnet/host" "$dotnet/shared" "$tree/usr/share/dotnet/"
  tar -C "$tree" -c . | podman import -q - "$HUB_BASE_IMAGE" >/dev/null
  rm -rf "$tree" "$tree.log"
}

build() {
  local name base options=()
  # In a container of one's own there may be no right to make another; the files are only copied. Docker's format keeps HEALTHCHECK.
  if [ "$engine" = podman ]; then options=(--isolation chroot --format docker); fi
  for name in hub lab agent; do
    [ -e docker/$name.Dockerfile ] || die "docker/$name.Dockerfile is missing"
    base=${HUB_BASE_IMAGE:-}
    if [ $name = agent ]; then base=${AGENT_BASE_IMAGE:-}; fi
    "$engine" build -q "${options[@]}" ${base:+--build-arg "BASE_IMAGE=$base"} -f docker/$name.Dockerfile -t "$(image $name)" . >/dev/null
    say "$(image $name): $("$engine" image inspect --format '{{.Size}}' "$(image $name)" | awk '{printf "%.0f MB", $1 / 1e6}'), user $("$engine" image inspect --format '{{.Config.User}}' "$(image $name)")"
  done
}
image() { if [ "$1" = hub ]; then echo failoverhub; else echo "failoverhub-$1"; fi; }

compose() { "${compose[@]}" -p "$project" "${files[@]}" "$@"; }

prepare_compose() {
  local service
  work=$(mktemp -d)
  files=(-f docker/compose.yaml)
  export HUB_PORT=$port
  if docker compose version >/dev/null 2>&1; then compose=(docker compose); else compose=(docker-compose); fi
  command -v "${compose[0]}" >/dev/null || die "docker compose is missing"
  if [ "$engine" != podman ]; then return; fi
  export DOCKER_HOST=unix://$work/podman.sock HUB_IMAGE=localhost/failoverhub AGENT_IMAGE=localhost/failoverhub-agent LAB_IMAGE=localhost/failoverhub-lab
  podman system service --time=0 "$DOCKER_HOST" >"$work/service.log" 2>&1 &
  pids+=($!)
  until_true 30 test -S "$work/podman.sock" || die "podman does not serve: $(tail -3 "$work/service.log")"
  # Over the socket podman asks for more open files than a container of one's own may have; and without systemd nobody runs the health checks.
  { echo 'services:'; for service in lab hub tokens join-a join-b node-a node-b; do echo "  $service: { ulimits: { nofile: { soft: 1024, hard: 4096 }, nproc: { soft: 1024, hard: 4096 } } }"; done; } >"$work/limits.yaml"
  files+=(-f "$work/limits.yaml")
  if ! [ -d /run/systemd/system ]; then
    # It ends with this script, which ends it.
    while sleep 2; do for service in hub node-a node-b; do podman healthcheck run "${project}_${service}_1" >/dev/null 2>&1 || true; done; done &
    pids+=($!)
  fi
}

until_true() { # SECONDS COMMAND...
  local limit=$(($(date +%s) + $1))
  shift
  until "$@"; do [ "$(date +%s)" -lt $limit ] || return 1; sleep 1; done
}

finish() {
  trap - EXIT
  trap '' INT TERM
  # podman has at times not taken away whom the others shared a network with; a second time it does.
  [ -z "$work" ] || { compose down -v || true; compose down -v || true; } >"$work/down.log" 2>&1
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  [ -z "$work" ] || rm -rf "$work"
}

api() { curl -sf -m 10 -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "http://127.0.0.1:$port/api/v1/$1" "${@:2}"; }
pair_is() { [[ $(api pairs) =~ \"state\":\"($1)\".*\"activeNode\":\"$2\" ]]; }
healthy() { local service; for service in hub node-a node-b; do [ "$("$engine" inspect --format '{{.State.Health.Status}}' "$(compose ps -q $service)")" = healthy ] || return 1; done; }
# Of the first process of each container, as the kernel has it: user 65532, and no capability, not even one to be had.
plain() {
  local service status
  for service in hub node-a node-b; do
    status=$(compose exec -T $service cat /proc/1/status) || return 1
    grep -qE '^Uid:\s+65532\s' <<<"$status" && grep -qE '^CapEff:\s+0+$' <<<"$status" && grep -qE '^CapBnd:\s+0+$' <<<"$status" && grep -qE '^NoNewPrivs:\s+1$' <<<"$status" || { say "$service: $(grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs)' <<<"$status" | tr '\n\t' '  ')"; return 1; }
  done
}
all_sessions() { compose exec -T node-a failoverhub-agent status --state /state | grep -q '4 of 4 established'; }
told() { say "--- $1"; compose logs --tail 15 2>&1 | tail -60; die "$1"; }

try() {
  local pair
  trap finish EXIT
  trap 'exit 1' INT TERM
  prepare_compose
  say "Starting (project $project, dashboard http://127.0.0.1:$port) ..."
  compose up -d --no-build >"$work/up.log" 2>&1 || { tail -20 "$work/up.log"; told "the trial does not start"; }
  # -T: the answer is no terminal.
  token=$(compose exec -T hub /app/failoverhub token create --name try | tr -d '\r')
  until_true 60 pair_is Healthy node-a || told "the hub does not show the pair as Healthy with node-a active: $(api pairs || true)"
  say "Both nodes joined by token; the pair is Healthy, node-a is active."
  until_true 60 healthy || told "a health check is not good"
  say "The health checks of hub and both agents are good."
  plain || told "a process has more rights than it needs"
  say "None of them is root or has a capability."
  pair=$(api pairs | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4)
  api "pairs/$pair/operations" -X POST -d '{"type":"switchover","reason":"tried in containers"}' >/dev/null || told "the switchover is not accepted"
  until_true 60 pair_is 'Healthy|FailedOver' node-b || told "the address has not moved to node-b: $(api pairs)"
  say "A switchover moved the address to node-b."
  # Not the lab: the others have its network, and would keep the one that it had.
  compose restart hub node-a node-b >"$work/restart.log" 2>&1 || told "the trial does not restart"
  until_true 120 pair_is 'Healthy|FailedOver' node-b || told "after a restart the hub shows something else: $(api pairs || true)"
  say "Hub and agents restarted: the nodes still have their certificates, and what they were last told."
  until_true 60 all_sessions || told "node-a has not all of its 4 sessions"
  say "containers: good"
}

case ${1:-} in
  publish|build|bases|try) "$1" ;;
  all)
    publish
    if [ -n "${NO_REGISTRY:-}" ]; then bases; fi
    build
    try
    ;;
  *) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
