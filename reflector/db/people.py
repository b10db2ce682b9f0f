"""Define tables of accounts, their sessions and API keys, and login attempts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import Base, RowNumber, new_id, now


class User(Base):
    """An account.

    `authentik_uid` is the subject at the identity provider, or `local:EMAIL` for a password
    account. A login token carries `token_version` and becomes invalid when that changes.
    """

    __tablename__ = "user"

    id: Mapped[str] = mapped_column(String, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(doc="in lower case")
    authentik_uid: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    provisioned_hash: Mapped[str | None] = mapped_column(doc="the ADMIN_PASSWORD_HASH last taken")
    token_version: Mapped[int] = mapped_column(default=0)
    disabled_at: Mapped[datetime | None] = mapped_column(doc="cannot log in since; its keys rest")
    is_administrator: Mapped[bool] = mapped_column(default=False, server_default=false())
    must_change_password: Mapped[bool] = mapped_column(
        default=False, server_default=false(), doc="an administrator knows it"
    )
    language: Mapped[str | None] = mapped_column(doc="of the pages, where its owner chose one")
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    __table_args__ = (Index("idx_user_email", "email"),)


class UserApiKey(Base):
    """An API key. `key_hash` is the HMAC-SHA256 of the key under SECRET_KEY, in hex."""

    __tablename__ = "user_api_key"

    id: Mapped[str] = mapped_column(String, primary_key=True, default=new_id)
    user_id: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None] = mapped_column(doc="None: a key from before keys expired")
    last_used_at: Mapped[datetime | None]

    __table_args__ = (Index("idx_user_api_key_user_id", "user_id"),)


class LoginSession(Base):
    """A browser that is logged in.

    `token_hash` is its cookie, hashed like `UserApiKey.key_hash`.
    """

    __tablename__ = "login_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    agent: Mapped[str] = mapped_column(doc="the browser, as it names itself")
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (Index("idx_login_session_user_id", "user_id"),)


class LoginAttempt(Base):
    """A failed login, or one still being checked. `key` is a hash of what it counts for."""

    __tablename__ = "login_attempt"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (Index("idx_login_attempt_key", "key", "at"),)
