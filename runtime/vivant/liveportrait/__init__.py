"""LivePortrait as a `Face`: hosts the published graphs that a user brings; nothing of it comes with Vivant."""
