"""What can only be found out by asking: tried before anything is written.

Each check raises CheckError with a sentence and a remedy; all of them are told at once.
"""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from appliance.config.model import Certificate, LanguageModelOn, SpeechOn, StorageOn
from appliance.configure.parts.application import S3_KEYS
from appliance.configure.plan.view import View
from appliance.errors import ApplianceError, CheckError
from appliance.secrets import store

SECONDS = 20.0
LEAST_FREE = 2 << 30
SAMPLE = b"reflector " * 200


def check(view: View) -> None:
    """Check what the configuration requires. Raises CheckError with everything that is wrong."""
    problems = []
    for each in CHECKS:
        try:
            each(view)
        except CheckError as error:
            problems.append(error)
    if problems:
        hints = [error.hint for error in problems if error.hint]
        raise CheckError(
            "\n".join(e.message for e in problems), "\n".join([*hints, "Nothing was changed."])
        )


def writable(view: View) -> None:
    if os.geteuid():
        raise CheckError("Only root can change this machine.", "Run it with sudo.")
    for folder in ("/etc", "/var/lib"):
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise CheckError(
                f"{folder} cannot be written: {error.strerror}.",
                "Mount it read-write, or free some space.",
            ) from error
    usage = os.statvfs("/var/lib")
    free = usage.f_bavail * usage.f_frsize
    if free < LEAST_FREE:
        raise CheckError(
            f"Only {free >> 20} MiB are free on the disk of /var/lib.", "Free at least 2 GiB."
        )


def domain(view: View) -> None:
    """Check that the domain resolves.

    A certificate authority answers only if the name leads to this machine. From inside a network
    the public address cannot be known, so a name that resolves is accepted.
    """
    name = view.config.proxy.domain
    if name is None or not view.config.proxy.caddy:
        return
    try:
        socket.getaddrinfo(name, 443)
    except OSError as error:
        raise CheckError(
            f"{name} does not resolve here: {error.strerror or error}.",
            f"Create an A or AAAA record for {name} with this machine's address.",
        ) from error


def certificate(view: View) -> None:
    proxy = view.config.proxy
    if not proxy.caddy or proxy.chosen_certificate is not Certificate.CUSTOM:
        return
    assert proxy.certificate_file
    assert proxy.key_file
    try:
        found = x509.load_pem_x509_certificate(proxy.certificate_file.read_bytes())
        key = serialization.load_pem_private_key(proxy.key_file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise CheckError(
            f"The certificate {proxy.certificate_file} or its key {proxy.key_file} cannot be read: {error}.",
            "Both must be PEM files, and the key must have no passphrase.",
        ) from error
    if found.public_key() != key.public_key():
        raise CheckError(
            f"{proxy.key_file} is not the key of {proxy.certificate_file}.",
            "Use a certificate and a key that belong together.",
        )


def storage(view: View) -> None:
    """Put, get, range and delete, as the application does them."""
    config = view.config.storage
    if config.on is not StorageOn.S3:
        return
    key, secret = (_secret(view, name) for name in S3_KEYS)
    try_s3(
        config.bucket, config.region, str(config.endpoint).rstrip("/") if config.endpoint else None,
        key, secret,
    )  # fmt: skip


def try_s3(bucket: str, region: str, endpoint: str | None, key: str, secret: str) -> None:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    where = endpoint or f"Amazon S3 in {region}"
    name = f"reflector-check-{token_hex(8)}"
    doing = "written to"
    try:
        store = S3Store(
            bucket, region=region, endpoint=endpoint, access_key_id=key, secret_access_key=secret,
            client_options={"timeout": f"{SECONDS:.0f}s", "allow_http": True},
            retry_config={"max_retries": 1},
        )  # fmt: skip
        obstore.put(store, name, SAMPLE)
        doing = "read from"
        whole = bytes(obstore.get(store, name).bytes())
        doing = "read in parts from"
        part = bytes(obstore.get_range(store, name, start=10, length=10))
        doing = "deleted from"
        obstore.delete(store, name)
    except (BaseError, OSError, ValueError) as error:
        reason = str(error).split("\n\n", maxsplit=1)[0].splitlines()[0][:300]
        raise CheckError(
            f"The bucket {bucket} at {where} cannot be {doing}: {reason}",
            "Check storage.bucket, storage.region, storage.endpoint and the two secrets of S3.",
        ) from error
    if whole != SAMPLE or part != SAMPLE[10:20]:
        raise CheckError(
            f"The bucket {bucket} at {where} returned other data than was written.",
            "Use another S3 server, or repair this one.",
        )


def language_model(view: View) -> None:
    """Send one real request: it finds a wrong address, a wrong key or a wrong model."""
    if view.config.llm.on is not LanguageModelOn.EXTERNAL:
        return
    url = f"{str(view.config.llm.url).rstrip('/')}/chat/completions"
    key = _secret(view, "LLM_API_KEY", needed=False)
    body = {
        "model": view.config.llm.model,
        "messages": [{"role": "user", "content": "Say yes."}],
        "max_tokens": 1,
    }
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx2.post(
            url, json=body, headers=headers, timeout=SECONDS * 3, verify=_trusting(view)
        )
    except httpx2.HTTPError as error:
        raise CheckError(
            f"The language model at {url} does not answer: {error}.", "Check llm.url."
        ) from error
    match answer.status_code:
        case 401 | 403:
            raise CheckError(
                f"The language model at {url} refuses the key ({answer.status_code}).",
                "Give the right one with --secret LLM_API_KEY=FILE.",
            )
        case 404:
            raise CheckError(
                f"The language model at {url} does not know {view.config.llm.model}, or the address is wrong: "
                f"{answer.text[:200]}",
                "Check llm.model and llm.url.",
            )
        case status if status >= 400:
            raise CheckError(
                f"The language model at {url} answers {status}: {answer.text[:200]}",
                "Check llm.url.",
            )


def speech(view: View) -> None:
    if view.config.speech.on is not SpeechOn.HOSTED:
        return
    url = str(view.config.speech.url).rstrip("/")
    try:
        answer = httpx2.get(f"{url}/docs", timeout=SECONDS, verify=_trusting(view))
    except httpx2.HTTPError as error:
        raise CheckError(
            f"The speech service at {url} does not answer: {error}.", "Check speech.url."
        ) from error
    if answer.status_code >= 500:
        raise CheckError(
            f"The speech service at {url} answers {answer.status_code}.", "Look at its log."
        )


def _trusting(view: View) -> ssl.SSLContext:
    """Return the system's authorities, and those that it is going to trust."""
    context = ssl.create_default_context()
    for text in view.authorities:
        context.load_verify_locations(cadata=text)
    return context


def read_authority(file: Path) -> str:
    """Return a certificate in PEM; CheckError where it is none."""
    try:
        text = file.read_text()
        ssl.create_default_context(cadata=text)
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError, ssl.SSLError) as error:
        raise CheckError(
            f"{file} is not the certificate of an authority: {error}.", "Use a PEM file."
        ) from error
    return text


def _secret(view: View, name: str, needed: bool = True) -> str:
    try:
        found = view.given.get(name) or store.reveal(view.facts, name)
    except ApplianceError as error:
        raise CheckError(error.message, error.hint) from error
    if found is None and needed:
        raise CheckError(f"There is no secret {name}.", f"Give it with --secret {name}=FILE.")
    return (found or "").strip()


CHECKS: list[Callable[[View], None]] = [
    writable, domain, certificate, storage, language_model, speech,
]  # fmt: skip
