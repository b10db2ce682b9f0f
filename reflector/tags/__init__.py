"""Let people mark recordings with tags of their own."""
