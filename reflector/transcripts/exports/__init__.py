"""Export a finished transcript: subtitles, Markdown, Word, JSON, or everything in a zip."""
