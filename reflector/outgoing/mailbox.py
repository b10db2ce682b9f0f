"""Check addresses of e-mail that is sent."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address

from reflector.outgoing.addresses import in_ascii

# RFC 5321, section 4.5.3.1
LONGEST = 320


def mailbox(text: str) -> str:
    """Return the address as mail servers take it. Raises ValueError if it is none.

    The part before the `@` has to be ASCII: few servers take others.
    """
    local, at, domain = text.strip().rpartition("@")
    plain = f"{local}{at}{in_ascii(domain)}" if domain else ""
    try:
        is_good = len(plain) <= LONGEST and Address(addr_spec=plain).addr_spec == plain
    except (MessageError, ValueError, IndexError):
        is_good = False
    if not is_good or not local or not plain.isascii() or any(c.isspace() for c in plain):
        raise ValueError(f"“{text.strip()}” is not an e-mail address")
    return plain
