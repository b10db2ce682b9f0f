"""Process recordings in steps with leases.

The database holds the state; messages only save time.
"""
