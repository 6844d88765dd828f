"""Recording: what a page's face shows and says becomes a film, labelled, marked and signed as `vivant render`'s are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from vivant import Face, InputError
from vivant.media import open_video
from vivant.media.video import VideoSink
from vivant.pixels import decoded, over
from vivant.provenance.consent import Consent
from vivant.provenance.production import Production, begin
from vivant.types import AudioChunk, PixelFormat, UInt8Array, VideoFrame
from vivant.voices import VoiceCard
from vivant.web.frames import PICTURE, SOUND
from vivant_bridge.studio.show import Piece, Show

log = logging.getLogger(__name__)
LONGEST_S = 600
"""Of a film; chosen."""
WAITING = 300
"""Pieces that may wait for the encoder, some six seconds of them; then pictures are left out."""
GROUND = 32
"""Grey behind a person who is cut out: a film has no alpha."""


def picture_of(piece: Piece) -> UInt8Array:
    """(s, s, 3) of a picture's message."""
    pixels = decoded(VideoFrame(0, piece.pts_us, np.frombuffer(piece.colours, np.uint8), PixelFormat.JPEG))[..., :3]
    if not len(piece.alpha):
        return np.ascontiguousarray(pixels)
    alpha = decoded(VideoFrame(0, piece.pts_us, np.frombuffer(piece.alpha, np.uint8), PixelFormat.JPEG))[..., :1]
    return over(np.dstack([pixels, alpha]), np.full_like(pixels, GROUND))


def require_filmable(show: Show) -> None:
    """Raises InputError for a page of which no film can be made."""
    if not show.size_px:
        raise InputError('this page asked for no pictures, so there is nothing to film; ask for pictures "jpeg"')
    if show.size_px % 2:
        raise InputError(f"a film needs pictures of an even size, and this page asked for {show.size_px} px")


class Recording:
    """One film while it is made. Fed on the event loop by its show; encoded on a thread of its own."""

    def __init__(self, show: Show, out: Path, production: Production, voices: Mapping[str, VoiceCard]) -> None:
        """``voices`` are the synthetic ones by the utterances that they speak; the film names the last that is heard in it.

        The film is as large as the page's pictures. Raises InputError where that cannot be.
        """
        require_filmable(show)
        self.out = out
        self.seconds = 0.0
        self._show, self._production, self._voices = show, production, voices
        self._voice: VoiceCard | None = None
        self._queue: SimpleQueue[Piece | None] = SimpleQueue()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="vivant-film", daemon=True)
        show.watchers.add(self._take)
        show.on_end.add(self._end)
        self._thread.start()

    def finish(self) -> None:
        """Until the film is there; blocks. Raises what went wrong."""
        self._end()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _take(self, piece: Piece, _: bytes) -> None:
        if piece.kind in (PICTURE, SOUND) and self.seconds < LONGEST_S:
            if piece.kind == SOUND:
                self._voice = self._voices.get(self._show.utterance, self._voice)
            if self._queue.qsize() < WAITING:
                self._queue.put(piece)
            else:
                log.info("a film's encoder is behind; a picture is left out")

    def _end(self) -> None:
        if self._take in self._show.watchers:
            self._show.watchers.discard(self._take)
            self._show.on_end.discard(self._end)
            self._queue.put(None)

    def _run(self) -> None:
        try:
            self._encode()
        except Exception as error:  # raised where the film is asked for
            self._failure = error

    def _encode(self) -> None:
        show = self._show
        with open_video(
            self.out,
            width=show.size_px,
            height=show.size_px,
            fps=show.fps,
            sample_rate_hz=show.sample_rate_hz,
            alpha=False,
            complete=self._complete,
        ) as video:
            film = Film(video, show.fps, show.sample_rate_hz, show.size_px)
            while (piece := self._queue.get()) is not None:
                film.add(piece)
                self.seconds = film.seconds

    def _complete(self, written: Path, final: Path) -> None:
        """Signs it, at its end: only then is known who speaks."""
        claim = replace(self._production.claim, voice=self._voice)
        sign = replace(self._production, claim=claim).complete(self.out)
        assert sign is not None, "an mp4 carries credentials"
        sign(written, final)


class Film:
    """Places pieces in a video whose time begins with its first picture."""

    def __init__(self, video: VideoSink, fps: Fraction, sample_rate_hz: int, side_px: int) -> None:
        self.seconds = 0.0
        self._video, self._fps, self._rate_hz, self._side_px = video, fps, sample_rate_hz, side_px
        self._start_us: int | None = None
        self._index, self._heard = -1, 0

    def add(self, piece: Piece) -> None:
        if self._start_us is None and piece.kind != PICTURE:
            return
        self._start_us = piece.pts_us if self._start_us is None else self._start_us
        since_us = piece.pts_us - self._start_us
        if piece.kind == PICTURE:
            self._show(piece, since_us)
        else:
            self._sound(piece, since_us)

    def _show(self, piece: Piece, since_us: int) -> None:
        index = round(since_us * self._fps / 1_000_000)
        if index > self._index:
            self._video.write(VideoFrame(index, since_us, _whole(picture_of(piece), self._side_px), PixelFormat.RGB))
            self._index, self.seconds = index, since_us / 1e6

    def _sound(self, piece: Piece, since_us: int) -> None:
        """What lies before the film, or was heard already before an interruption, is left out."""
        first = round(since_us * self._rate_hz / 1_000_000)
        samples = piece.samples[max(0, self._heard - first) :]
        if len(samples):
            first = max(first, self._heard)
            self._video.write_audio(AudioChunk((samples / np.float32(32768)).astype(np.float32), self._rate_hz, first))
            self._heard = first + len(samples)


def _whole(pixels: UInt8Array, side_px: int) -> UInt8Array:
    """A picture of a low level of detail, as large as the others."""
    times = side_px // len(pixels)
    return pixels if times == 1 else np.ascontiguousarray(pixels.repeat(times, 0).repeat(times, 1))


def production_of(face: Face, portrait: Path, consent: Consent | None, show: Show) -> Production:
    """What signs the film of a show: its credentials name the session that the invisible mark does. Raises InputError."""
    made = begin(face, portrait, None, 0, consent)
    return replace(made, claim=replace(made.claim, session_id=show.session_id))
