"""Build JSON requests for OpenAI-compatible servers, which differ in what they accept."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from reflector.language.meeting import Answer

# Newer OpenAI models refuse the first; most other servers know only the first
LIMITS = ("max_tokens", "max_completion_tokens")
SCHEMA_PROMPT = "Answer with one JSON object of this schema and nothing else:\n"


class JsonFormat(StrEnum):
    """How the answer's format is enforced, from the strictest to not at all."""

    SCHEMA = "json_schema"
    OBJECT = "json_object"
    PLAIN = "plain"

    @property
    def weaker(self) -> JsonFormat | None:
        order = list(JsonFormat)
        rest = order[order.index(self) + 1 :]
        return rest[0] if rest else None


@dataclass(frozen=True)
class AskingWay:
    """Which optional request fields a server accepts.

    `has_temperature` is False for models that allow only their default. `limit` is the server's
    name for the maximum answer length, None if it accepts none.
    """

    format: JsonFormat = JsonFormat.SCHEMA
    has_temperature: bool = True
    limit: str | None = LIMITS[0]

    def request(
        self,
        model: str,
        messages: list[dict[str, str]],
        answer: type[Answer],
        temperature: float,
        longest: int,
    ) -> dict[str, Any]:
        """Return the body of a chat completion; `longest` limits the answer, in tokens.

        If the server does not enforce the schema, it is added to the instructions, the first of
        `messages`.
        """
        schema = answer.model_json_schema()
        request: dict[str, Any] = {"model": model, "messages": messages}
        if self.has_temperature:
            request["temperature"] = temperature
        if self.limit is not None:
            request[self.limit] = longest
        if self.format is JsonFormat.SCHEMA:
            named = {"name": answer.__name__, "schema": schema, "strict": False}
            request["response_format"] = {"type": self.format.value, "json_schema": named}
            return request
        if self.format is JsonFormat.OBJECT:
            request["response_format"] = {"type": self.format.value}
        first = f"{messages[0]['content']}\n\n{SCHEMA_PROMPT}{json.dumps(schema)}"
        request["messages"] = [{**messages[0], "content": first}, *messages[1:]]
        return request

    def without_what_was_refused(self, problem: str) -> AskingWay | None:
        """Return a variant without the refused field; None if nothing is left to drop."""
        if self.has_temperature and "temperature" in problem.lower():
            return replace(self, has_temperature=False)
        if self.limit is not None and self.limit in problem:
            return replace(self, limit=LIMITS[1] if self.limit == LIMITS[0] else None)
        if (weaker := self.format.weaker) is not None:
            return replace(self, format=weaker)
        if self.has_temperature:
            return replace(self, has_temperature=False)
        return replace(self, limit=None) if self.limit is not None else None
