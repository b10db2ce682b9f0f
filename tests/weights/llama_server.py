"""llama.cpp's own HTTP server on the real language model, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.waiting import wait_until
from tools.real_models import PYTHON

CONTEXT = 8192
SERVE = """
import sys, threading
from xllamacpp import CommonParams, Server
asked = CommonParams()
asked.model.path, asked.hostnames, asked.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
asked.n_ctx, asked.n_parallel, asked.cpuparams.n_threads = int(sys.argv[3]), 1, 2
server = Server(asked)
threading.Event().wait()
"""


@contextmanager
def llama_server(model: Path, log: Path) -> Iterator[str]:
    """Its address, with the path of its API."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(model), str(port), str(CONTEXT)],
            stdout=said, stderr=said, env={**os.environ, "PYTHONPATH": str(PYTHON)},
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            return httpx2.get(f"{address}/health", timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False

    try:
        wait_until(answers, "the model's server answers", 600)
        yield f"{address}/v1"
    finally:
        process.kill()
        process.wait(60)
