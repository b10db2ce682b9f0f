"""Build the web application: API and pages, and in embedded mode the worker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from reflector import __version__, web
from reflector.accounts import routes as accounts
from reflector.administration import routes as administration
from reflector.calendars import routes as calendars
from reflector.errors import ConfigurationError
from reflector.events import routes as events
from reflector.http import config, errors, service
from reflector.http.limits import Admission, request_limit
from reflector.http.origin import SameOrigin
from reflector.http.request_sizes import RequestSizes
from reflector.http.response_cache import ResponseCache
from reflector.live.recordings import LiveRecordings
from reflector.live.routes import stream as live_stream
from reflector.live.routes import webrtc as live
from reflector.mail import routes as mail
from reflector.notes import routes as notes
from reflector.pipeline.queue.broker import CeleryDispatcher, make_celery
from reflector.pipeline.step import Queue
from reflector.rooms import routes as rooms
from reflector.runtime.health import Health
from reflector.runtime.malloc import share_heaps_between_threads
from reflector.runtime.settings import Settings
from reflector.search import routes as search
from reflector.services import Services
from reflector.sharing import routes as sharing
from reflector.summary_templates import routes as summary_templates
from reflector.tags import routes as tags
from reflector.transcripts.routes import (
    audio,
    downloads,
    history,
    listing,
    options,
    processing,
    speakers,
    topics,
    transcript,
    video,
    words,
)
from reflector.uploads import routes as uploads
from reflector.webhooks import routes as webhooks

REQUEST_THREADS = 16


def _operation_id(route: APIRoute) -> str:
    return f"v1_{route.name}" if route.path.startswith("/v1") else route.name


def create_app(services: Services) -> FastAPI:
    """Return the application for `services`, which the caller opens and closes."""
    settings = services.settings
    validate_backends(settings)
    dispatcher = CeleryDispatcher(make_celery(settings))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # More threads would only wait for each other, each holding a connection
        to_thread.current_default_thread_limiter().total_tokens = REQUEST_THREADS
        share_heaps_between_threads()
        if services.relay is not None:
            services.relay.listen()
        stop = _work_alone(services, dispatcher) if settings.has_own_worker else None
        recordings: LiveRecordings = app.state.live
        looking = asyncio.create_task(recordings.run())
        yield
        looking.cancel()
        await recordings.close()
        if stop is not None:
            stop()

    app = FastAPIOffline(
        title="Reflector",
        version=__version__,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        routes=_api(has_passwords=services.identity.backend == "password").routes,
    )
    app.state.services = services
    app.state.dispatcher = dispatcher
    app.state.health = Health(services, dispatcher)
    app.state.response_cache = ResponseCache(services.db)
    app.state.admission = Admission(settings)
    app.state.live = LiveRecordings(services, dispatcher)
    errors.install(app)
    app.add_middleware(RequestSizes, limit_of=partial(request_limit, settings))
    _add_cross_origin_rules(app, services)
    service.install(app)
    web.install(app, settings)
    return app


@cache
def _api(has_passwords: bool) -> APIRouter:
    """Return the routes of the API.

    FastAPI takes half a second to analyse their parameters. The result does not depend on an
    application, so all those of a process share it.
    """
    api = APIRouter(generate_unique_id_function=_operation_id)
    # `listing` and `search` come before `transcript`, which would take "search" for an id
    modules = (accounts, config, listing, search, transcript, topics, words, history, processing, options, speakers,
               uploads, live, live_stream, audio, video, downloads, tags, summary_templates, notes, sharing,
               rooms, calendars, mail, webhooks, events, administration)  # fmt: skip
    logins = [accounts.login_router] if has_passwords else []
    for router in logins + [module.router for module in modules]:
        api.include_router(router, prefix="/v1")
    return api


def _work_alone(services: Services, dispatcher: CeleryDispatcher) -> Callable[[], None]:
    """Run the worker in threads of this process. Return a function that stops it."""
    from reflector.worker import EMBEDDED_CONCURRENCY, Worker

    worker = Worker(services, dispatcher, list(Queue), EMBEDDED_CONCURRENCY, alone=True)
    worker.start()
    threading.Thread(target=services.speech.prepare, name="models", daemon=True).start()
    return worker.stop


def validate_backends(settings: Settings) -> None:
    """Raise ConfigurationError if a setting of the reference names a service that is not set up.

    Ignoring it would give the operator another server than they expect.
    """
    diarization = settings.DIARIZATION_BACKEND if settings.DIARIZATION_ENABLED else None
    services = [
        ("TRANSCRIPT_BACKEND", settings.TRANSCRIPT_BACKEND, "TRANSCRIPT_URL"),
        ("DIARIZATION_BACKEND", diarization, "DIARIZATION_URL"),
        ("TRANSLATION_BACKEND", settings.TRANSLATION_BACKEND, "TRANSLATE_URL"),
    ]
    for name, backend, address in services:
        if backend == "modal" and not getattr(settings, address):
            raise ConfigurationError(
                f"{name}=modal needs the address of a speech service",
                f"Set {address}, for example to http://127.0.0.1:8000.",
            )


def _add_cross_origin_rules(app: FastAPI, services: Services) -> None:
    """Let a browser use the API only from trusted pages.

    The reference's default is `CORS_ORIGIN=*`. On a server without login, that would let any page
    that the operator visits read the meetings. Without accounts, CORS_ORIGIN therefore counts only
    if it was set, and other requests must come from the server's own pages. With accounts, a page
    of another site has to bring its own token: the session cookie does not count for it.
    """
    settings = services.settings
    has_accounts = services.identity.policy.has_accounts
    chosen = "CORS_ORIGIN" in settings.model_fields_set
    allowed = settings.CORS_ORIGIN.split(",") if chosen or has_accounts else []
    app.add_middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_credentials=settings.CORS_ALLOW_CREDENTIALS,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    if not has_accounts:
        own = [settings.BASE_URL, settings.UI_BASE_URL]
        app.add_middleware(SameOrigin, allowed=allowed, own=own)
