"""`make demo`: the sample meeting through a real server, as any client would send it."""
