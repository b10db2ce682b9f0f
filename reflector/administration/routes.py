"""Serve administration as JSON, for administrators only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from reflector.accounts.access import Caller
from reflector.administration import machine, people, work
from reflector.administration.access import admit, admit_to_people
from reflector.administration.schemas import (
    CreatedPerson,
    Model,
    ModelCheck,
    NewPerson,
    Person,
    PersonChange,
    StorageShare,
    Versions,
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


@router.get("/work/{transcript_id}")
def recording_work(
    services: ServicesDep, caller: Administrator, transcript_id: str
) -> list[WorkStep]:
    """List all steps of one recording, the newest run first: what took how long, and what failed."""
    with services.db.read() as session:
        return work.of_recording(session, caller, transcript_id)


@router.get("/storage")
def list_storage(services: ServicesDep, _: Administrator) -> list[StorageShare]:
    return machine.storage(services)


@router.get("/models")
def list_models(services: ServicesDep, _: Administrator) -> list[Model]:
    return machine.models(services.settings)


@router.post("/models/verify")
def verify_model(services: ServicesDep, _: Administrator, name: str) -> ModelCheck:
    """Compare a model with its recorded checksums. It reads all its files."""
    return ModelCheck(problems=machine.verify(services.settings, name))


@router.get("/versions")
def list_versions(services: ServicesDep, _: Administrator) -> Versions:
    with services.db.read() as session:
        return machine.versions(session, services.settings)


@router.post("/work/{transcript_id}/cancel")
def cancel_work(services: ServicesDep, _: Administrator, transcript_id: str) -> StatusAnswer:
    work.cancel(services, transcript_id)
    return StatusAnswer()
