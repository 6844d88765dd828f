"""Vivant: a portrait that speaks, live."""
