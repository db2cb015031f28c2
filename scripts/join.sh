# shellcheck shell=bash
# Part of run.sh: makes the trial's agents nodes of its hub, as an operator does: by a join token, over TLS. Needs run_dir and the settings of the trial.

# What the nodes kept of a hub whose data folder is gone is worth nothing with the next one.
forget_other_hubs() {
  if [ ! -e "$run_dir/hub/authority.pem" ]; then rm -f "$run_dir"/node-{a,b}/hub-identity.json; fi
}

# A kept certificate that lasts for another hour at least: the agent renews it.
has_certificate() { # NAME
  local ends
  ends=$(sed -n 's/^ *"notAfter": "\([^"]*\)".*/\1/p' "$run_dir/$1/hub-identity.json" 2>/dev/null)
  [ -n "$ends" ] && [[ $(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%S) < $ends ]]
}

join_node() { # NAME; the hub is up
  local name=$1 code=0
  if has_certificate "$name"; then return; fi
  mkdir -p "$run_dir/$name"
  # Through a pipe: never over a command line.
  join_token "$name" | "$(executable Agent failoverhub-agent)" join --hub "$(agent_url)" --token - --node "$name" --state "$run_dir/$name" \
    >>"$run_dir/log/$name.log" 2>&1 || code=$?
  [ "$code" = 0 ] || die "$name could not join the hub (exit code $code); what was said is in $run_dir/log/$name.log."
}

# For a new node; else for the one of that name, whose state here is gone.
join_token() { # NAME
  local options=(--node "$1" --data "$run_dir/hub" --token-only) hub
  hub=$(executable Web failoverhub)
  "$hub" join-token create "${options[@]}" 2>>"$run_dir/log/$1.log" || "$hub" join-token create "${options[@]}" --for-existing 2>>"$run_dir/log/$1.log"
}
