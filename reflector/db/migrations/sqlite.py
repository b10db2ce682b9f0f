"""Define statements of migrations for SQLite."""

_NEXT = """
    UPDATE change_sequence SET value = value + 1;
    UPDATE transcript SET change_seq = (SELECT value FROM change_sequence) WHERE id = NEW.id;
"""

SECOND = [
    f"CREATE TRIGGER transcript_inserted AFTER INSERT ON transcript BEGIN {_NEXT} END",
    "CREATE TRIGGER transcript_updated AFTER UPDATE ON transcript "
    f"WHEN NEW.change_seq IS OLD.change_seq BEGIN {_NEXT} END",
    # The table holds stems (reflector/search/), so its tokenizer only has to split words
    "CREATE VIRTUAL TABLE search_index USING fts5(title, summary, body, "
    "tokenize = 'unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_document_deleted AFTER DELETE ON search_document "
    "BEGIN DELETE FROM search_index WHERE rowid = OLD.id; END",
]
