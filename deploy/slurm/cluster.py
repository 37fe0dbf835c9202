"""A scheduler on this machine, and workers as jobs of Slurm, for `autograder grade --scheduler`.

    python deploy/slurm/cluster.py --tls /shared/tls --jobs 8 --cores 16 --memory 32GiB --walltime 04:00:00

Needs the kit with its extras grade, keras and scale, and dask-jobqueue in this Python, which must lie at the same path
on the nodes, as must the folder with certificates. It prints the address, keeps the jobs running, and ends them when it
is ended (Ctrl-C). `--show` prints the job script and starts no job.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path
from typing import Any

import dask
from distributed.security import Security

SETTINGS = Path(__file__).resolve().parents[1] / "dask.yaml"


def security(tls: Path) -> Security:
    """Load the certificates that deploy/certificates made in the folder ``tls``."""
    roles = {
        f"tls_{role}_{kind}": str(tls / f"{role}{end}")
        for role in ("scheduler", "worker", "client")
        for kind, end in (("cert", ".pem"), ("key", "-key.pem"))
    }
    return Security(require_encryption=True, tls_ca_file=str(tls / "ca.pem"), **roles)


def make_cluster(options: argparse.Namespace) -> Any:
    """Make the cluster: a job is one dask worker with one grading program, which imports TensorFlow once for all its
    slots.
    """
    from dask_jobqueue import SLURMCluster

    dask.config.update(dask.config.config, dask.config.collect([str(SETTINGS)]), priority="new")
    minutes = _minutes(options.walltime)
    return SLURMCluster(
        cores=options.cores,
        processes=1,
        memory=options.memory,
        walltime=options.walltime,
        queue=options.partition,
        account=options.account,
        local_directory=options.scratch,
        log_directory=str(options.logs),
        security=security(options.tls),
        protocol="tls://",
        scheduler_options={"port": options.port, "dashboard": False},
        # A worker leaves before Slurm kills it; the next job takes its place.
        worker_extra_args=["--no-dashboard", "--lifetime", f"{minutes - 10}m", "--lifetime-stagger", "5m"],
        job_script_prologue=[f"export DASK_CONFIG={SETTINGS}", "umask 077", "export PYTHONDONTWRITEBYTECODE=1"],
        job_extra_directives=["--requeue"],
    )


def _minutes(walltime: str) -> int:
    hours, minutes, _ = (int(part) for part in walltime.split(":"))
    total = 60 * hours + minutes
    if total < 30:
        raise SystemExit("--walltime: at least half an hour (00:30:00)")
    return total


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--tls", type=Path, required=True, help="folder made by deploy/certificates, on a shared file system"
    )
    parser.add_argument("--jobs", type=int, default=4, help="jobs, each one node's worker")
    parser.add_argument("--cores", type=int, default=16, help="cores of a job, and submissions at a time in it")
    parser.add_argument("--memory", default="32GiB", help="memory of a job")
    parser.add_argument("--walltime", default="04:00:00", help="HH:MM:SS of a job")
    parser.add_argument("--partition", help="Slurm's partition")
    parser.add_argument("--account", help="Slurm's account")
    parser.add_argument("--scratch", default=os.environ.get("TMPDIR", "/tmp"), help="a local folder of the node")
    parser.add_argument("--logs", type=Path, default=Path("slurm-logs"), help="where jobs log")
    parser.add_argument("--port", type=int, default=8786, help="the scheduler's")
    parser.add_argument("--show", action="store_true", help="print the job script and end")
    return parser.parse_args(words)


def main() -> None:
    options = arguments()
    with make_cluster(options) as cluster:
        if options.show:
            print(cluster.job_script())
            return
        cluster.scale(jobs=options.jobs)
        print(f"autograder grade ASSIGNMENT --scheduler {cluster.scheduler_address}", flush=True)
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        ended.wait()


if __name__ == "__main__":
    main()
