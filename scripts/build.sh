# shellcheck shell=bash
# Part of run.sh: finds the .NET SDK and builds what is newer than the last build. Needs root and run_dir; gives dotnet and DOTNET_ROOT.

find_dotnet() {
  local candidate
  for candidate in "$(command -v dotnet || true)" "${DOTNET_ROOT:-}/dotnet" "${HOME:-}/.dotnet/dotnet" /usr/lib/dotnet/dotnet /usr/share/dotnet/dotnet; do
    # global.json says which SDK is wanted: with an older one this fails.
    if [ -x "$candidate" ] && (cd "$root" && "$candidate" --version) >/dev/null 2>&1; then
      dotnet=$(readlink -f "$candidate")
      DOTNET_ROOT=$(dirname "$dotnet")
      export DOTNET_ROOT DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
      return
    fi
  done
  if command -v dotnet >/dev/null; then
    say "run.sh: the .NET SDK here is too old: FailoverHub needs version 10." >&2
  else
    say "run.sh: the .NET SDK is missing: FailoverHub needs version 10." >&2
  fi
  cat >&2 <<'TEXT'
  Ubuntu 24.04 and later:  sudo apt-get update && sudo apt-get install -y dotnet-sdk-10.0
  Debian:                  wget https://packages.microsoft.com/config/debian/12/packages-microsoft-prod.deb
                           sudo dpkg -i packages-microsoft-prod.deb   (12 or 13 in the address, as your release)
                           sudo apt-get update && sudo apt-get install -y dotnet-sdk-10.0
  Without root, anywhere:  wget https://dot.net/v1/dotnet-install.sh && bash dotnet-install.sh --channel 10.0
TEXT
  exit 1
}

is_built() {
  local file
  for file in "$(executable Lab failoverhub-lab)" "$(executable Web failoverhub)" "$(executable Agent failoverhub-agent)" "$stamp"; do
    [ -e "$file" ] || return 1
  done
  [ -z "$(find "$root/src" "$root"/Directory.*.props "$root/global.json" -newer "$stamp" -not -path '*/bin/*' -not -path '*/obj/*' -type f -print -quit)" ]
}

build() {
  local log="$run_dir/log/build.log" began=$SECONDS
  if [ -n "${FAILOVERHUB_NO_BUILD:-}" ] || is_built; then return; fi
  say "Building (the first time this takes a minute or two) ..."
  mkdir -p "$root/artifacts"
  touch "$stamp.new"
  # The build's helpers would outlive run.sh: none are wanted.
  if ! "$dotnet" build "$root/FailoverHub.Product.slnf" -c Release --disable-build-servers -v quiet -clp:NoSummary >"$log" 2>&1; then
    grep -E 'error|Error' "$log" | sort -u | head -20 >&2 || tail -20 "$log" >&2
    die "the build failed; everything it said is in $log."
  fi
  mv "$stamp.new" "$stamp"
  say "Built in $((SECONDS - began)) s."
}
