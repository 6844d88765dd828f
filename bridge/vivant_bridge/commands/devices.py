"""``vivant devices``."""


def devices() -> None:
    """List cameras, microphones and outputs."""
