"""Search titles, summaries and words: PostgreSQL's text search, or FTS5 on SQLite.

 languages   split text into words and stems                 query   parse the search text
 index       keep a transcript's document up to date         find    find matching documents
 snippets    cut excerpts around the matches

Both databases give the same answers. Words are split here, both use the Snowball stemmers, and
neither drops "stop words", which are also names (Will, May) and parts of phrases.
"""
