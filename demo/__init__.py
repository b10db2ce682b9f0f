"""Send the sample meeting through a real server, as any client would: `make demo`."""
