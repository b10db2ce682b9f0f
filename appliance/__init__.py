"""Build images and installations, and configure the machine."""
