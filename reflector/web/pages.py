"""Two pages and their files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from reflector import __version__
from reflector.api.deps import ServicesDep, find
from reflector.language.meeting import Method
from reflector.web.headers import PageHeaders

FOLDER = Path(__file__).parent
templates = Jinja2Templates(FOLDER / "templates")
router = APIRouter(include_in_schema=False)


def _page(request: Request, name: str, services: ServicesDep, **values: object) -> HTMLResponse:
    common = {
        "version": __version__,
        "notices": services.speech.notices,
        "has_llm": services.analyst.method is Method.LLM,
    }
    return templates.TemplateResponse(request, name, {**common, **values})


@router.get("/")
def index(request: Request, services: ServicesDep) -> HTMLResponse:
    return _page(request, "index.html", services)


@router.get("/transcripts/{transcript_id}")
def transcript(request: Request, services: ServicesDep, transcript_id: str) -> HTMLResponse:
    with services.db.read() as session:
        row = find(session, transcript_id)
        title = row.title or row.name or "Recording"
    return _page(request, "transcript.html", services, transcript_id=transcript_id, title=title)


def install(app: FastAPI) -> None:
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_middleware(PageHeaders)
