"""Analyse meetings: topics, title, summaries and action items, by an LLM or by extraction."""
