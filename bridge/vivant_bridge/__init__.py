"""Devices around Vivant: a voice comes in, its picture goes to a camera, and the voice goes out with it at the same instant.

    source ──► [jitter buffer] ──► timeline ──┬──► [runtime] ──► [compositor] ──► [pacer] ──► camera
    (microphone, file, pipe)                  │    session here    size, fill     own thread
                                              │    or a server
                                              └──► [playback] ──► output (a virtual cable)

Everything is placed on one audio timeline by one clock: a position on it is a time, and both the picture and the sound of that
time are due one `AdaptiveDelay` later. Imports `vivant`'s public API and `vivant.client`; `vivant` imports nothing of this.
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
