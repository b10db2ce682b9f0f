"""Search in titles, summaries and words: PostgreSQL's text search, or FTS5 on SQLite.

    languages   which rules a text's words are cut down by      query   what was typed, taken apart
    index       a transcript's document, kept up to date        find    the documents that match
    snippets    where in the text

Both databases give the same answers: words are split here, both use the Snowball stemmers, and
neither leaves out "stop words", which are also names (Will, May) and parts of phrases.
"""
