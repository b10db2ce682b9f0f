"""Write summary templates. All routes are extra: the reference has none."""

from __future__ import annotations

from fastapi import APIRouter

from reflector.accounts.access import Caller
from reflector.administration.access import NOT_ALLOWED, is_administrator
from reflector.db import models
from reflector.db.counts import count
from reflector.errors import Forbidden, InvalidInput
from reflector.http.deps import PublicCaller, ServicesDep, UserCaller
from reflector.http.schemas import StatusAnswer
from reflector.services import Services
from reflector.summary_templates import queries, schemas

router = APIRouter(tags=["summary templates"])

MOST_TEMPLATES = 100


def _view(template: models.SummaryTemplate, caller: Caller, rules: bool) -> schemas.SummaryTemplate:
    return schemas.SummaryTemplate(
        id=template.id,
        name=template.name,
        instructions=template.instructions,
        is_for_all=template.is_for_all,
        is_mine=_may_change(template, caller, rules),
    )


def _may_change(template: models.SummaryTemplate, caller: Caller, rules: bool) -> bool:
    """Return whether `caller` may change it; `rules` says that they are an administrator."""
    return rules if template.is_for_all else template.user_id == caller.user_id


def _refuse_others(services: Services, caller: Caller, template: models.SummaryTemplate) -> None:
    if not _may_change(template, caller, is_administrator(services, caller)):
        raise Forbidden(NOT_ALLOWED)


@router.get("/summary-templates")
def summary_templates_list(
    services: ServicesDep, caller: PublicCaller
) -> list[schemas.SummaryTemplate]:
    """Extra: list your summary templates, and those for everybody, by name."""
    if caller.is_anonymous and services.identity.policy.has_accounts:
        return []
    rules = is_administrator(services, caller)
    with services.db.read() as session:
        return [_view(each, caller, rules) for each in queries.usable_by(session, caller)]


@router.post("/summary-templates")
def summary_templates_create(
    services: ServicesDep, caller: UserCaller, info: schemas.CreateSummaryTemplate
) -> schemas.SummaryTemplate:
    """Extra: write a summary template. Only administrators write them for everybody."""
    rules = is_administrator(services, caller)
    if info.is_for_all and not rules:
        raise Forbidden(NOT_ALLOWED)
    with services.db.write() as session:
        if count(session, queries.own(caller)) >= MOST_TEMPLATES:
            raise InvalidInput(
                "There are {most} templates already. Remove one first.", most=MOST_TEMPLATES
            )
        template = models.SummaryTemplate(user_id=caller.user_id, **info.model_dump())
        session.add(template)
        session.flush()
        return _view(template, caller, rules)


@router.patch("/summary-templates/{template_id}")
def summary_templates_update(
    services: ServicesDep,
    caller: UserCaller,
    template_id: str,
    info: schemas.UpdateSummaryTemplate,
) -> StatusAnswer:
    """Extra: change a summary template. Summaries that were made with it stay."""
    with services.db.write() as session:
        template = queries.get(session, caller, template_id)
        _refuse_others(services, caller, template)
        if info.is_for_all and not is_administrator(services, caller):
            raise Forbidden(NOT_ALLOWED)
        for name, value in info.model_dump(exclude_none=True).items():
            setattr(template, name, value)
        if not template.is_for_all and template.user_id is None:
            template.user_id = caller.user_id
    return StatusAnswer()


@router.delete("/summary-templates/{template_id}")
def summary_templates_delete(
    services: ServicesDep, caller: UserCaller, template_id: str
) -> StatusAnswer:
    """Extra: remove a summary template. Recordings and tags do without it from then on."""
    with services.db.write() as session:
        template = queries.get(session, caller, template_id)
        _refuse_others(services, caller, template)
        session.delete(template)
    return StatusAnswer()
