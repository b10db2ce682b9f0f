"""What routes ask for: the services of this process, a transcript, the right to use it."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from reflector.db.models import Transcript
from reflector.pipeline.runner import Runner
from reflector.services import Services


def services_of(connection: HTTPConnection) -> Services:
    return cast(Services, connection.app.state.services)


def _services(request: Request) -> Services:
    return services_of(request)


def _runner(request: Request) -> Runner:
    return cast(Runner, request.app.state.runner)


ServicesDep = Annotated[Services, Depends(_services)]
RunnerDep = Annotated[Runner, Depends(_runner)]


def find(session: Session, transcript_id: str) -> Transcript:
    """The transcript, 404 if there is none. The one place where reading will be authorised."""
    transcript = session.get(Transcript, transcript_id)
    if transcript is None:
        raise HTTPException(404, "Transcript not found")
    return transcript
