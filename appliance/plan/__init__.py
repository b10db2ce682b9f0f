"""What has to change on the machine, as data: made from facts, settings and the machine's state."""
