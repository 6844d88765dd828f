"""``vivant doctor``."""


def doctor() -> None:
    """Check drivers, permissions and libraries."""
