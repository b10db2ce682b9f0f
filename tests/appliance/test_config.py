"""`appliance.toml`: every mistake is said by line and key, with what is allowed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.config import ApplianceConfig, load, parse
from appliance.config.load import line_of
from appliance.config.model import Certificate
from appliance.errors import ConfigError

NAME = "/etc/reflector/appliance.toml"


def test_no_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == ApplianceConfig()
    assert parse("", NAME) == ApplianceConfig()


def test_login_is_required_unless_the_public_is_asked_in() -> None:
    assert ApplianceConfig().access.public is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Certificate.INTERNAL),
        ('[proxy]\nip = "192.0.2.7"', Certificate.INTERNAL),
        ('[proxy]\ndomain = "Meetings.Example.org."', Certificate.ACME),
        ('[proxy]\ndomain = "a.example.org"\ncertificate = "internal"', Certificate.INTERNAL),
    ],
)
def test_certificate_follows_from_the_address(text: str, expected: Certificate) -> None:
    proxy = parse(text, NAME).proxy
    assert proxy.chosen_certificate is expected
    assert proxy.domain is None or proxy.domain == proxy.domain.lower().rstrip(".")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[speech]\nmodle = 'small'", 2, "speech.modle is unknown. Known are on, url, model"),
        ("[speech]\nmodle = 'small'", 2, "Did you mean model?"),
        ("\n[speach]\non = 'gpu'", 2, "Did you mean speech?"),
        ("[speech]\non = 'gpus'", 2, "is 'gpus'; allowed are auto, gpu, cpu, hosted."),
        ("speech.on = 'gpus'", 1, "speech.on is 'gpus'"),
        (
            "[llm]\n# how much\ncontext = 'much'",
            3,
            "llm.context is 'much': input should be a valid",
        ),
        ("[llm]\ncontext = 100", 2, "greater than or equal to 2048"),
        ("[llm]\non = 'external'", 1, 'llm needs both on = "external" and url, or neither.'),
        ("[llm]\nurl = 'nowhere'", 2, "llm.url is 'nowhere'"),
        ("[speech]\non = 'hosted'", 1, 'speech needs both on = "hosted" and url'),
        ("[proxy]\ndomain = 'localhost'", 2, "is not a domain name"),
        ("[proxy]\ndomain = 'a b.example.org'", 2, "is not a domain name"),
        ("[proxy]\nip = '192.0.2.300'", 2, "is not an IP address"),
        ("[proxy]\nip = '192.0.2.3'\ndomain = 'a.example.org'", 1, "has both domain and ip"),
        ("[proxy]\ncertificate = 'acme'", 1, "no domain"),
        ("[proxy]\ncertificate_file = '/a.pem'", 1, "needs all of certificate"),
        ("[proxy]\ncaddy = false\ndomain = 'a.example.org'", 1, "belongs to your own proxy"),
        ("[network]\nwebrtc_first_port = 70000", 2, "less than or equal to 65535"),
        ("[network]\nwebrtc_first_port = 60000", 1, "webrtc_first_port after webrtc_last_port"),
        ("[access]\npublic = 'perhaps'", 2, "access.public is 'perhaps'"),
        ("[proxy]\nextra_ca = ['/a.pem', 7]", 2, "proxy.extra_ca.1 is 7"),
    ],
)
def test_mistake_is_said_by_line_and_key(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, NAME)
    assert refused.value.message.startswith(f"{NAME}, line {line}: ")
    assert said in refused.value.message


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse("[speech]\non = 'gpus'\n[llm]\ncontext = 1\n[other]\n", NAME)
    assert len(refused.value.message.splitlines()) == 3


@pytest.mark.parametrize("text", ["[speech", "on = ", "a = 1\na = 2", "\x00"])
def test_what_is_no_toml_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="is not TOML") as refused:
        parse(text, NAME)
    assert "line 1" in refused.value.message or "line 2" in refused.value.message


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "appliance.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("speech", "on"), 3), (("speech", "model"), 2), (("speech",), 2), (("llm", "on"), 5),
        (("llm", "context"), 1), (("llm", "none"), 4), (("proxy",), None),
    ],
)  # fmt: skip
def test_line_of_a_key(path: tuple[str, ...], line: int | None) -> None:
    text = "llm.context = 5000\n[speech]\non = 'gpu'\n[llm]\non = 'none'\n"
    assert line_of(text, path) == line


def appliance(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from appliance.cli import main; main()", *arguments],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_command_says_what_is_wrong_and_ends_with_its_code(tmp_path: Path) -> None:
    file = tmp_path / "appliance.toml"
    file.write_text("[speech]\non = 'gpus'\n")
    wrong: Any = appliance("validate", str(file))
    assert wrong.returncode == 3
    assert f"{file}, line 2: speech.on" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    file.write_text("[speech]\non = 'gpu'\n")
    assert appliance("validate", str(file)).returncode == 0
    missing = appliance("validate", str(tmp_path / "none.toml"))
    assert (missing.returncode, "does not exist" in missing.stderr) == (3, True)


def test_something_else_than_a_public_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="is not a public key"):
        parse('[access]\nssh_keys = ["-----BEGIN OPENSSH PRIVATE KEY-----"]\n', "appliance.toml")


def test_mark_at_the_beginning_of_the_file_is_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "appliance.toml"
    file.write_bytes(b"\xef\xbb\xbf[speech]\non = 'cpu'\n")
    assert load(file).speech.on == "cpu"


@pytest.mark.parametrize("key", ["folder", "garage_folder"])
@pytest.mark.parametrize(
    "folder", ["/", "/etc", "/var", "relative", "/srv/my recordings", "/srv/a'b", "/srv/../etc"]
)
def test_folder_that_a_unit_could_not_use_is_refused(key: str, folder: str) -> None:
    with pytest.raises(ConfigError, match=f"storage.{key}"):
        parse(f'[storage]\n{key} = "{folder}"', NAME)


@pytest.mark.parametrize(
    "address", ["Anna <anna@example.org>", "anna", "a@b@c", "a b@c.org", "@b.org"]
)
def test_administrator_has_an_address_and_nothing_else(address: str) -> None:
    with pytest.raises(ConfigError, match=r"access\.admin is not an e-mail address"):
        parse(f'[access]\nadmin = "{address}"', NAME)


def test_no_value_can_write_the_syntax_of_what_it_is_rendered_into() -> None:
    """Line ends, quotes, braces and control characters in every text that the file can hold."""
    texts = {
        "speech": ["model", "diarization_model"],
        "llm": ["model"],
        "storage": ["folder", "bucket", "region", "garage_folder"],
        "proxy": ["domain", "ip", "email", "certificate_file", "key_file", "custom_ca"],
        "access": ["admin"],
        "disk": ["data"],
    }
    for table, keys in texts.items():
        model = ApplianceConfig.model_fields[table].annotation
        assert model is not None
        free = {
            name
            for name, field in model.model_fields.items()
            if "str" in str(field.annotation) or "Path" in str(field.annotation)
        }
        assert free - {"ssh_keys", "extra_ca"} <= set(keys)
        for key in keys:
            for bad in ("x\ny", "x}y", 'x"y', "x\x1by", "x y", "x;y", "$(x)"):
                for start in ("", "/srv/", "a@b.org"):
                    with pytest.raises(ValueError):
                        ApplianceConfig.model_validate({table: {key: start + bad}})
