"""Version of the plugin, which is released together with Vivant."""

__version__ = "0.1.0"
