"""What happens to a transcript, told to whoever watches it."""

from reflector.events.bus import Bus, Message, Subscription

__all__ = ["Bus", "Message", "Subscription"]
