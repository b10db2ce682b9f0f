"""Define the commands of `appliance`, one module each."""
