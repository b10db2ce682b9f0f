"""Translate with a speech service, ours or the reference's."""

from __future__ import annotations

import httpx2

from reflector.errors import EngineError, Unavailable
from reflector.runtime.settings import Settings

# The reference's service reads the text from the URL, which servers limit to 8 KiB; a character can
# take nine bytes there
PART_CHARACTERS = 800
# Status of a service without this path, such as the reference's
NOT_KNOWN = {404, 405}


class RemoteTranslator:
    """Implement `Translator` with a speech service."""

    def __init__(self, settings: Settings) -> None:
        self._url = (settings.TRANSLATE_URL or "").rstrip("/")
        self._key = settings.TRANSLATE_MODAL_API_KEY
        self._seconds = float(settings.TRANSLATE_TIMEOUT)

    @property
    def name(self) -> str:
        return f"service {self._url}"

    def identity(self, source: str, target: str) -> str:
        """Return the identity that the service reports, or its address if it does not."""
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
            return self.name  # the request for the translation will report the error

    def translate(self, text: str, source: str, target: str) -> str:
        """Translate `text`.

        Raises EngineError if the service refuses, and Unavailable if it does not answer.
        """
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
        """Return the translation of one part.

        Languages go in the query and in the body, because the reference's service reads the body.
        """
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
    """Return the line's sentences, as many together as fit into one request.

    An empty line has none.
    """
    from reflector.translation.sentences import fitting, sentences

    parts: list[str] = []
    for sentence in sentences(line):
        for part in fitting(sentence, PART_CHARACTERS, len):
            if parts and len(parts[-1]) + len(part) < PART_CHARACTERS:
                parts[-1] += f" {part}"
            else:
                parts.append(part)
    return parts
