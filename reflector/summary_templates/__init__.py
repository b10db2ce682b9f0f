"""Let people say what summaries should contain."""
