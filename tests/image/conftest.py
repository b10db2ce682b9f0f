"""Images of this checkout, and machines made of them. A module has one machine, as the fixture `machine`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.boot.client import Client
from tests.boot.tree import run
from tests.image import build, updates
from tests.image.build import Images
from tests.image.machine import VirtualMachine, layer, ssh_key, switched_on
from tests.image.meeting import beginning
from tests.image.updates import Served

ADMIN, PASSWORD = "admin@localhost", "correct horse battery staple"
TOML = b"""\
# The operator's own remark
[speech]
on = "cpu"
model = "whisper"
diarization = false
[storage]
low_space_gib = 1
[update]
trial_minutes = 30
"""
SECONDS = 3600

Switch = Callable[..., AbstractContextManager[VirtualMachine]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if "tests/image/" in str(item.path)]
    lacking = build.missing()
    for item in mine:
        if "needs_image" in item.keywords:
            item.add_marker(pytest.mark.timeout(SECONDS))
            if lacking:
                reason = f"building an image needs {', '.join(lacking)}"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return build.images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ssh_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="session")
def switch_on(images: Images, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Switch:
    """A machine with a new disk made of the image, or one of an earlier machine's (`disk`)."""

    @contextlib.contextmanager
    def start(
        toml: bytes | None = TOML, size: str = "16G", encrypt: bool = False, **options: Any
    ) -> Iterator[VirtualMachine]:
        folder = tmp_path_factory.mktemp("machine")
        disk = folder / "disk.qcow2"
        layer(images.tools, images.disk, disk, size)
        credentials = {"ssh.authorized_keys.root": key.with_suffix(".pub").read_bytes()}
        if toml is not None:
            credentials |= {"appliance.toml": toml, "appliance.password": PASSWORD.encode()}
        if encrypt:
            credentials["appliance.encrypt"] = b"yes"
        machine = VirtualMachine(
            images.tools, folder, disk, images.disk, key, credentials, **options
        )
        with switched_on(machine):
            yield machine

    return start


def client_of(machine: VirtualMachine, folder: Path) -> Client:
    """The administrator's, through the forwarded port; the root certificate as a visitor gets it."""
    authority = folder / "root.crt"
    address = f"http://127.0.0.1:{machine.http_port}/reflector-root.crt"
    run(
        "curl",
        "--silent",
        "--show-error",
        "--fail",
        "--retry",
        "5",
        "--output",
        str(authority),
        address,
    )
    found = Client(f"https://localhost:{machine.https_port}", authority, timeout=300)
    found.log_in(ADMIN, PASSWORD)
    return found


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with updates.served() as found:
        yield found


@pytest.fixture(scope="module")
def client(machine: VirtualMachine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with client_of(machine, tmp_path_factory.mktemp("client")) as found:
        yield found


@pytest.fixture(scope="module")
def meeting(client: Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Worked on to its end."""
    found = client.upload(beginning(tmp_path_factory.mktemp("sound")), name="Weekly meeting")
    assert client.wait_for(found, 1800, every=10)["status"] == "ended"
    return found
