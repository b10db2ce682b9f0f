"""Read summary templates: one's own, and those for everybody."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller
from reflector.db.models import SummaryTemplate
from reflector.errors import NotFound

MISSING = "There is no such summary template. It may have been removed meanwhile."


def own(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for the caller's templates."""
    return SummaryTemplate.user_id == caller.user_id


def _usable(caller: Caller) -> ColumnElement[bool]:
    return or_(own(caller), SummaryTemplate.is_for_all)


def usable_by(session: Session, caller: Caller) -> list[SummaryTemplate]:
    """Return the templates that `caller` may use, by name."""
    query = select(SummaryTemplate).where(_usable(caller))
    return list(
        session.scalars(query.order_by(func.lower(SummaryTemplate.name), SummaryTemplate.id))
    )


def get(session: Session, caller: Caller, template_id: str) -> SummaryTemplate:
    """Return a template that `caller` may use. Raises NotFound for any other."""
    query = select(SummaryTemplate).where(SummaryTemplate.id == template_id, _usable(caller))
    template = session.scalars(query).first()
    if template is None:
        raise NotFound(MISSING)
    return template


def check(session: Session, caller: Caller, template_id: str | None) -> None:
    """Raise NotFound if `template_id` is given, and is no template that `caller` may use."""
    if template_id is not None:
        get(session, caller, template_id)
