"""Let people keep notes of their own at moments of a recording."""
