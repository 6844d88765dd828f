"""Trackers: live drivers, by the protocols that phones and avatar tools send, and by a camera of this machine."""
