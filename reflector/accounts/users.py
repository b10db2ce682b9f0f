"""Find, create, change, disable and remove accounts."""

from __future__ import annotations

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reflector.accounts import keys, sessions
from reflector.accounts.passwords import hash_password, is_hash, normalised
from reflector.accounts.strength import weakness
from reflector.db.engine import Database
from reflector.db.models import Note, Room, SummaryTemplate, Tag, Transcript, User, Webhook, now
from reflector.errors import N_, ConfigurationError, InvalidInput, Part
from reflector.runtime.settings import Settings

# RFC 5321, section 4.5.3.1
MAX_EMAIL = 320
NEW_OWNER = N_("The room has another owner now, who decides whether this address is told.")


def same_email(email: str) -> str:
    """Return the form in which e-mail addresses are compared and stored."""
    return email.strip().lower()


def password_account(session: Session, email: str) -> User | None:
    return session.scalars(
        select(User)
        .where(User.email == same_email(email), User.password_hash.is_not(None))
        .order_by(User.created_at)
        .limit(1)
    ).first()


def create(session: Session, email: str, password_hash: str) -> User:
    """Create a password account. Raises InvalidInput if the address already has one."""
    if password_account(session, email):
        raise InvalidInput("There is an account {email} already.", email=same_email(email))
    return _add(session, email, password_hash)


def is_address(text: str) -> bool:
    """Return whether `text` may be an e-mail address."""
    spoiled = any(c.isspace() or not c.isprintable() for c in text)
    return "@" in text and not spoiled and len(text) <= MAX_EMAIL


def _add(session: Session, email: str, password_hash: str) -> User:
    """Add a password account.

    Raises InvalidInput if the address is not valid, and IntegrityError if it already has an
    account.
    """
    address = same_email(email)
    if not is_address(address):
        raise InvalidInput("“{email}” is not an e-mail address.", email=email)
    user = User(email=address, authentik_uid=f"local:{address}", password_hash=password_hash)
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, email: str, password_hash: str) -> User:
    """Change the password of an account; end its sessions and remove its API keys.

    Someone else may have them. Raises InvalidInput if there is no such account.
    """
    user = password_account(session, email)
    if user is None:
        raise InvalidInput(f"There is no account {same_email(email)}.")
    user.password_hash, user.must_change_password = password_hash, False
    sign_out(session, user)
    keys.remove(session, user.id)
    return user


def checked_hash(password: str, email: str = "") -> str:
    """Return the hash of `password`. Raises InvalidInput if the password is too weak."""
    if problem := weakness(password, email):
        raise InvalidInput(problem, "Choose another one.")
    return hash_password(password)


def sign_out(session: Session, user: User) -> int:
    """End the account's sessions and login tokens, but keep its API keys.

    Return how many sessions there were.
    """
    user.token_version += 1
    return sessions.end_all(session, user.id)


def named(session: Session, name: str) -> User:
    """Return the account with this e-mail address or id.

    Raises InvalidInput if there is none, or if several match.
    """
    found = session.scalars(
        select(User).where(or_(User.id == name, User.email == same_email(name)))
    ).all()
    if not found:
        raise InvalidInput(f"There is no account {name}.", "`reflector admin list` shows them.")
    if len(found) > 1:
        ids = ", ".join(user.id for user in found)
        raise InvalidInput(
            f"Several accounts have the address {name}.", f"Name one by its id: {ids}."
        )
    return found[0]


def disable(session: Session, user: User) -> None:
    """Disable the account: logins and API keys are refused, all its data stays."""
    user.disabled_at = user.disabled_at or now()
    sign_out(session, user)


def promote(user: User) -> None:
    """Make the account an administrator."""
    user.is_administrator = True


def demote(session: Session, user: User) -> None:
    """Make the account an ordinary one. Raises InvalidInput if it is the last administrator."""
    keep_an_administrator(session, user)
    user.is_administrator = False


