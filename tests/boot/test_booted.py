"""The appliance on a machine that was started by systemd: in the order in which an operator meets it.
What changes the machine for good stands in files of its own, after this one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx2
import pytest
from websockets.sync.client import connect

from tests.boot.client import Client
from tests.boot.conftest import PASSWORD, TOML, Appliance
from tests.conftest import SAMPLE, reference
from tests.waiting import wait_until

EXPOSURE = Path(__file__).parent / "exposure.json"
MEAN_EXPOSURE, MOST_EXPOSURE = 1.5, 2.5
OURS = re.compile(r"(reflector-|postgresql@\d+-reflector|valkey-server@reflector|caddy|avahi-daemon|"
                  r"garage|ollama).*\.service")  # fmt: skip
# Names that `systemd-creds` finds in the machine, as their own words
SECRETS = ["SECRET_KEY", "REFLECTOR_GPU_APIKEY", "ADMIN_PASSWORD_HASH"]
LOOK = """
import json, os, pathlib, sys
secrets = json.loads(sys.stdin.readline())
def look(path):
    try:
        text = pathlib.Path(path).read_bytes()
    except OSError:
        return
    for name, value in secrets.items():
        if value.encode() in text:
            print(name, path)
for pid in filter(str.isdigit, os.listdir("/proc")):
    look(f"/proc/{pid}/environ")
    look(f"/proc/{pid}/cmdline")
for folder in ("/run", "/tmp", "/var/tmp", "/dev/shm"):
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path) and os.stat(path).st_mode & 0o004:
                look(path)
