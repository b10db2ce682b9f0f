"""Define statements of migrations for PostgreSQL 15 or newer."""

_CHANGE_TRIGGER = """
CREATE FUNCTION set_transcript_change_seq() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.change_seq := nextval('transcript_change_seq');
    NEW.change_xid := pg_current_xact_id();
    RETURN NEW;
END $$
"""

# Stems without stop words (`reflector/search/`), because "will" and "may" can be names
_CONFIGURATIONS = """
DO $$
DECLARE lang text;
BEGIN
    FOR lang IN
        SELECT cfgname FROM pg_catalog.pg_ts_config
        WHERE cfgnamespace = 'pg_catalog'::regnamespace AND cfgname <> 'simple'
    LOOP
        EXECUTE format('CREATE TEXT SEARCH DICTIONARY reflector_%1$s '
                       '(TEMPLATE = pg_catalog.snowball, Language = %1$s)', lang);
        EXECUTE format('CREATE TEXT SEARCH CONFIGURATION reflector_%1$s '
                       '(COPY = pg_catalog.%1$I)', lang);
    END LOOP;
    FOR lang IN
        SELECT cfgname FROM pg_catalog.pg_ts_config
        WHERE cfgnamespace = 'pg_catalog'::regnamespace AND cfgname <> 'simple'
    LOOP
        EXECUTE format('ALTER TEXT SEARCH CONFIGURATION reflector_%1$s ALTER MAPPING REPLACE '
                       'pg_catalog.%1$s_stem WITH reflector_%1$s', lang);
        IF lang <> 'english' THEN
            EXECUTE format('ALTER TEXT SEARCH CONFIGURATION reflector_%1$s ALTER MAPPING REPLACE '
                           'pg_catalog.english_stem WITH reflector_english', lang);
        END IF;
    END LOOP;
END $$
"""

SECOND = [
    "ALTER TABLE event ALTER COLUMN id TYPE bigint",
    "ALTER SEQUENCE event_id_seq AS bigint",
    "ALTER TABLE step ALTER COLUMN id TYPE bigint",
    "ALTER SEQUENCE step_id_seq AS bigint",
    "ALTER TABLE transcript ADD COLUMN change_xid xid8",
    "CREATE SEQUENCE transcript_change_seq",
    "SELECT setval('transcript_change_seq', value + 1, false) FROM change_sequence",
    "DROP TABLE change_sequence",
    _CHANGE_TRIGGER,
    "CREATE TRIGGER trigger_transcript_change_seq BEFORE INSERT OR UPDATE ON transcript "
    "FOR EACH ROW EXECUTE FUNCTION set_transcript_change_seq()",
    _CONFIGURATIONS,
    "ALTER TABLE search_document ADD COLUMN config regconfig, ADD COLUMN vector tsvector",
    # Search reads the whole text of each hit to cut snippets from it: decompressing would cost more
    # than the disk space
    "ALTER TABLE search_document ALTER COLUMN body SET STORAGE EXTERNAL",
    "CREATE INDEX idx_search_document_vector ON search_document USING gin (vector)",
    "CREATE INDEX idx_search_document_language ON search_document (language)",
]
