#!/usr/bin/env bash
# Fuzzes the codec and the session for some minutes, coverage-guided. Usage: tests/Fuzz/fuzz.sh [MINUTES] [FOLDER]
#
#   tests/Fuzz/fuzz.sh 60                      an hour, one process, lowest priority; the figures at its end
#   tests/Fuzz/fuzz.sh 10 /tmp/more            results there instead of TestResults/fuzz; a folder that was used before is gone on with
#
# Needs afl-fuzz (Debian: afl++). What it finds is in FOLDER/afl/default/{crashes,hangs}; one of them is repeated with
#   dotnet run --project tests/Fuzz -c Release -- replay FILE
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

minutes=${1:-5}
folder=$(realpath -m "${2:-../../TestResults/fuzz}")
command -v afl-fuzz >/dev/null || { echo "fuzz.sh: afl-fuzz is missing: apt-get install afl++" >&2; exit 2; }
mkdir -p "$folder"

dotnet publish Fuzz.csproj -c Release -o "$folder/bin" -v q -clp:ErrorsOnly
# The copy only; the coverage is of our own types and not of the runtime's.
dotnet bin/Release/net10.0/FailoverHub.Fuzz.dll instrument "$folder/bin/FailoverHub.Bgp.dll" >"$folder/instrumented.txt"

export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_AUTORESUME=1
# A heap that grows past 128 MiB is a crash, and so is anything thrown. Tiered code changes nothing about coverage.
export DOTNET_GCHeapHardLimit=0x8000000 DOTNET_TieredPGO=0
nice -n 19 afl-fuzz -i Corpus -o "$folder/afl" -t 5000 -m none -G 65536 -V $((minutes * 60)) -- dotnet "$folder/bin/FailoverHub.Fuzz.dll" run >"$folder/afl.log" 2>&1 &
fuzzer=$!
trap 'kill $fuzzer 2>/dev/null || true' EXIT

# The most memory that the process under test ever had.
peak=0
while kill -0 $fuzzer 2>/dev/null; do
  for process in $(pgrep -P $fuzzer || true); do
    now=$(awk '/^VmHWM/ {print $2}' "/proc/$process/status" 2>/dev/null || true)
    [ "${now:-0}" -gt "$peak" ] && peak=$now && echo "$((peak / 1024)) MiB" >"$folder/peak-memory.txt"
  done
  sleep 5
done
trap - EXIT
wait $fuzzer || { tail -20 "$folder/afl.log"; exit 1; }

grep -E '^(run_time|execs_done|execs_per_sec|corpus_count|saved_crashes|saved_hangs|bitmap_cvg|stability|max_depth|cycles_done)' "$folder/afl/default/fuzzer_stats"
echo "peak_memory       : $(cat "$folder/peak-memory.txt")"
[ "$(awk '/^saved_(crashes|hangs)/ {n += $3} END {print n}' "$folder/afl/default/fuzzer_stats")" = 0 ]
