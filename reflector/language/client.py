"""Ask a language model for an answer that follows a schema, and retry until it is usable."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import ValidationError

from reflector.errors import LanguageError, ReflectorError, Unavailable
from reflector.language.asking import AskingWay
from reflector.language.meeting import Answer
from reflector.language.reply import json_part, reply_text
from reflector.runtime.settings import Settings

log = logging.getLogger(__name__)

A = TypeVar("A", bound=Answer)
SHOWN_WRONG_ANSWER = 2000
NETWORK_RETRIES = 2
# Transient statuses: timeout, conflict, too early, too many requests
PASSING = {408, 409, 425, 429}
Message = dict[str, str]


class LanguageModel:
    """A client for any OpenAI-compatible server, and for Ollama through its native API.

    Ollama's OpenAI-compatible API cannot set the context length. It silently cuts the beginning of
    a prompt that is longer than the length it was started with. Its native API takes `num_ctx` with
    each request, so that is used if the server says that it is Ollama.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.LLM_URL is not None
        self.url = settings.LLM_URL.rstrip("/")
        self.model = settings.LLM_MODEL
        self.window = settings.LLM_CONTEXT_WINDOW
        # A small model may repeat itself until its context is full, which wastes minutes. The limit
        # includes its thoughts
        self._longest = self.window // 2
        self.concurrency = settings.LLM_CONCURRENCY
        self._retries = settings.LLM_PARSE_MAX_RETRIES
        self._timeout = settings.LLM_REQUEST_TIMEOUT
        self._deadline = settings.LLM_STRUCTURED_RESPONSE_TIMEOUT
        key = settings.LLM_API_KEY.get_secret_value() if settings.LLM_API_KEY else "none"
        self._client = openai.OpenAI(
            base_url=self.url, api_key=key, timeout=self._timeout, max_retries=NETWORK_RETRIES
        )
        self._turns = threading.BoundedSemaphore(self.concurrency)
        self._ollama: bool | None = None
        self._way = AskingWay()

    def identity(self, prompts: Iterable[str]) -> str:
        """Return what an answer to `prompts` depends on: server, model, window and prompts."""
        asked = sha256("".join(prompts).encode()).hexdigest()[:12]
        return f"llm {self.url} {self.model} {self.window} {asked}"

    def ask(self, instructions: str, text: str, answer: type[A], temperature: float) -> A:
        """Return the model's answer to `text`.

        A malformed answer is sent back with a description of the problem, up to
        LLM_PARSE_MAX_RETRIES times. Raises LanguageError if no answer is usable, and Unavailable
        while the server is away or busy.
        """
        messages: list[Message] = [
            {"role": "system", "content": instructions},
            {"role": "user", "content": text},
        ]
        until = time.monotonic() + self._deadline
        problem = ""
        for _ in range(self._retries + 1):
            left = until - time.monotonic()
            if left <= 0:
                break
            reply = self._complete(messages, answer, temperature, min(left, self._timeout))
            try:
                return answer.model_validate_json(json_part(reply))
            except ValidationError as error:
                problem = _describe(error)
                log.info("answer of %s not usable (%s), asking again", self.model, problem)
                correction = (
                    f"That answer cannot be used: {problem}. "
                    "Answer again, with JSON of the schema alone."
                )
                messages = [
                    *messages[:2],
                    {"role": "assistant", "content": reply[:SHOWN_WRONG_ANSWER]},
                    {"role": "user", "content": correction},
                ]
        if not problem:
            raise Unavailable(
                f"The language model {self.model} did not answer within {self._deadline} s.",
                "It is asked again. Raise LLM_STRUCTURED_RESPONSE_TIMEOUT, or choose a smaller model.",
            )
        raise LanguageError(
            f"The language model {self.model} gave no usable answer: {problem}.",
            "Try again, or choose a larger model with LLM_MODEL.",
        )

    def _complete(
        self, messages: list[Message], answer: type[Answer], temperature: float, timeout: float
    ) -> str:
        with self._turns:
            try:
                if self._is_ollama():
                    return self._complete_ollama(messages, answer, temperature, timeout)
                return self._complete_openai(messages, answer, temperature, timeout)
            except (openai.APITimeoutError, httpx2.TimeoutException) as error:
                raise Unavailable(
                    f"The language model at {self._host} did not answer within {timeout:.0f} s.",
                    "It is asked again. Raise LLM_REQUEST_TIMEOUT, or choose a smaller model.",
                ) from error
            except (openai.APIConnectionError, httpx2.TransportError) as error:
                raise Unavailable(
                    f"The language model at {self._host} cannot be reached.",
                    "It is asked again. Check LLM_URL, and that the server runs.",
                ) from error
            except openai.APIStatusError as error:
                raise self._refused(error.status_code, error.message) from error
            except httpx2.HTTPStatusError as error:
                raise self._refused(error.response.status_code, error.response.text) from error
            except (openai.OpenAIError, KeyError, IndexError, TypeError, ValueError) as error:
                raise LanguageError(
                    f"The server at {self._host} does not answer like a language model: {error}",
                    "Check that LLM_URL ends with the path of its API, usually /v1.",
                ) from error

    def _refused(self, status: int, text: str) -> ReflectorError:
        """Return Unavailable if the same request may work later, LanguageError otherwise."""
        if status >= 500 or status in PASSING:
            return Unavailable(
                f"The language model at {self._host} cannot answer now ({status}): {text[:200]}",
                "It is asked again.",
            )
        remedies = {
            401: "Check LLM_API_KEY.",
            403: "Check LLM_API_KEY.",
            404: "Check LLM_MODEL and LLM_URL.",
        }
        return LanguageError(
            f"The language model at {self._host} refused the request ({status}): {text[:200]}",
            remedies.get(status),
        )

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc

    def _complete_openai(
        self, messages: list[Message], answer: type[Answer], temperature: float, timeout: float
    ) -> str:
        """Return the text of the server's answer.

        If the server refuses a part of the request, retry without it, and remember that once a
        request has succeeded.
        """
        client, way = self._client.with_options(timeout=timeout), self._way
        while True:
            request: Any = way.request(self.model, messages, answer, temperature, self._longest)
            try:
                response = client.chat.completions.create(**request)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                fewer = way.without_what_was_refused(error.message)
                if fewer is None:
                    raise
                log.info("%s refuses %s; asking as %s", self._host, error.message[:200], fewer)
                way = fewer
                continue
            self._way = way
            return reply_text(response.choices[0].message.model_dump())

    def _complete_ollama(
        self, messages: list[Message], answer: type[Answer], temperature: float, timeout: float
    ) -> str:
        body = {
            "model": self.model,
            "messages": messages,
            "stream": False,
            # Thoughts take minutes on a small machine, and these tasks need none
            "think": False,
            "format": answer.model_json_schema(),
            "options": {
                "num_ctx": self.window,
                "temperature": temperature,
                "num_predict": self._longest,
            },
        }
        address = f"{self._ollama_url}/api/chat"
        response = httpx2.post(address, json=body, timeout=timeout)
        if response.status_code == 400 and "think" in response.text:
            response = httpx2.post(address, json=body | {"think": None}, timeout=timeout)
        response.raise_for_status()
        return reply_text(response.json()["message"])

    @property
    def _ollama_url(self) -> str:
        return self.url.removesuffix("/v1")

    def _is_ollama(self) -> bool:
        if self._ollama is None:
            try:
                answer = httpx2.get(f"{self._ollama_url}/", timeout=5)
                self._ollama = answer.status_code == 200 and "Ollama is running" in answer.text
            except httpx2.TimeoutException:
                return False  # unknown for now: the next question checks again
        return self._ollama


def _describe(error: ValidationError) -> str:
    first: Any = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return json.dumps(f"{where}: {first['msg']}" if where else first["msg"], ensure_ascii=False)
