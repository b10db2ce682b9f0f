"""Format transcriptions as OpenAI does (its API reference, "Audio")."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi.responses import JSONResponse, PlainTextResponse, Response

from reflector.speech.engines import Diarization, Phrase, Transcription
from reflector.speech_service.routes.forms import ResponseFormat, TranscriptionForm
from reflector.speech_service.work import report_of
from reflector.transcript.assembly import assign_speakers, numbered_by_appearance
from reflector.transcript.formats import clock
from reflector.transcript.words import plain_text, segments

REPORT_HEADER = "X-Reflector-Report"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def transcription(
    form: TranscriptionForm, result: Transcription, found: Diarization | None
) -> Response:
    """Return the response in the format that the form asks for."""
    headers = {REPORT_HEADER: json.dumps(report_of(result))}
    match form.format:
        case ResponseFormat.TEXT:
            return PlainTextResponse(plain_text(result.words) + "\n", headers=headers)
        case ResponseFormat.SRT:
            return PlainTextResponse(_srt(result.phrases), headers=headers)
        case ResponseFormat.VTT:
            return Response(_vtt(result.phrases), media_type="text/vtt", headers=headers)
        case ResponseFormat.VERBOSE_JSON:
            return JSONResponse(_verbose(form, result), headers=headers)
        case ResponseFormat.DIARIZED_JSON:
            return JSONResponse(_diarized(result, found), headers=headers)
    return JSONResponse(_plain(result), headers=headers)


def _plain(result: Transcription) -> dict[str, Any]:
    return {"text": plain_text(result.words), "usage": usage(result), "report": report_of(result)}


def usage(result: Transcription) -> dict[str, Any]:
    """Return the usage that OpenAI bills by; here it costs nothing."""
    return {"type": "duration", "seconds": round(result.report.audio_seconds)}


def _srt(phrases: Sequence[Phrase]) -> str:
    return "\n".join(
        f"{number}\n{clock(p.start, ',')} --> {clock(p.end, ',')}\n{p.text.strip()}\n"
        for number, p in enumerate(phrases, start=1)
    )


def _vtt(phrases: Sequence[Phrase]) -> str:
    cues = [f"{clock(p.start)} --> {clock(p.end)}\n{p.text.strip()}" for p in phrases]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _verbose(form: TranscriptionForm, result: Transcription) -> dict[str, Any]:
    body: dict[str, Any] = {
        "task": form.options.task.value,
        "language": result.language,
        "duration": result.report.audio_seconds,
        "text": plain_text(result.words),
        "segments": [
            {
                "id": number,
                "seek": int(phrase.start * 100),
                "start": phrase.start,
                "end": phrase.end,
                "text": phrase.text,
                "tokens": phrase.tokens,
                "temperature": phrase.temperature,
                "avg_logprob": phrase.avg_logprob,
                "compression_ratio": phrase.compression_ratio,
                "no_speech_prob": phrase.no_speech_prob,
            }
            for number, phrase in enumerate(result.phrases)
        ],
        "usage": usage(result),
        "report": report_of(result),
    }
    if form.words:
        body["words"] = [
            {"word": w.text.strip(), "start": w.start, "end": w.end} for w in result.words
        ]
    return body


def _diarized(result: Transcription, found: Diarization | None) -> dict[str, Any]:
    turns, overlapping = (found.turns, found.overlapping) if found else ([], [])
    words = numbered_by_appearance(assign_speakers(result.words, turns, overlapping))
    return {
        "task": "transcribe",
        "duration": result.report.audio_seconds,
        "text": plain_text(result.words),
        "segments": [
            {
                "type": "transcript.text.segment",
                "id": f"seg_{number:03d}",
                "start": segment.start,
                "end": segment.end,
                "text": segment.text,
                "speaker": _letters(segment.speaker),
            }
            for number, segment in enumerate(segments(words))
        ],
        "usage": usage(result),
        "report": report_of(result),
    }


def _letters(number: int) -> str:
    """Return A, B, … Z, AA, … for 0, 1, … 25, 26, …"""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(LETTERS))
        name = LETTERS[letter] + name
    return name
