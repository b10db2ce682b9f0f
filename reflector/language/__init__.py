"""What a meeting was about: topics, title, summaries, action items, by an LLM or by extraction."""
