#!/usr/bin/env bash
# Really runs the templates for GNU parallel and for Slurm on a small sweep with a planted failure, kills
# a shard in the middle, runs it again, and compares every byte with a sweep that nobody cut or killed.
# Exits 77 if the schedulers are not here and cannot be installed.
#
# usage: ci/shards.sh WRACK FOLDER
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
REAL=$(readlink -f "$1")
mkdir -p "$2"
folder=$(readlink -f "$2")
cd "$folder"

commands=(parallel munged slurmctld slurmd sbatch jq)
is_there() { command -v "${commands[@]}" >/dev/null && [ "$(command -v "${commands[@]}" | wc -l)" = "${#commands[@]}" ]; }
if ! is_there && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -y -qq slurm-wlm munge parallel jq; } >/dev/null
fi
is_there && [ "$(id -u)" = 0 ] || exit 77

mkdir -p planted
# A second variant that does not look, and is said to be as good.
{
    cat "$here/../harness/wrack/tests/two-services.toml"
    printf '[variants.blind_rmw]\nexpect = "valid"\n'
} >planted/short.toml

# The second shard is killed in the middle, once.
cat >wrack <<'WRACK'
#!/usr/bin/env bash
case " $* " in
*" --shard 2/4 "*)
    if mkdir "$KILLED" 2>/dev/null; then
        "$REAL" "$@" &
        until [ -s "$OUT/2/runs.jsonl" ]; do kill -0 $! || exit 70; done
        kill -9 $!
        wait $!
        exit $?
    fi
    ;;
esac
exec "$REAL" "$@"
WRACK
chmod +x wrack
export REAL SCENARIOS="$folder/planted" SEEDS=0..300 WRACK="$folder/wrack" JOBS=1

# expect CODE COMMAND...
expect() {
    local expected=$1 code=0
    shift
    "$@" >>"$folder/log" 2>&1 || code=$?
    if [ "$code" != "$expected" ]; then
        tail -n 40 "$folder/log" >&2
        echo "$* exits $code, not $expected" >&2
        exit 1
    fi
}
same() {
    cmp whole/runs.jsonl "$1/runs.jsonl" && cmp whole/summary.json "$1/summary.json"
}

expect 1 "$REAL" sweep "$SCENARIOS" --variant all --seeds "$SEEDS" --out whole

export OUT="$folder/parallel" MERGED="$folder/parallel-merged" KILLED="$folder/parallel-killed"
expect 75 bash "$here/parallel.sh" 4
expect 1 bash "$here/parallel.sh" 4
same "$MERGED"
[ -d "$KILLED" ] || { echo "no shard was killed" >&2; exit 1; }
echo "GNU parallel: a shard was killed and run again; nothing is lost"

bash "$here/issue-text.sh" "$MERGED/summary.json" "$folder" >issue.md
grep -q "LUPD" issue.md
replay=$(sed -n 's/.*Replay: `wrack \(.*\)`.*/\1/p' issue.md | head -n 1)
# shellcheck disable=SC2086
expect 1 "$REAL" $replay --out replayed --keep none
echo "the text of the issue names the anomaly, and its command replays it"

# Slurm of our own, for this user and machine: nobody else's is touched.
daemons=$folder/daemons
mkdir -p "$daemons/state" "$daemons/spool"
port=$((20000 + $$ % 20000))
(umask 077 && head -c 1024 /dev/urandom >"$daemons/key")
stop() { for pid in slurmd slurmctld munged; do [ ! -f "$daemons/$pid.pid" ] || kill "$(cat "$daemons/$pid.pid")" || true; done; }
trap stop EXIT
host=$(hostname -s)
cat >"$daemons/slurm.conf" <<CONF
ClusterName=wrack
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$daemons/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$daemons/state
SlurmdSpoolDir=$daemons/spool
SlurmctldPidFile=$daemons/slurmctld.pid
SlurmdPidFile=$daemons/slurmd.pid
SlurmctldLogFile=$daemons/slurmctld.log
SlurmdLogFile=$daemons/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
munged --force --key-file="$daemons/key" --socket="$daemons/socket" --pid-file="$daemons/munged.pid" \
    --log-file="$daemons/munged.log" --seed-file="$daemons/seed"
slurmctld -f "$daemons/slurm.conf"
slurmd -f "$daemons/slurm.conf"
export SLURM_CONF="$daemons/slurm.conf"

export OUT="$folder/slurm" MERGED="$folder/slurm-merged" KILLED="$folder/slurm-killed"
expect 1 timeout 120 bash "$here/slurm/submit.sh" 4
if cmp -s whole/runs.jsonl "$MERGED/runs.jsonl"; then
    echo "a shard was killed, and nothing is missing" >&2
    exit 1
fi
expect 1 timeout 120 bash "$here/slurm/submit.sh" 4 2
same "$MERGED"
echo "Slurm: a shard was killed and submitted again; nothing is lost"
