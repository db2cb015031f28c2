#!/usr/bin/env bash
# Makes a migration of the hub's database for both providers, out of what has changed in src/Web/Data/HubDbContext.cs and its entities.
#
#   scripts/add-migration.sh NAME       NAME is what changes, in CamelCase: HubCertificates
#   scripts/add-migration.sh --drop     takes the newest one of each provider away again (before it is on main)
#
# What Entity Framework does not know of (triggers, full-text indexes) is written by hand into both files afterwards.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
case ${1:-} in
  --drop) drop=yes ;;
  [A-Z]*) name=$1 drop= ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
dotnet tool restore >/dev/null
dotnet build src/Web -c Release -v q -clp:ErrorsOnly\;NoSummary
for provider in Sqlite Postgres; do
  common=(--project src/Web --configuration Release --no-build --context "${provider}HubDbContext")
  if [ -n "$drop" ]; then
    dotnet ef migrations remove --force "${common[@]}"
  else
    # Entity Framework numbers by the second, and the two need not have the same number.
    dotnet ef migrations add "$name" "${common[@]}" --output-dir "Data/Migrations/$provider"
  fi
done
