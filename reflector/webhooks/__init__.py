"""Tell other systems about recordings: outgoing webhooks of accounts and rooms."""
