"""Count live recordings, and how far their text is behind."""

from __future__ import annotations

from prometheus_client import Gauge

sessions = Gauge("rtc_sessions", "Connections that record", multiprocess_mode="livesum")
lag = Gauge(
    "live_lag_seconds",
    "How far the live text is behind the sound, at most",
    multiprocess_mode="livemax",
)
