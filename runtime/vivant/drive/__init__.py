"""Drivers: where a face's motion comes from beside the voice: recordings, cameras and trackers of other programs."""
