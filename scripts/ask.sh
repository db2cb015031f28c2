# shellcheck shell=bash
# Part of run.sh: asks what runs over HTTP, with nothing but bash, and waits for answers. Needs run_dir, and the settings of the trial.

is_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# GET over HTTP/1.0 without curl: the body on stdout, fails unless the answer is 200.
http_get() { # HOST PORT PATH [TOKEN]
  (
    exec 3<>"/dev/tcp/$1/$2" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\n%s\r\n' "$3" "$1" "$2" "${4:+Authorization: Bearer $4$'\r\n'}" >&3
    IFS= read -r -t 5 line <&3 && [[ $line == *" 200 "* ]] || exit 1
    while IFS= read -r -t 5 line <&3 && [ "$line" != $'\r' ]; do :; done
    timeout 5 cat <&3
  ) 2>/dev/null
}

wait_for() { # NAME SECONDS WHAT COMMAND...: until the command succeeds; ends the run when NAME dies or the time is over
  local name=$1 limit=$((SECONDS + $2)) what=$3
  shift 3
  until "$@" >/dev/null; do
    if [ -n "${stopping:-}" ]; then return 1; fi
    if ! pid_of "$name" >/dev/null; then
      tail -5 "$run_dir/log/$name.log" >&2
      die "$name ended before $what; its log is $run_dir/log/$name.log."
    fi
    ((SECONDS < limit)) || die "$what did not happen in time; look into $run_dir/log/$name.log."
    sleep 0.1
  done
}

node_answers() { [ "$(http_get "$(node_address node-b)" 8080 /)" = node-b ]; }
hub_is_ready() { http_get 127.0.0.1 "$port_base" /healthz/ready; }
pair_is_complete() {
  local pairs
  pairs=$(http_get 127.0.0.1 "$port_base" /api/v1/pairs "$token") || return 1
  [ "$(printf '%s' "$pairs" | tr -d ' \n' | grep -o '"established":4,"configured":4' | wc -l)" = 2 ]
}
