"""Tell viewers what happens to a transcript."""

from reflector.events.bus import Bus, Message, Subscription, transcript_channel, user_channel

__all__ = ["Bus", "Message", "Subscription", "transcript_channel", "user_channel"]
