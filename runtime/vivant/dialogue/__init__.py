"""Dialogue in tables: many lines, each made once, on as many cores as there are."""
