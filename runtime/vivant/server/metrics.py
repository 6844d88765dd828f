"""Figures for Prometheus. No label names a client, a portrait or an utterance."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """One server's own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Gauge("vivant_sessions", "Calls that run now", registry=self.registry)
        self.busy = Gauge("vivant_busy_share", "Share of the drawing threads' time in use", registry=self.registry)
        self.frames = Counter("vivant_frames_sent", "Frames sent", registry=self.registry)
        self.dropped = Counter(
            "vivant_frames_dropped", "Frames late, dropped by slow readers or thinned out", registry=self.registry
        )
        self.labels_off = Counter("vivant_labels_off", "Calls whose visible label was left away", registry=self.registry)
        self.refused = Counter("vivant_calls_refused", "Calls that ended with an error", ["code"], registry=self.registry)
        self.first_frame = Histogram(
            "vivant_first_frame_seconds",
            "From the first audio of an utterance to its first frame",
            buckets=(0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0),
            registry=self.registry,
        )
        self.lag = Histogram(
            "vivant_frame_lag_seconds",
            "How late a paced frame is sent",
            buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.5),
            registry=self.registry,
        )
