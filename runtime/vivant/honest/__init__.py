"""What makes a synthetic face recognisable as one: the mark in its frames, the label, signatures, consent, verification."""
