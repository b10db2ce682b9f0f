"""Record on another machine and send it to a server: the client of `reflector record`."""
