"""Share transcripts with people who have an account, and by links."""
