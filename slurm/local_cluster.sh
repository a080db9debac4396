#!/bin/bash
# A SLURM cluster of one node on this machine, with two pretend GPUs, to try --slurm without a cluster.
#
#   sudo slurm/local_cluster.sh start     then: export SLURM_CONF=... as it prints
#   sudo slurm/local_cluster.sh status | stop
#
# It needs the Debian packages slurm-wlm and munge, and root, as SLURM's daemons do. Everything it
# writes is in one folder, $OPTEXP_SLURM_STATE or /tmp/optexp-slurm; /etc is left alone.
set -euo pipefail

state=${OPTEXP_SLURM_STATE:-/tmp/optexp-slurm}
conf=$state/slurm.conf
host=$(hostname -s)

die() { echo "error: $*" >&2; exit 2; }

require() {
  [ "$(id -u)" = 0 ] || die "SLURM's daemons need root: run this with sudo."
  for program in munged slurmctld slurmd sinfo; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
      die "$program is not here: apt-get install slurm-wlm munge."
  done
}

write_conf() {
  mkdir -p "$state"/{spool,ctld,log}
  for i in 0 1; do [ -e "$state/gpu$i" ] || mknod "$state/gpu$i" c 1 3; done
  local memory=$(($(awk '/^MemTotal/ {print $2}' /proc/meminfo) / 1024 * 9 / 10))
  cat >"$conf" <<END
ClusterName=optexp-local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$state/ctld
SlurmdSpoolDir=$state/spool
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/log/slurmctld.log
SlurmdLogFile=$state/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
ReturnToService=2
KillWait=30
MinJobAge=3600
MaxArraySize=1001
SchedulerParameters=sched_interval=2,bf_interval=2
# What waits in "high" takes the place of what runs in "main".
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory Gres=gpu:pretend:2
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=high Nodes=$host MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
END
  echo "Name=gpu Type=pretend File=$state/gpu[0-1]" >"$state/gres.conf"
}

# Whoever started it stops it: one that ran before is left alone.
start_munge() {
  munge -n >/dev/null 2>&1 && return
  mkdir -p /run/munge && chown munge: /run/munge
  su -s /bin/sh munge -c "$(PATH=$PATH:/usr/sbin command -v munged)"
  cp /run/munge/munged.pid "$state/munged.pid"
}

is_up() { [ "$(SLURM_CONF=$conf sinfo -h -p main -o %T 2>/dev/null)" = idle ] || SLURM_CONF=$conf sinfo -h -p main -o %T 2>/dev/null | grep -qE 'mixed|allocated'; }

start() {
  require
  if [ -f "$conf" ] && is_up; then echo "It runs already."; else
    write_conf
    start_munge
    export SLURM_CONF=$conf PATH=$PATH:/usr/sbin
    slurmctld -f "$conf" && slurmd -f "$conf"
    for _ in $(seq 60); do is_up && break; sleep 0.5; done
    is_up || { stop >&2; die "The node did not come up: see $state/log."; }
  fi
  echo "export SLURM_CONF=$conf"
}

stop() {
  for daemon in slurmd slurmctld munged; do
    [ -f "$state/$daemon.pid" ] || continue
    local pid; pid=$(cat "$state/$daemon.pid")
    # After a crash the number may be that of another process.
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] && kill "$pid"
    for _ in $(seq 40); do kill -0 "$pid" 2>/dev/null || break; sleep 0.25; done
    rm -f "$state/$daemon.pid"
  done
  echo "Stopped."
}

status() {
  if [ -f "$conf" ] && SLURM_CONF=$conf sinfo 2>/dev/null; then
    SLURM_CONF=$conf squeue -r
  else
    echo "It does not run."
    exit 1
  fi
}

case "${1:-}" in
  start | stop | status) "$1" ;;
  *) die "say start, stop or status." ;;
esac
