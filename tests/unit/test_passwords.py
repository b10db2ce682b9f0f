"""Password hashes of both forms, and the time that checking takes."""

from __future__ import annotations

import hashlib

import pytest

from reflector.accounts.passwords import hash_password, is_hash, verify_password

SALT = "00112233445566778899aabbccddeeff"


def reference_hash(password: str, iterations: int = 100_000) -> str:
    """As the reference makes it: the salt as its hex text."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT.encode(), iterations).hex()
    return f"pbkdf2:sha256:{iterations}${SALT}${digest}"


@pytest.mark.parametrize("form", [lambda h: h, lambda h: h.replace("$", "$$"), lambda h: f" {h}\n"])
def test_hashes_of_the_reference_are_accepted(form) -> None:  # type: ignore[no-untyped-def]
    hashed = form(reference_hash("geheim"))
    assert is_hash(hashed)
    assert verify_password("geheim", hashed)
    assert not verify_password("Geheim", hashed)


def test_new_hashes_take_600_000_rounds_and_differ() -> None:
    one, two = hash_password("geheim"), hash_password("geheim")
    assert one.startswith("pbkdf2:sha256:600000$")
    assert one != two
    assert verify_password("geheim", one)


@pytest.mark.parametrize(
    "broken", ["", "geheim", "pbkdf2:sha256:0$aa$" + "0" * 64, "pbkdf2:sha256:99999999$aa$" + "0" * 64,
               "pbkdf2:md5:1000$aa$00", "pbkdf2:sha256:1000$zz$" + "0" * 64, None],
)  # fmt: skip
def test_what_is_no_hash_lets_nobody_in(broken: str | None) -> None:
    assert not verify_password("", broken)
    assert not verify_password("geheim", broken)


def test_unknown_user_wrong_password_and_old_hash_take_the_same_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounds: list[int] = []
    real = hashlib.pbkdf2_hmac

    def counted(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        rounds.append(iterations)
        return real(name, password, salt, 1)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    work = []
    for hashed in (None, reference_hash("x"), "pbkdf2:sha256:600000$aa$" + "0" * 64):
        rounds.clear()
        verify_password("wrong", hashed)
        work.append(sum(rounds))
    assert len(set(work)) == 1
