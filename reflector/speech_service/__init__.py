"""Run the speech service, the process that owns the device.

The API, workers and other programs use it. It serves the routes of the reference's model service
and those of OpenAI's audio API.
"""
