"""Build the disk image with mkosi from `image/`, out of a tree with an installation."""
