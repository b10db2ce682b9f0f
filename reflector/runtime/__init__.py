"""Settings, logging, health, and what the process tells the system."""
