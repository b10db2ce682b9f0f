"""Define every error that this program raises on purpose, and its meaning outside.

 ReflectorError                 one sentence, and a hint what to do if that helps
 ├── InvalidInput               400: a request or file that cannot be used
 │   └── Unstorable             422: a value that the database cannot store
 ├── Unauthenticated            401: missing or invalid credentials
 ├── Forbidden                  403: the caller has no right to this
 │   └── PasswordChangeNeeded   the account still has the password that an administrator gave out
 ├── NotFound                   404: no such transcript, topic or audio
 ├── Paused                     408: no data arrived for too long
 ├── Conflict                   409: the change was based on an outdated state
 ├── TooLarge                   413: more bytes than the limits allow
 ├── Busy                       429: more at once than the limits allow; retry later
 ├── Unavailable                503: a server behind this one does not answer; retry later
 ├── OutOfSpace                 507: the disk is full; retry once there is room
 ├── ConfigurationError         settings that the program refuses to start with
 ├── EngineError                a speech engine could not do its work
 │   ├── ModelUnavailable       503: a model is missing or is not a model
 │   │   └── ModelRefused       the hub denied access to the model
 │   └── UnknownLanguage        400: a language that the model does not support
 └── LanguageError              502: the language model gave no usable answer

`http_status` is the status of the API's response, `code` its name there, `exit_code` that of a
command.
"""

from __future__ import annotations

import errno
import re
from typing import Any, ClassVar


def N_(sentence: str) -> str:
    """Mark a text for the catalogues of the pages (`tools/messages.py`), where it is not shown at once."""
    return sentence


FIRST_PASSWORD = N_(
    "This is a first password. Log in on the pages of this server, and choose your own."
)
Part = tuple[str, dict[str, Any]]
"""A text with `{name}` in place of values, and the values: so that it can be translated."""


class ReflectorError(Exception):
    """An error with a sentence. `values` take the place of `{name}` in the message and the hint."""

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str | None = None, **values: Any) -> None:
        self.parts: list[Part] = [(text, values) for text in (message, hint) if text]
        self.message = filled(message, values)
        self.hint = filled(hint, values) if hint else None
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The name of the error's kind: `not_found`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


def filled(text: str, values: dict[str, Any]) -> str:
    """Return `text` with its values. Without any, braces in it are braces."""
    return text.format(**values) if values else text


def sentence(parts: list[Part] | None) -> str | None:
    """Return the `parts` of an error, as they are stored, in English."""
    return " ".join(filled(text, values) for text, values in parts) if parts else None


class InvalidInput(ReflectorError):
    http_status = 400
    exit_code = 2


class Unstorable(InvalidInput):
    http_status = 422


class Unauthenticated(ReflectorError):
    http_status = 401


class Forbidden(ReflectorError):
    http_status = 403


class PasswordChangeNeeded(Forbidden):
    def __init__(self) -> None:
        super().__init__(FIRST_PASSWORD)


class NotFound(ReflectorError):
    http_status = 404


class Conflict(ReflectorError):
    http_status = 409


class Paused(ReflectorError):
    http_status = 408


class TooLarge(ReflectorError):
    http_status = 413


class Busy(ReflectorError):
    """Too many requests at once. `retry_seconds` says when to retry, if that is known."""

    http_status = 429

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        retry_seconds: int | None = None,
        **values: Any,
    ) -> None:
        super().__init__(message, hint, **values)
        self.retry_seconds = retry_seconds


class Unavailable(ReflectorError):
    http_status = 503


class OutOfSpace(ReflectorError):
    http_status = 507
    exit_code = 5


class ConfigurationError(ReflectorError):
    exit_code = 3


class EngineError(ReflectorError):
    exit_code = 4


class ModelUnavailable(EngineError):
    http_status = 503


class ModelRefused(ModelUnavailable):
    """The hub denied access to the model. A retry gives the same answer."""


class UnknownLanguage(EngineError):
    http_status = 400


class LanguageError(ReflectorError):
    http_status = 502


NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


def is_final(status: int) -> bool:
    """Return whether an HTTP status refuses something for good, however often it is sent.

    401 is a session that can be renewed, 408 and 429 pass.
    """
    return 400 <= status < 500 and status not in {401, 408, 429}


def is_out_of_space(error: BaseException | None) -> bool:
    """Return whether a full disk caused `error`.

    An OSError is recognised by its number, errors of libraries by their text.
    """
    while error is not None:
        if isinstance(error, OutOfSpace):
            return True
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            return True
        text = str(error).lower()
        if "no space left on device" in text or "database or disk is full" in text:
            return True
        error = error.__cause__ or error.__context__
    return False
