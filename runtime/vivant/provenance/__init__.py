"""Provenance: what makes a synthetic face recognisable as one. Watermark, visible label, signatures, consent, verification."""
