"""Process recordings: steps with leases, in the database. Messages only speed them up."""
