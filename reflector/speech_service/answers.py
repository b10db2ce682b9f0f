"""Format transcriptions as the two systems do (OpenAI's API reference, "Audio")."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fastapi.responses import JSONResponse, PlainTextResponse, Response

from reflector.speech.engines import Diarization, Phrase, Transcription
from reflector.speech_service.forms import ResponseFormat, TranscriptionForm
from reflector.speech_service.work import report_of
from reflector.transcript.assembly import Turn, assign_speakers, numbered_by_appearance
from reflector.transcript.formats import clock
from reflector.transcript.words import Word, plain_text, segments

REPORT_HEADER = "X-Reflector-Report"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def reference(result: Transcription, offset: float = 0.0) -> dict[str, Any]:
    """The reference's answer; times rounded to 2 decimals, no word longer than to the next."""
    return {
        "text": plain_text(result.words),
        "words": [
            {"word": w.text, "start": round(w.start + offset, 2), "end": round(w.end + offset, 2)}
            for w in _without_overlaps(result.words)
        ],
        "language": result.language,
        "report": report_of(result),
    }


def transcription(result: Transcription) -> dict[str, Any]:
    """All that was found, for our own workers; words as `[text, start, end, speaker]`."""
    return {
        "words": [word.row() for word in result.words],
        "language": result.language,
        "speech_seconds": result.speech_seconds,
        "warnings": result.warnings,
        "report": report_of(result),
    }


def diarization(
    found: Diarization, offset: float = 0.0, *, voices: bool = False, overlap: bool = False
) -> dict[str, Any]:
    """The reference's answer, and what did the work; `voices` on request. With `overlap` the turns
    of all who speak at a time, else of one."""
    report = report_of(found)
    turns = found.overlapping if overlap else found.turns
    body: dict[str, Any] = {"diarization": _turns(turns, offset), "report": report}
    if voices:
        body["voices"] = [
            {"speaker": speaker, "model": report["model"], "embedding": embedding}
            for speaker, embedding in found.voices.items()
        ]
    return body


def diarization_job(found: Diarization) -> dict[str, Any]:
    """All that was found."""
    return {**diarization(found, voices=True), "overlapping": _turns(found.overlapping)}


def _turns(turns: Sequence[Turn], offset: float = 0.0) -> list[dict[str, float]]:
    return [
        {
            "start": round(turn.start + offset, 3),
            "end": round(turn.end + offset, 3),
            "speaker": turn.speaker,
        }
        for turn in turns
    ]


def _without_overlaps(words: Sequence[Word]) -> list[Word]:
    clamped = [word._replace(end=min(word.end, after.start)) for word, after in pairwise(words)]
    return [*clamped, *words[-1:]]


def openai(form: TranscriptionForm, result: Transcription, found: Diarization | None) -> Response:
    """In the format that the form asks for."""
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
    """What OpenAI bills by, which here costs nothing."""
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
    """A, B, … Z, AA, …"""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(LETTERS))
        name = LETTERS[letter] + name
    return name
