"""The commands of `appliance`, a module each."""