def keep_an_administrator(session: Session, user: User) -> None:
    """Raise InvalidInput if no administrator who can log in is left without `user`.

    Locks the administrators' rows, so that two who demote each other wait for one another.
    """
    if not user.is_administrator or user.disabled_at is not None:
        return
    able = session.scalars(
        select(User.id)
        .where(User.is_administrator, User.disabled_at.is_(None))
        .order_by(User.id)
        .with_for_update()
    ).all()
    if not set(able) - {user.id}:
        raise InvalidInput(
            "{email} is the last administrator.",
            "Make somebody else one first.",
            email=user.email,
        )


def owns(session: Session, user: User) -> int:
    """Return how many recordings and rooms the account owns, including those in the trash."""
    recordings = select(Transcript.id).where(Transcript.user_id == user.id)
    rooms = select(Room.id).where(Room.user_id == user.id)
    return len(session.scalars(recordings).all()) + len(session.scalars(rooms).all())


def remove(session: Session, user: User, heir: User | None) -> None:
    """Remove the account with its sessions and API keys. What it owns goes to `heir`.

    Raises InvalidInput if it owns something and there is no `heir`, or if `heir` is the account
    itself.
    """
    if heir is not None:
        if heir.id == user.id:
            raise InvalidInput(
                "An account cannot be given its own recordings.", "Name another one."
            )
        # It may lead to a server of the person who goes
        told = update(Room).where(Room.user_id == user.id, Room.webhook_url.is_not(None))
        problem: list[Part] = [(NEW_OWNER, {})]
        session.execute(told.values(webhook_paused_at=now(), webhook_problem=problem))
        # So do these: mailboxes, and a calendar of that person
        own = update(Room).where(Room.user_id == user.id)
        session.execute(own.values(email_transcript_to=None, ics_url=None, ics_enabled=False))
        for owned in (Transcript, Room, Tag, SummaryTemplate):
            session.execute(update(owned).where(owned.user_id == user.id).values(user_id=heir.id))
    elif count := owns(session, user):
        raise InvalidInput(
            "{email} owns {count} recordings or rooms.",
            "Give them to somebody with --give-to EMAIL, or delete them first.",
            email=user.email,
            count=count,
        )
    sessions.end_all(session, user.id)
    keys.remove(session, user.id)
    # What it wrote for everybody stays
    for_all = update(SummaryTemplate).where(SummaryTemplate.is_for_all)
    session.execute(for_all.where(SummaryTemplate.user_id == user.id).values(user_id=None))
    for personal in (Tag, Note, SummaryTemplate, Webhook):
        session.execute(delete(personal).where(personal.user_id == user.id))
    session.execute(delete(User).where(User.id == user.id))


def from_provider(session: Session, subject: str, email: str) -> User:
    """Return the local account of a user of the identity provider.

    Create it if it is missing, and update its e-mail address.
    """
    user = session.scalars(select(User).where(User.authentik_uid == subject)).first()
    if user is None:
        user = User(email=same_email(email), authentik_uid=subject)
        session.add(user)
        session.flush()
    elif user.email != same_email(email):
        user.email = same_email(email)
    return user


def provision_admin(db: Database, settings: Settings) -> None:
    """Create or update the account of ADMIN_EMAIL, once for each value of ADMIN_PASSWORD_HASH.

    A password that was changed since is kept: a restart does not restore the old one. Raises
    ConfigurationError if the setting is not a password hash.
    """
    if not settings.ADMIN_EMAIL or settings.ADMIN_PASSWORD_HASH is None:
        return
    wanted = normalised(settings.ADMIN_PASSWORD_HASH.get_secret_value())
    if not is_hash(wanted):
        raise ConfigurationError(
            "ADMIN_PASSWORD_HASH is not a password hash",
            "Make one with `reflector admin hash`.",
        )
    try:
        _provision(db, settings.ADMIN_EMAIL, wanted)
    except IntegrityError:
        # Several processes start at once, and another one has just created the account
        _provision(db, settings.ADMIN_EMAIL, wanted)


def _provision(db: Database, email: str, wanted: str) -> None:
    with db.write() as session:
        user = password_account(session, email)
        if user is None:
            user = _add(session, email, wanted)
        elif user.provisioned_hash not in {wanted, None} and user.password_hash != wanted:
            set_password(session, email, wanted)
        user.provisioned_hash = wanted
        user.is_administrator = True
