"""Serve administration as JSON, for administrators only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from reflector.accounts.access import Caller
from reflector.administration import people, work
from reflector.administration.access import admit, admit_to_people
from reflector.administration.schemas import (
    CreatedPerson,
    NewPerson,
    Person,
    PersonChange,
    WorkStep,
)
from reflector.http.deps import AnyCaller, ServicesDep
from reflector.http.schemas import StatusAnswer

router = APIRouter(prefix="/administration", tags=["administration"])


def _administrator(services: ServicesDep, caller: AnyCaller) -> Caller:
    admit(services, caller)
    return caller


def _administrator_of_people(services: ServicesDep, caller: AnyCaller) -> Caller:
    admit_to_people(services, caller)
    return caller


Administrator = Annotated[Caller, Depends(_administrator)]
PeopleAdministrator = Annotated[Caller, Depends(_administrator_of_people)]


@router.get("/people")
def list_people(services: ServicesDep, _: PeopleAdministrator) -> list[Person]:
    with services.db.read() as session:
        return people.listed(session)


@router.post("/people")
def create_person(services: ServicesDep, _: PeopleAdministrator, info: NewPerson) -> CreatedPerson:
    """Create an account. The answer holds its first password, which cannot be shown again."""
    user_id, password = people.create(services, info.email)
    return CreatedPerson(id=user_id, password=password)


@router.patch("/people/{user_id}")
def change_person(
    services: ServicesDep, _: PeopleAdministrator, user_id: str, info: PersonChange
) -> StatusAnswer:
    people.change(services, user_id, disabled=info.disabled, administrator=info.administrator)
    return StatusAnswer()


@router.post("/people/{user_id}/sign-out")
def sign_out_person(services: ServicesDep, _: PeopleAdministrator, user_id: str) -> StatusAnswer:
    people.sign_out(services, user_id)
    return StatusAnswer()


@router.delete("/people/{user_id}")
def remove_person(
    services: ServicesDep, _: PeopleAdministrator, user_id: str, give_to: str | None = None
) -> StatusAnswer:
    people.remove(services, user_id, give_to)
    return StatusAnswer()


@router.get("/work")
def list_work(services: ServicesDep, caller: Administrator) -> list[WorkStep]:
    with services.db.read() as session:
        return work.listed(session, caller)


@router.post("/work/{transcript_id}/cancel")
def cancel_work(services: ServicesDep, _: Administrator, transcript_id: str) -> StatusAnswer:
    work.cancel(services, transcript_id)
    return StatusAnswer()
