"""The way of a recording: steps with leases, in the database; messages only hurry them along."""
