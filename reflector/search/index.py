"""Keep a transcript's search document, in the transaction that changes its text."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, select, text
from sqlalchemy.orm import Session

from reflector.db.engine import Database
from reflector.db.models import SearchDocument, Transcript
from reflector.db.words import load_segments
from reflector.search.languages import (
    NO_STEMS,
    STEMMED_HERE,
    configuration,
    for_index,
    normalised,
    plain,
    stems,
)

_VECTOR = text("""
UPDATE search_document SET config = CAST(:config AS regconfig), vector =
    setweight(to_tsvector(CAST(:config AS regconfig), :title), 'A')
    || setweight(to_tsvector(CAST(:config AS regconfig), :summary), 'B')
    || setweight(to_tsvector(CAST(:config AS regconfig), :body), 'C')
WHERE id = :id
""")
_DELETE_STEMS = text("DELETE FROM search_index WHERE rowid = :id")
_STEMS = text(
    "INSERT INTO search_index (rowid, title, summary, body) VALUES (:id, :title, :summary, :body)"
).bindparams(bindparam("title"), bindparam("summary"), bindparam("body"))
# PostgreSQL's tsvector is limited to 1 MiB; 50 hours of speech stay below
MAX_BODY = 4_000_000
BATCH = 5  # the transaction of a batch blocks other writers on SQLite


def postgresql_configuration(language: str) -> str:
    return NO_STEMS if language in {NO_STEMS, *STEMMED_HERE} else f"reflector_{language}"


def for_postgresql(words: str, language: str) -> str:
    """Return plain words in the form that PostgreSQL's text search takes for that language."""
    return for_index(stems(words, language) if language in STEMMED_HERE else words)


def update(session: Session, transcript: Transcript, language: str | None = None) -> None:
    """Index title, file name, summary and the words on show.

    Give `language` if the words are new; it is theirs.
    """
    session.flush()
    document = session.scalars(
        select(SearchDocument).where(SearchDocument.transcript_id == transcript.id)
    ).first()
    if document is None:
        document = SearchDocument(transcript_id=transcript.id, language=NO_STEMS)
        session.add(document)
    chosen = language or _declared(transcript)
    if language or document.language == NO_STEMS:
        document.language = configuration(chosen)
    names = dict.fromkeys(filter(None, [transcript.title, transcript.name]))
    document.title = _clean("\n".join(names))
    document.summary = _clean(transcript.long_summary or "")
    document.body = _clean(_body(session, transcript))[:MAX_BODY]
    session.flush()
    _write_terms(session, document)


def backfill(db: Database) -> int:
    """Index the transcripts that have no document yet; return how many."""
    count = 0
    while True:
        with db.write() as session:
            rows = session.scalars(
                select(Transcript)
                .where(~exists().where(SearchDocument.transcript_id == Transcript.id))
                .order_by(Transcript.created_at.desc())
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for transcript in rows:
                update(session, transcript)
        count += len(rows)
        if len(rows) < BATCH:
            return count


def _declared(transcript: Transcript) -> str | None:
    return None if transcript.source_language == "auto" else transcript.source_language


def _body(session: Session, transcript: Transcript) -> str:
    if transcript.shown_run is None:
        return ""
    return "\n".join(s.text for s in load_segments(session, transcript.id, transcript.shown_run))


def _clean(value: str) -> str:
    return normalised(value.replace("\x00", ""))


def _write_terms(session: Session, document: SearchDocument) -> None:
    fields = {name: plain(getattr(document, name)) for name in ("title", "summary", "body")}
    if session.get_bind().dialect.name == "postgresql":
        config = postgresql_configuration(document.language)
        given = {name: for_postgresql(words, document.language) for name, words in fields.items()}
        session.execute(_VECTOR, {"id": document.id, "config": config, **given})
        return
    stemmed = {name: for_index(stems(v, document.language)) for name, v in fields.items()}
    session.execute(_DELETE_STEMS, {"id": document.id})
    session.execute(_STEMS, {"id": document.id, **stemmed})
