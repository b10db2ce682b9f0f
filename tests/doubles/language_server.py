"""A stand-in for a language model's server, which can answer badly, slowly, or not at all.

Speaks OpenAI's `/v1/chat/completions` and, when `ollama` is set, Ollama's `/api/chat`. Answers are
made from the schema that it is sent; every request is kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD: dict[str, Any] = {
    "TopicAnswer": {"title": "the budget question", "summary": "They talk about the budget."},
    "TitleAnswer": {"title": '"quarterly planning of the team"'},
    "SummaryAnswer": {
        "recap": "The team planned the quarter.",
        "subjects": [{"name": "Budget", "paragraph": "It was approved."}],
    },
    "CondensedAnswer": {"text": "Condensed part."},
    "ActionItems": {
        "decisions": [{"decision": "Approve the budget", "decided_by": "Peter"}],
        "next_steps": [{"task": "Write the report", "assigned_to": "Maria", "deadline": "Tuesday"}],
    },
}
Answerer = Callable[[str, dict[str, Any]], Any]
"""Called with the schema's name and the request; a str is sent as it is, an int is a status, with a
sentence where a tuple has one."""


class LanguageServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Answerer = lambda name, request: GOOD[name]
        self.ollama = False
        # Fields of the message, in place of a content that is made
        self.message: dict[str, str] | None = None
        # Without any, every key and every model is good
        self.key: str | None = None
        self.model: str | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.busy = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def names(self) -> list[str]:
        return [schema_name(request) for request in self.requests]

    def prompts(self) -> list[str]:
        return ["\n".join(m["content"] for m in request["messages"]) for request in self.requests]


def schema_name(request: dict[str, Any]) -> str:
    """Empty where no form of the answer is asked for."""
    if "format" in request:
        return str(request["format"]["title"])
    if "json_schema" not in request.get("response_format", {}):
        return ""
    return str(request["response_format"]["json_schema"]["name"])


class _Handler(BaseHTTPRequestHandler):
    server: LanguageServer

    def log_message(self, format: str, *arguments: Any) -> None:
        return

    def do_GET(self) -> None:
        self._send(
            200 if self.server.ollama else 404, "Ollama is running" if self.server.ollama else "no"
        )

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server = self.server
        if server.key and self.headers["authorization"] != f"Bearer {server.key}":
            self._send(401, json.dumps({"error": {"message": "Incorrect API key provided"}}))
            return
        if server.model and request["model"] != server.model:
            self._send(
                404, json.dumps({"error": {"message": f"model {request['model']} not found"}})
            )
            return
        with self.server.lock:
            self.server.requests.append(request)
            self.server.paths.append(self.path)
            self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
            self.server.busy += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.busy)
        try:
            self.server.hold.wait(60)
            answer = self.server.answer(schema_name(request), request)
        finally:
            with self.server.lock:
                self.server.busy -= 1
        if isinstance(answer, int):
            self._send(answer, json.dumps({"error": {"message": "refused by the test"}}))
            return
        if isinstance(answer, tuple):
            self._send(answer[0], json.dumps({"error": {"message": answer[1]}}))
            return
        content = answer if isinstance(answer, str) else json.dumps(answer)
        message = {"role": "assistant", **(self.server.message or {"content": content})}
        if self.path == "/api/chat":
            body: dict[str, Any] = {
                "message": message,
                "done": True,
            }
        else:
            choice = {
                "index": 0,
                "finish_reason": "stop",
                "message": message,
            }
            body = {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [choice],
            }
        self._send(200, json.dumps(body))

    def _send(self, status: int, text: str) -> None:
        content = text.encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            return  # the client has given up, as some tests want


@contextmanager
def language_server() -> Iterator[LanguageServer]:
    server = LanguageServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
