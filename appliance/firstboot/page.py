"""Serve the setup page to whoever enters the console's code."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, Field

from appliance.config.model import EMAIL, ApplianceConfig
from appliance.configure.environment import address, public_url
from appliance.configure.setup_answers import Choices, Place, chosen, has_usable_card
from appliance.errors import ApplianceError, ConfigError
from appliance.firstboot.certificate import Certificate
from appliance.firstboot.code import Code
from appliance.machine.facts.model import Facts
from reflector.accounts.strength import MINIMUM, weakness

TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Filled:
    """What somebody sent with the right code."""

    config: ApplianceConfig
    password: str = field(repr=False)


class Sent(BaseModel):
    """The fields as they were sent."""

    code: str = ""
    admin: str = ""
    password: str = Field(default="", repr=False)
    again: str = Field(default="", repr=False)
    speech: str = "cpu"
    place: Place = Place.NONE
    llm_model: str = ""
    url: str = ""
    domain: str = ""


def app(
    facts: Facts,
    config: ApplianceConfig,
    code: Code,
    done: Callable[[Filled], None],
    problem: str | None = None,
) -> FastAPI:
    """Build the setup page's application.

    `done` is called once. Afterwards only the page that says so is shown. `problem` is the reason
    why an earlier attempt failed.
    """
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    lock = threading.Lock()
    accepted: list[ApplianceConfig] = []

    def show(request: Request, status: int, **values: Any) -> HTMLResponse:
        common = {
            "usable": has_usable_card(facts),
            "cards": facts.cards,
            "config": config,
            "places": list(Place),
            "address": address(facts, config),
            "minimum": MINIMUM,
            "problem": problem,
            "sent": Sent(
                admin=config.access.admin, speech="gpu" if has_usable_card(facts) else "cpu",
                domain=config.proxy.domain or "",
            ),
        }  # fmt: skip
        return TEMPLATES.TemplateResponse(
            request, "setup.html", {**common, **values}, status_code=status, headers=HEADERS
        )

    def end(request: Request) -> HTMLResponse:
        url = public_url(facts, accepted[0])
        return TEMPLATES.TemplateResponse(request, "setup-done.html", {"url": url}, headers=HEADERS)

    @made.get("/")
    def form(request: Request) -> Response:
        return end(request) if accepted else show(request, 200)

    @made.post("/")
    def send(request: Request, sent: Annotated[Sent, Form()]) -> Response:
        if accepted:
            return end(request)
        address = request.client.host if request.client else ""
        if seconds := code.wait_seconds(address):
            return show(
                request, 429, sent=sent,
                problem=f"Too many wrong codes. Try again in {seconds} seconds.",
            )  # fmt: skip
        if not code.is_right(sent.code, address):
            return show(
                request, 403, sent=sent, problem="This is not the code that the console shows."
            )
        try:
            filled = _filled(facts, config, sent)
        except ApplianceError as error:
            return show(request, 400, sent=sent, problem=str(error))
        with lock:  # of two who send at once, one is accepted
            if not accepted:
                accepted.append(filled.config)
                done(filled)
        return end(request)

    @made.get("/{rest:path}")
    def elsewhere() -> Response:
        return RedirectResponse("/", headers=HEADERS)

    return made


def _filled(facts: Facts, config: ApplianceConfig, sent: Sent) -> Filled:
    if sent.password != sent.again:
        raise ConfigError("The two passwords are not the same.", "Type both again.")
    if problem := weakness(sent.password, sent.admin):
        raise ConfigError(problem, "Choose another one.")
    if not EMAIL.fullmatch(sent.admin.strip()):
        raise ConfigError(
            "The administrator's address is not an e-mail address.",
            "Write it like you@example.org.",
        )
    if sent.speech not in {"cpu", "gpu"}:
        raise ConfigError("Speech runs on cpu or gpu.", "Choose one of them.")
    choices = Choices(
        sent.speech,
        sent.place,
        sent.llm_model.strip() or None,
        sent.url.strip() or None,
        sent.domain.strip(),
    )
    found = chosen(facts, config, choices)
    access = found.access.model_copy(update={"admin": sent.admin.strip()})
    return Filled(found.model_copy(update={"access": access}), sent.password)


class Server:
    """The page on a port, in a thread of its own."""

    def __init__(self, made: FastAPI, certificate: Certificate, host: str, port: int) -> None:
        config = uvicorn.Config(
            made, host=host, port=port, ssl_certfile=str(certificate.file), ssl_keyfile=str(certificate.key),
            log_level="error", server_header=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def port(self) -> int | None:
        """Return the port once the page answers; None before."""
        if not self._server.started or not self._server.servers:
            return None
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Stop the server after the responses that are under way."""
        self._server.should_exit = True
        self._thread.join(10)
