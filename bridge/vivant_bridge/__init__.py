"""Devices around Vivant: a voice comes in, its picture goes to a camera, and the voice goes out with it at the same instant.

    source ──► [ear] ──► tape ──┬──► [runtime] ──► [canvas] ──► [pacer] ──► camera
    (microphone,                │    session here   size, fill   own thread
     file, pipe)                │    or a server
                                └──► [playback] ──► output (a virtual cable)

Everything is placed on one tape by one clock: a position on the tape is a time, and both the picture and the sound of that time
are due `Delay` later. Imports `vivant`'s public API and `vivant.client`; `vivant` imports nothing of this.
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
