"""The two versions that a machine made from an image can start: which one runs, whether it has shown that it
works, what became of the other."""
