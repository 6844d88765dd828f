"""VMC protocol: motion as OSC packets, and back. Needs the extra ``vtubing``."""
