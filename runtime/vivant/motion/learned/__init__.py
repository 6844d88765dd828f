"""Learned motion: one network gives head, brows, mood, gaze and lids together; lips are the rules'."""
