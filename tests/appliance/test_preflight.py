"""What is tried before anything is written: a real S3 server, a language model's server of the tests' own,
certificates made here."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.configure import preflight
from appliance.configure.plan.state import State
from appliance.configure.plan.view import View
from appliance.errors import CheckError
from tests.appliance.planning import MACHINE, config_of, view_of
from tests.doubles.language_server import LanguageServer, language_server
from tests.real import s3 as real_s3

KEYS = ("TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID", "TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY")
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real_s3.S3]:
    binary = real_s3.installed()
    if binary is None:
        pytest.skip("rclone is not installed")
    found = real_s3.S3(tmp_path_factory.mktemp("s3"), binary)
    yield found
    found.stop()


def try_s3(server: real_s3.S3, **other: str) -> None:
    wanted: dict[str, Any] = {
        "bucket": real_s3.BUCKET, "region": "us-east-1", "endpoint": server.url, "key": server.key,
        "secret": server.secret, **other,
    }  # fmt: skip
    preflight.try_s3(**wanted)


def test_storage_that_works_is_left_as_it_was(s3: real_s3.S3) -> None:
    try_s3(s3)
    assert list((s3.objects / real_s3.BUCKET).iterdir()) == []


@pytest.mark.parametrize(
    "other",
    [{"secret": "wrong"}, {"key": "wrong"}, {"bucket": "nowhere"}, {"endpoint": NOBODY}],
    ids=str,
)
def test_storage_that_does_not_work_is_said_with_what_to_check(
    s3: real_s3.S3, other: dict[str, str]
) -> None:
    with pytest.raises(CheckError, match="cannot be written to") as refused:
        try_s3(s3, **other)
    assert "storage.bucket" in (refused.value.hint or "")
    assert s3.secret not in str(refused.value)
    assert "\n" not in refused.value.message


def view(values: dict[str, Any], **given: str) -> View:
    return view_of(MACHINE, config_of(values), State(), given=given)


def llm(url: str, **more: str) -> dict[str, Any]:
    return {"llm": {"on": "external", "url": url, **more}}


@pytest.fixture
def server() -> Iterator[LanguageServer]:
    with language_server() as found:
        found.key, found.model = "sk-right", "small-model"
        found.answer = lambda name, request: "yes"
        yield found


def test_language_model_that_answers_is_taken(server: LanguageServer) -> None:
    preflight.language_model(view(llm(server.url, model="small-model"), LLM_API_KEY="sk-right"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "sk-wrong"}, "refuses the key"),
        ({"model": "no-such-model"}, "does not know no-such-model"),
    ],
    ids=str,
)
def test_language_model_with_a_wrong_key_or_name_is_said(
    server: LanguageServer, change: dict[str, str], said: str
) -> None:
    key, model = change.get("key", "sk-right"), change.get("model", "small-model")
    with pytest.raises(CheckError, match=said) as refused:
        preflight.language_model(view(llm(server.url, model=model), LLM_API_KEY=key))
    assert key not in str(refused.value)
    assert refused.value.hint


def test_language_model_that_is_not_there_is_said() -> None:
    with pytest.raises(CheckError, match="does not answer"):
        preflight.language_model(view(llm(f"{NOBODY}/v1")))


def test_speech_service_that_is_not_there_is_said() -> None:
    with pytest.raises(CheckError, match=r"speech service at .* does not answer"):
        preflight.speech(view({"speech": {"on": "hosted", "url": NOBODY}}))


def test_service_of_an_own_authority_is_trusted_before_the_system_does(tmp_path: Path) -> None:
    file, key = certificate(tmp_path, "localhost")
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    values = {"speech": {"on": "hosted", "url": f"https://localhost:{server.server_port}"}}
    try:
        with pytest.raises(CheckError, match="does not answer"):
            preflight.speech(view(values))
        preflight.speech(replace(view(values), authorities=(preflight.read_authority(file),)))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_domain_that_does_not_resolve_is_said() -> None:
    with pytest.raises(CheckError, match="does not resolve here"):
        preflight.domain(view({"proxy": {"domain": "no-such-name.invalid"}}))


def test_all_that_is_wrong_is_said_at_once() -> None:
    values = {"proxy": {"domain": "no-such-name.invalid"}, **llm(f"{NOBODY}/v1")}
    with pytest.raises(CheckError) as refused:
        preflight.check(view(values))
    assert "does not resolve" in refused.value.message
    assert "does not answer" in refused.value.message
    assert "Nothing was changed." in (refused.value.hint or "")


def certificate(folder: Path, host: str = "meetings.example.org") -> tuple[Path, Path]:
    """Signed by itself; the files have the names that the reference's script gives them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    files = folder / "server.pem", folder / "server-key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def custom(file: Path, key: Path) -> View:
    values = {"domain": "meetings.example.org", "certificate": "custom", "certificate_file": str(file),
              "key_file": str(key)}  # fmt: skip
    return view({"proxy": values})


def test_certificate_and_its_key_are_taken(tmp_path: Path) -> None:
    preflight.certificate(custom(*certificate(tmp_path)))


def test_key_of_another_certificate_is_said(tmp_path: Path) -> None:
    first, second = certificate(tmp_path / "a"), certificate(tmp_path / "b")
    with pytest.raises(CheckError, match="is not the key of"):
        preflight.certificate(custom(first[0], second[1]))


def test_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    file.write_text("no certificate")
    with pytest.raises(CheckError, match="cannot be read"):
        preflight.certificate(custom(file, file))
    with pytest.raises(CheckError, match="is not the certificate of an authority"):
        preflight.read_authority(file)
    with pytest.raises(CheckError, match="is not the certificate of an authority"):
        preflight.read_authority(tmp_path / "missing")
    assert "BEGIN CERTIFICATE" in preflight.read_authority(certificate(tmp_path)[0])
