"""What the commands do; `reflector.cli` only reads their arguments."""
