"""Track the two versions that a machine made from an image can start.

This covers which version runs, whether it has shown that it works, and what became of the other.
"""
