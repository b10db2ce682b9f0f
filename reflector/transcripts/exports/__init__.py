"""A finished transcript as a file: subtitles, Markdown, Word, JSON, all of it in a zip."""