"""


def plain(text: str) -> list[str]:
    """Words without case and punctuation, on which the tiny model is not sure."""
    return re.findall(r"\w+", text.lower())


def test_first_run_leaves_no_unit_failed_and_says_where_the_server_is(appliance: Appliance) -> None:
    assert f"Reflector is at https://{appliance.machine.address}" in appliance.said
    assert appliance.failed_units() == ""
    assert appliance.machine.run("systemctl", "is-system-running").strip() == "running"
    assert PASSWORD not in appliance.said


def test_second_run_plans_nothing(appliance: Appliance) -> None:
    assert appliance.planned() == []
    again = appliance.configure("--cpu", "--caddy", "--password-file", "-", stdin="another one\n")
    assert "Nothing to change" in again
    assert "The administrator already has a password" in again


def test_operators_file_keeps_its_remarks_and_says_what_flags_said(appliance: Appliance) -> None:
    text = (appliance.machine.root / "etc/reflector/appliance.toml").read_text()
    assert text.startswith(TOML.splitlines()[0])
    assert 'on = "cpu"' in text


def test_sample_meeting_becomes_words_over_https(client: Client) -> None:
    transcript = client.upload(name="Weekly meeting")
    found = client.wait_for(transcript)
    assert found["status"] == "ended", found
    assert plain(client.words(transcript)) == plain(reference(SAMPLE).text)
    word = max(plain(reference(SAMPLE).text), key=len)
    hits = client.get("/v1/transcripts/search", q=word)
    assert [hit["id"] for hit in hits["results"]] == [transcript]


def test_caddy_passes_events_ranges_and_pages_on(client: Client) -> None:
    transcript = client.get("/v1/transcripts")["items"][0]["id"]
    address = f"{client.url.replace('https', 'wss')}/v1/transcripts/{transcript}/events"
    with connect(address, ssl=client.context, subprotocols=["bearer", client.token]) as socket:  # type: ignore[list-item]
        assert json.loads(socket.recv(timeout=30))["event"]
    part = client.http.get(
        f"/v1/transcripts/{transcript}/audio/mp3", headers={"Range": "bytes=100-199"}
    )
    assert (part.status_code, len(part.content)) == (206, 100)
    page = client.http.get("/login")
    assert page.status_code == 200
    assert page.headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert client.http.get("/metrics").status_code == 404


def test_plain_http_gives_the_authority_and_leads_to_tls(appliance: Appliance) -> None:
    address = f"http://{appliance.machine.address}"
    given = httpx2.get(f"{address}/reflector-root.crt")
    assert given.text.startswith("-----BEGIN CERTIFICATE-----")
    led = httpx2.get(f"{address}/transcripts/x?y=1")
    assert led.headers["location"] == f"https://{appliance.machine.address}/transcripts/x?y=1"


def test_nobody_gets_in_without_a_login(appliance: Appliance) -> None:
    wrong = {"email": "admin@localhost", "password": "wrong horse"}
    address = f"https://{appliance.machine.address}"
    with httpx2.Client(base_url=address, verify=False) as stranger:
        assert stranger.get("/v1/transcripts").status_code == 401
        assert stranger.post("/v1/auth/login", json=wrong).status_code == 401


def test_only_caddy_and_ssh_listen_beyond_loopback(appliance: Appliance) -> None:
    said = appliance.machine.run(
        "ss", "--tcp", "--listening", "--numeric", "--processes", "--no-header"
    )
    outside = {}
    for line in said.splitlines():
        fields = line.split()
        address, _, port = fields[3].rpartition(":")
        if not address.startswith(("127.", "[::1]")):
            outside[int(port)] = fields[-1]
    assert {port: program.split('"')[1] for port, program in outside.items()} == {
        22: "sshd", 80: "caddy", 443: "caddy",
    }, said  # fmt: skip


def test_firewall_lets_in_what_is_meant_for_others(appliance: Appliance) -> None:
    rules = appliance.machine.run("nft", "list", "table", "inet", "reflector")
    assert "policy drop" in rules
    for accepted in (
        "tcp dport { 80, 443 } accept",
        "udp dport 50000-50100 accept",
        "tcp dport 22",
    ):
        assert accepted in rules


def test_port_that_nobody_opened_is_not_reached_from_outside(appliance: Appliance) -> None:
    machine = appliance.machine
    server = machine.start("python3", "-u", "-m", "http.server", "9999")
    try:
        inside = ["curl", "--silent", "--output", "/dev/null", "--max-time", "3"]
        wait_until(lambda: machine.status(*inside, "http://127.0.0.1:9999") == 0, "it listens", 20)
        assert machine.status(*inside, f"http://{machine.address}:9999") == 0  # of itself
        with pytest.raises(httpx2.TimeoutException):
            httpx2.get(f"http://{machine.address}:9999", timeout=2)
    finally:
        machine.run("pkill", "--full", "http.server 9999")
        server.communicate(timeout=30)


def test_no_secret_is_where_it_can_be_read(appliance: Appliance) -> None:
    machine = appliance.machine
    secrets = {
        name: machine.run(
            "systemd-creds", "decrypt", "--name=", f"/etc/reflector/credentials/{name}.cred", "-"
        ).strip()
        for name in SECRETS
    }
    assert all(len(value) >= 32 for value in secrets.values())
    secrets["the password"] = PASSWORD
    # By standard input: an argument of this very command would be found
    script = machine.root / "root/look.py"
    script.write_text(LOOK)
    assert machine.run("python3", "/root/look.py", stdin=f"{json.dumps(secrets)}\n") == ""
    journal = machine.run("journalctl", "--no-pager", "--output=cat")
    assert [name for name, value in secrets.items() if value in journal] == []
    readable = [
        (name, str(path))
        for path in machine.upper.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o004
        for name, value in secrets.items()
        if value.encode() in path.read_bytes()
    ]
    assert readable == []
    kept = machine.root / "etc/reflector/credentials"
    assert kept.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.iterdir())


def test_little_can_be_reached_from_any_unit(appliance: Appliance) -> None:
    """As systemd 257 scores it, rendered drop-ins included; `exposure.json` is what it was."""
    said = json.loads(appliance.machine.run("systemd-analyze", "security", "--json=short"))
    found = {each["unit"]: float(each["exposure"]) for each in said if OURS.fullmatch(each["unit"])}
    for unit in ("garage.service", "ollama.service", "reflector-migrate.service",
                 "reflector-firewall.service"):  # fmt: skip
        text = appliance.machine.run("systemd-analyze", "security", "--no-pager", unit, check=False)
        score = re.search(r"exposure level for \S+: ([\d.]+)", text)
        assert score, text
        found[unit] = float(score[1])
    assert found == json.loads(EXPOSURE.read_text())
    assert max(found.values()) <= MOST_EXPOSURE
    assert sum(found.values()) / len(found) <= MEAN_EXPOSURE


def test_units_have_no_mistakes_with_what_was_rendered(appliance: Appliance) -> None:
    said = appliance.machine.run(
        "systemd-analyze", "verify", "--man=no", "reflector.target", check=False
    )
    assert [line for line in said.splitlines() if "reflector" in line] == []
