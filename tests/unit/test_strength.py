"""Which passwords are refused."""

from __future__ import annotations

import pytest

from reflector.accounts.passwords import hash_password, verify_password
from reflector.accounts.strength import MAXIMUM, weakness

EMAIL = "anna.keller@example.org"


@pytest.mark.parametrize(
    "password",
    ["12345678", "password1", "qwertzuiop", "iloveyou", "annakeller", "Anna.Keller1", "example.org",
     "19801980", "aaaaaaaaaaaa", "P@ssw0rd"],
)  # fmt: skip
def test_password_that_is_guessed_soon_is_refused(password: str) -> None:
    assert "easy to guess" in str(weakness(password, EMAIL))


def test_short_and_endless_passwords_are_refused() -> None:
    assert "8 are the least" in str(weakness("x7!Kq2z"))
    assert "1024 are the most" in str(weakness("x7!Kq2z" * 200))


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "vpmzkqwu", "ÄpfelUndBirnenKuchen", "会议记录很安全的密码", "x7!Kq2z" * 30,
     "q" + "🔑 ☃ \t" * 5, "vpmzkqwu" * (MAXIMUM // 8)],
)  # fmt: skip
def test_long_or_odd_passwords_are_taken(password: str) -> None:
    assert weakness(password, EMAIL) is None


def test_password_is_checked_as_it_was_typed() -> None:
    """Neither cut off nor changed in case or blanks."""
    long = "vpmzkqwu" * 30
    hashed = hash_password(f" {long}X ", 1000)
    assert verify_password(f" {long}X ", hashed)
    for other in (f"{long}X", f" {long}x ", f" {long} ", f" {long}X"):
        assert not verify_password(other, hashed)
