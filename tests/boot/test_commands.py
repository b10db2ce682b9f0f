"""What an operator types from day to day."""

from __future__ import annotations

import json
import re

import httpx2

from tests.boot.client import Client
from tests.boot.conftest import PASSWORD, Appliance


def test_status_shows_every_unit_and_that_all_is_well(appliance: Appliance) -> None:
    said = appliance.machine.run("appliance", "status")
    for unit in ("reflector-api.service", "caddy.service", "postgresql@17-reflector.service"):
        assert re.search(rf"{re.escape(unit)}\s+active \(running\)", said), said
    body = json.loads(appliance.machine.run("appliance", "status", "--json"))
    assert body["status"] in {"ok", "warning"}
    assert body["url"] == f"https://{appliance.machine.address}"
    assert {"database", "broker", "storage", "disk", "certificate", "secrets", "configuration"} <= {
        check["check"] for check in body["checks"]
    }
    assert [c for c in body["checks"] if c["status"] == "failed"] == []


def test_doctor_names_what_is_wrong_and_what_to_do(appliance: Appliance) -> None:
    machine = appliance.machine
    machine.run("systemctl", "stop", "reflector-beat.service")
    said = machine.run("appliance", "doctor", check=False)
    assert machine.status("appliance", "doctor") == 1
    machine.run("systemctl", "start", "reflector-beat.service")
    assert "reflector-beat.service: Reflector: schedule: inactive (dead)" in said
    assert "→ See `journalctl -u reflector-beat.service`" in said
    assert (
        "configuration: this machine differs from its configuration: start reflector-beat.service"
        in said
    )
    assert machine.status("appliance", "doctor") == 0


def test_logs_of_one_transcript_are_found(appliance: Appliance, client: Client) -> None:
    first, second = (client.upload(name=name) for name in ("First", "Second"))
    client.wait_for(first)
    client.wait_for(second)
    said = appliance.machine.run("appliance", "logs", "--transcript", first)
    assert f"{first}: transcribe is done" in said
    assert second not in said
    assert "transcribe" in appliance.machine.run("appliance", "logs", "worker", "-n", "500")
    assert "LOG:" in appliance.machine.run("appliance", "logs", "database")


def test_password_is_changed_and_stays_changed(appliance: Appliance) -> None:
    machine = appliance.machine
    changed = machine.run(
        "appliance", "admin", "set-password", "--password-file", "-", stdin="another horse\n"
    )
    assert "Changed the password of admin@localhost" in changed
    machine.run("systemctl", "restart", "reflector-api.service")
    assert login(appliance, PASSWORD) == 401
    assert login(appliance, "another horse") == 200
    short = machine.run(
        "appliance", "admin", "set-password", "--password-file", "-", stdin="x\n", check=False
    )
    assert "8 are the least" in short
    machine.run("appliance", "admin", "set-password", "--password-file", "-", stdin=f"{PASSWORD}\n")
    assert login(appliance, PASSWORD) == 200
    assert appliance.planned() == []


def test_rotated_secret_ends_logins_and_shows_nothing(appliance: Appliance, client: Client) -> None:
    machine = appliance.machine
    file = machine.root / "etc/reflector/credentials/SECRET_KEY.cred"
    before = file.read_bytes()
    said = machine.run("appliance", "secrets", "rotate", "SECRET_KEY", "--yes")
    assert "SECRET_KEY was changed" in said
    assert file.read_bytes() != before
    assert client.http.get("/v1/me").status_code == 401
    assert login(appliance, PASSWORD) == 200
    assert appliance.failed_units() == ""
    listed = machine.run("appliance", "secrets", "list")
    assert "SECRET_KEY  (sealed by this machine's key)" in listed


def test_speech_works_with_another_key(appliance: Appliance) -> None:
    appliance.machine.run("appliance", "secrets", "rotate", "REFLECTOR_GPU_APIKEY", "--yes")
    with Client(f"https://{appliance.machine.address}", appliance.authority) as client:
        client.log_in("admin@localhost", PASSWORD)
        assert client.wait_for(client.upload(name="Another key"))["status"] == "ended"


def test_models_are_listed_and_checked(appliance: Appliance) -> None:
    machine = appliance.machine
    assert "whisper" in machine.run("appliance", "models", "list")
    assert "whisper: as it was" in machine.run("appliance", "models", "verify")
    assert "There is no Ollama" in machine.run("appliance", "llm", "pull", check=False)


def test_manual_and_completion_are_there(appliance: Appliance) -> None:
    machine = appliance.machine
    page = (machine.root / "usr/share/man/man8/appliance.8").read_text()
    assert ".SS appliance configure" in page
    source = "source /usr/share/bash-completion/completions/appliance; complete -p appliance"
    assert "_appliance_completion" in machine.run("bash", "-c", source)


def login(appliance: Appliance, password: str) -> int:
    body = {"email": "admin@localhost", "password": password}
    address = f"https://{appliance.machine.address}/v1/auth/login"
    return httpx2.post(address, json=body, verify=False, timeout=60).status_code
