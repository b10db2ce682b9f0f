"""The speech service: one process that owns the device, for the API, for workers and other programs.

It answers the requests of the reference's model service and those of OpenAI's audio API.
"""
