"""One schema-constrained question to a language model, asked until the answer is usable."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import ValidationError

from reflector.errors import LanguageError
from reflector.language.meeting import Answer
from reflector.settings import Settings

log = logging.getLogger(__name__)

A = TypeVar("A", bound=Answer)
SHOWN_WRONG_ANSWER = 2000
NETWORK_RETRIES = 2
Message = dict[str, str]


class LanguageModel:
    """Any OpenAI-compatible server; Ollama through its own interface.

    Ollama's OpenAI interface cannot set the context length, and a prompt longer than the length it
    was started with loses its beginning without a word. Its own interface takes `num_ctx` with
    each request, so that is used where the server says that it is Ollama.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.LLM_URL is not None
        self.url = settings.LLM_URL.rstrip("/")
        self.model = settings.LLM_MODEL
        self.window = settings.LLM_CONTEXT_WINDOW
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

    def ask(self, instructions: str, text: str, answer: type[A], temperature: float) -> A:
        """The model's answer to `text`; LanguageError when none is usable in time.

        A malformed answer is sent back with what is wrong with it, LLM_PARSE_MAX_RETRIES times.
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
                return answer.model_validate_json(_json_part(reply))
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
        reason = problem or f"no answer within {self._deadline} s"
        raise LanguageError(
            f"The language model {self.model} gave no usable answer: {reason}.",
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
                raise LanguageError(
                    f"The language model at {self._host} did not answer within {timeout:.0f} s.",
                    "Raise LLM_REQUEST_TIMEOUT, or choose a smaller model.",
                ) from error
            except (openai.APIConnectionError, httpx2.TransportError) as error:
                raise LanguageError(
                    f"The language model at {self._host} cannot be reached.",
                    "Check LLM_URL, and that the server runs.",
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

    def _refused(self, status: int, text: str) -> LanguageError:
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
        schema = {"name": answer.__name__, "schema": answer.model_json_schema(), "strict": False}
        request: Any = {
            "model": self.model,
            "messages": messages,
            "temperature": temperature,
            "response_format": {"type": "json_schema", "json_schema": schema},
        }
        response = self._client.with_options(timeout=timeout).chat.completions.create(**request)
        return str(response.choices[0].message.content or "")

    def _complete_ollama(
        self, messages: list[Message], answer: type[Answer], temperature: float, timeout: float
    ) -> str:
        body = {
            "model": self.model,
            "messages": messages,
            "stream": False,
            "format": answer.model_json_schema(),
            "options": {"num_ctx": self.window, "temperature": temperature},
        }
        response = httpx2.post(f"{self._ollama_url}/api/chat", json=body, timeout=timeout)
        response.raise_for_status()
        return str(response.json()["message"]["content"])

    @property
    def _ollama_url(self) -> str:
        return self.url.removesuffix("/v1")

    def _is_ollama(self) -> bool:
        if self._ollama is None:
            try:
                answer = httpx2.get(f"{self._ollama_url}/", timeout=5)
                self._ollama = answer.status_code == 200 and "Ollama is running" in answer.text
            except httpx2.TimeoutException:
                return False  # not known yet: asked again at the next question
        return self._ollama


def _json_part(reply: str) -> str:
    """The JSON object in a reply that may have thoughts or a code fence around it."""
    _, _, after_thoughts = reply.rpartition("</think>")
    start, end = after_thoughts.find("{"), after_thoughts.rfind("}")
    return after_thoughts[start : end + 1] if 0 <= start < end else after_thoughts


def _describe(error: ValidationError) -> str:
    first: Any = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return json.dumps(f"{where}: {first['msg']}" if where else first["msg"], ensure_ascii=False)
