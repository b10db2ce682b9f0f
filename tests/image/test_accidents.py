"""Power cuts, a cable that is not there, disks that are too small, firmware of another time. `make test-image` runs these."""

from __future__ import annotations

import contextlib
import random
import subprocess
from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.boot.test_booted import plain
from tests.image import broken, updates
from tests.image.build import Images
from tests.image.conftest import ADMIN, PASSWORD, Switch, client_of
from tests.image.meeting import beginning, spoken
from tests.waiting import wait_until

pytestmark = [pytest.mark.needs_image, pytest.mark.long]
CHUNKS = 20
CUTS = 3


def test_power_cut_during_an_upload_loses_nothing_that_was_acknowledged(
    switch_on: Switch, tmp_path: Path
) -> None:
    """At random moments; every chunk that was answered is there, and the meeting becomes words."""
    sound = beginning(tmp_path).read_bytes()
    size = -(-len(sound) // CHUNKS)
    pieces = [sound[at : at + size] for at in range(0, len(sound), size)]
    with switch_on() as machine:
        machine.wait_until_up()
        with client_of(machine, tmp_path) as client:
            body = {"name": "Cut", "source_kind": "file", "source_language": "en"}
            meeting = client.http.post("/v1/transcripts", json=body).json()["id"]
            cuts = sorted(random.sample(range(1, len(pieces)), CUTS))
            for number, piece in enumerate(pieces):
                if number in cuts:
                    machine.pull_the_plug()
                    machine.start()
                    machine.wait_until_up()
                send = {"chunk_number": number, "total_chunks": len(pieces)}
                answer = wait_until(
                    partial(sent, client.http, meeting, send, piece), f"chunk {number}", 300
                )
                assert answer == 200
            assert client.wait_for(meeting, 1800, every=10)["status"] == "ended"
            assert plain(client.words(meeting)) == spoken()


def sent(http: httpx2.Client, meeting: str, query: dict[str, int], piece: bytes) -> int | None:
    with contextlib.suppress(httpx2.HTTPError):
        answer = http.post(
            f"/v1/transcripts/{meeting}/record/upload",
            params=query,
            files={"chunk": ("beginning.wav", piece)},
        )
        if answer.status_code == 401:  # the machine was away longer than the login lasts
            login = http.post("/v1/auth/login", json={"email": ADMIN, "password": PASSWORD})
            http.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        return (
            answer.status_code if answer.status_code < 500 and answer.status_code != 401 else None
        )
    return None


def test_power_cut_during_an_update_leaves_a_machine_that_starts(
    switch_on: Switch, images: Images
) -> None:
    """While it is fetched, while the slot is written; the same command then ends it."""
    with updates.served() as served, switch_on(served=served.port) as machine:
        served.folder = images.newer(1, broken.nothing)
        machine.wait_until_up()
        for moment in ("usr.", "writing"):
            command = ["appliance", "update", "apply", "--from", updates.ADDRESS]
            with machine.start_command(*command) as doing:
                assert doing.stdout
                for line in doing.stdout:
                    if moment in line.decode():
                        break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    doing.wait(random.uniform(0, 8))
                machine.pull_the_plug()
                doing.kill()
            machine.start()
            machine.wait_until_up()
            assert machine.failed_units() == ""
            assert machine.version() in {images.version, f"{images.version}.1"}
        if machine.version() == images.version:
            updates.apply(machine)
            updates.reboot(machine)
            updates.wait_for_version(machine, f"{images.version}.1")
        assert updates.history(machine)["by_version"][f"{images.version}.1"]["outcome"] == "proven"


def test_machine_without_a_network_comes_up_and_works(switch_on: Switch) -> None:
    """Its cable is cut from the first start on; the console is the only way in."""
    with switch_on(network=False) as machine:
        machine.wait_for_console("root@")
        machine.type(
            "systemctl is-system-running --wait; systemctl --failed --no-legend | wc -l | sed s/^/units-/\n"
        )
        said = machine.wait_for_console("units-0")
        assert "three seconds of speech" in said or "running" in said
        mark = len(machine.console())
        machine.type("appliance update history; echo end-of''-list\n")
        assert "proven" in machine.wait_for_console("end-of-list", after=mark)


def test_state_partition_that_cannot_be_read_is_told_on_the_console(switch_on: Switch) -> None:
    """And a version that was blessed is not given up for it."""
    with switch_on() as machine:
        machine.wait_until_up()
        device = machine.run("findmnt", "--noheadings", "--output=SOURCE", "/").strip()
        machine.run("dd", "if=/dev/urandom", f"of={device}", "bs=1M", "count=64", "conv=fsync")
        machine.pull_the_plug()
        mark = len(machine.console())
        machine.start()
        said = machine.wait_for_console("Switch it off and on again", after=mark)
        assert "This machine did not start" in said
        assert "sysroot.mount failed" in said


def test_disk_that_is_too_small_says_so(switch_on: Switch) -> None:
    with switch_on(size="5G") as machine:
        said = machine.wait_for_console("Switch it off and on again")
        assert "The disk cannot be used for Reflector as it is. It needs 12 GB at least" in said


def test_bios_machine_is_told_what_to_change(switch_on: Switch) -> None:
    """QEMU's own firmware instead of UEFI, with its text on the serial line."""
    with switch_on(firmware="bios") as machine:
        machine.wait_for_console("switch it to UEFI", 120)
