"""What happens to a transcript, told to whoever watches it."""

from reflector.events.bus import Bus, Message, Subscription, transcript_channel, user_channel

__all__ = ["Bus", "Message", "Subscription", "transcript_channel", "user_channel"]
