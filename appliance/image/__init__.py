"""The disk image: built by mkosi from `image/`, out of a tree that `appliance install` was run on."""
