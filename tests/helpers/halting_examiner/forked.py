"""Examiners without walls or tests, forked for each connection: read a task, have a kernel watched, send an outcome, end.

Run as ``python forked.py SOCKET SECONDS``. The conversation is the kit's own, over sockets that halt.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import socket
import sys
import threading

from halting import Halting

from autograder.examination.lent_kernel import CoordinatorClient
from autograder.exchange.wire import Closed, Line

MAX_BYTES = 1 << 30


def main() -> None:
    """Fork an examiner for each connection."""
    path, seconds = sys.argv[1], float(sys.argv[2])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(64)
        for number in itertools.count():
            connection, _ = listening.accept()
            if os.fork() == 0:
                try:
                    examine(
                        Line(Halting(connection, random.Random(number), seconds), MAX_BYTES, takes_descriptors=True)
                    )
                finally:
                    os._exit(1)
            connection.close()


def examine(line: Line) -> None:
    """Read what an examiner is sent, let threads ask about a kernel, and send the outcome in the middle of that."""
    task, _ = line.receive()
    unit, _run, _figures = (line.receive()[0] for _ in range(3))
    client = CoordinatorClient(line)
    if task["watchers"]:
        client({"ask": "start"})
    for _ in range(task["watchers"]):
        threading.Thread(target=watch, args=(client,), daemon=True).start()
    client.send_outcome(unit * task["times"])
    os._exit(0)


def watch(client: CoordinatorClient) -> None:
    """Ask without end how much the kernel has used."""
    with contextlib.suppress(Closed):
        while True:
            client({"ask": "usage", "kernel": 0})


if __name__ == "__main__":
    main()
