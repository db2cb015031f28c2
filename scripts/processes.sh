# shellcheck shell=bash
# Part of run.sh: the processes of a trial. Each has a file NAME.pid in $run_dir with "pid start-time", so that a number that the kernel has
# given to another program meanwhile is never taken for ours. Needs run_dir and components.

start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086 # fields of /proc/PID/stat, words wanted
  set -- $stat
  [ "$1" != Z ] && printf '%s' "${20}"
}

write_pid() { printf '%s %s\n' "$2" "$(start_time "$2" || true)" >"$run_dir/$1.pid"; }

# The pid of a running component; fails when it does not run.
pid_of() {
  local pid started
  [ -r "$run_dir/$1.pid" ] && read -r pid started <"$run_dir/$1.pid" || return 1
  [ -n "${started:-}" ] && [ "$(start_time "$pid" || true)" = "$started" ] || return 1
  printf '%s' "$pid"
}

is_component() {
  local name
  for name in "${components[@]}"; do [ "$name" = "$1" ] && return 0; done
  return 1
}

launch() { # NAME COMMAND...
  local name=$1
  shift
  # A session of its own: Ctrl-C in this terminal reaches run.sh alone, which stops things in order.
  setsid "$@" </dev/null >>"$run_dir/log/$name.log" 2>&1 &
  write_pid "$name" $!
  # What becomes of it is said by watch, in words, and not by the shell.
  # It may have ended already, and then there is nothing to disown.
  disown 2>/dev/null || true
}

terminate() { # NAME...: asks all of them, waits 5 s at most, then kills
  local name pid tries left
  for name in "$@"; do
    if pid=$(pid_of "$name"); then kill -TERM "$pid" 2>/dev/null || true; fi
  done
  for ((tries = 0; tries < 50; tries++)); do
    left=0
    for name in "$@"; do if pid_of "$name" >/dev/null; then left=1; fi; done
    [ "$left" = 0 ] && break
    sleep 0.1
  done
  for name in "$@"; do
    if pid=$(pid_of "$name"); then
      say "$name (pid $pid) did not stop in 5 s and is killed."
      kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$run_dir/$name.pid"
  done
}

# Agents first: they withdraw and say Cease while the route servers still listen.
terminate_all() { terminate node-a node-b; terminate hub lab; }
