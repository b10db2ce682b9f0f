"""Translate with a speech service, ours or the reference's."""

from __future__ import annotations

import httpx2

from reflector.errors import EngineError, Unavailable
from reflector.runtime.settings import Settings

# The reference's service reads the text from the address, which servers cut off at 8 KiB; a
# character can take nine bytes there
PART_CHARACTERS = 800
# Of a service that has no such path: the reference's
NOT_KNOWN = {404, 405}


class RemoteTranslator:
    """Implements `Translator`."""

    def __init__(self, settings: Settings) -> None:
        self._url = (settings.TRANSLATE_URL or "").rstrip("/")
        self._key = settings.TRANSLATE_MODAL_API_KEY
        self._seconds = float(settings.TRANSLATE_TIMEOUT)

    @property
    def name(self) -> str:
        return f"service {self._url}"

    def identity(self, source: str, target: str) -> str:
        """Return what the service says that it translates with; its address where it does not say."""
        pair = {"source_language": source, "target_language": target}
        try:
            with self._client() as client:
                answer = client.get("/translate/identity", params=pair)
        except httpx2.TransportError as error:
            raise self._away(error) from error
        if answer.status_code in NOT_KNOWN:
            return self.name
        try:
            return str(answer.json()["identity"])
        except (ValueError, KeyError, TypeError):
            return self.name  # what is wrong is found by the request for the translation

    def translate(self, text: str, source: str, target: str) -> str:
        """Raise EngineError if the service refuses; Unavailable where it does not answer."""
        with self._client() as client:
            return "\n".join(
                " ".join(self._part(client, part, source, target) for part in _parts(line))
                for line in text.split("\n")
            )

    def _client(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        return httpx2.Client(base_url=self._url, headers=headers, timeout=self._seconds)

    def _away(self, error: Exception) -> Unavailable:
        return Unavailable(f"The translation service at {self._url} does not answer: {error}")

    def _part(self, client: httpx2.Client, text: str, source: str, target: str) -> str:
        """Return a part of the request: languages go in the query and in the body: the reference's service reads the body."""
        languages = {"source_language": source, "target_language": target}
        try:
            answer = client.post("/translate", params={"text": text, **languages}, json=languages)
        except httpx2.TransportError as error:
            raise self._away(error) from error
        try:
            body = answer.json()
            if answer.is_success:
                return str(body["text"][target])
            said = str(body.get("detail", answer.status_code))
        except (ValueError, KeyError, TypeError, AttributeError):
            said = f"it answered {answer.status_code} without a translation to {target}"
        raise EngineError(f"The translation service at {self._url} refused: {said}")


def _parts(line: str) -> list[str]:
    """Return the line's sentences, as many together as go into one request; none for an empty line."""
    from reflector.translation.sentences import fitting, sentences

    parts: list[str] = []
    for sentence in sentences(line):
        for part in fitting(sentence, PART_CHARACTERS, len):
            if parts and len(parts[-1]) + len(part) < PART_CHARACTERS:
                parts[-1] += f" {part}"
            else:
                parts.append(part)
    return parts
