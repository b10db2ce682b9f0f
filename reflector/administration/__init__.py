"""Look after accounts and work: who may, and what they see and do."""
