"""Keep secrets, and read those that a run is given."""
