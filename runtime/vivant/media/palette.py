"""RGB to the 255 colours and one transparent that a GIF has, small because what hardly moves stays exactly as it is."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from vivant.media.formats import VideoLayout
from vivant.types import UInt8Array

_SAMPLE = "128:128"
"""A frame of this size yields a palette as good as the full one, in a quarter of the time."""
_MOST_FIRST, _MOST_FIRST_BYTES = 64, 64_000_000
"""Of the frames that choose the palette and wait for it."""
_STEADY = 6
"""Pixels that differ by no more from what is shown are not drawn again: the encoder writes nothing for them, which makes the
file three times smaller."""


class Palette:
    """One palette for the whole file, chosen by its first frames. A new one for each frame would redraw all of every frame."""

    def __init__(self, layout: VideoLayout) -> None:
        self._layout = layout
        self._format = "rgba" if layout.alpha else "rgb24"
        self._shown: UInt8Array | None = None
        self._first: list[VideoFrame] = []
        self._n_first = max(1, min(_MOST_FIRST, _MOST_FIRST_BYTES // (layout.width * layout.height * 4)))
        self._drawing: tuple[FilterContext, FilterContext] | None = None

    def push(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Take the next frame; give those that have their colours."""
        steady = self._steady(frame)
        if self._drawing is not None:
            yield from self._draw(steady)
            return
        self._first.append(steady)
        if len(self._first) == self._n_first:
            yield from self._begin()

    def flush(self) -> Iterator[VideoFrame]:
        """The rest."""
        if self._drawing is None and self._first:
            yield from self._begin()
        if self._drawing is not None:
            yield from self._draw(None)

    def _steady(self, frame: VideoFrame) -> VideoFrame:
        pixels = np.asarray(frame.to_ndarray(), np.uint8)
        if self._shown is not None:
            near = np.abs(pixels.astype(np.int16) - self._shown).max(axis=-1, keepdims=True) <= _STEADY
            pixels = np.where(near, self._shown, pixels)
        self._shown = pixels
        steady = VideoFrame.from_ndarray(pixels, format=self._format)
        steady.pts, steady.time_base = frame.pts, frame.time_base
        return steady

    def _begin(self) -> Iterator[VideoFrame]:
        palette = self._choose()
        graph = Graph()
        source = self._source(graph)
        colours = graph.add_buffer(
            width=palette.width, height=palette.height, format=palette.format, time_base=1 / self._layout.fps
        )
        # An ordered pattern, as it stays in place from frame to frame where error diffusion would crawl.
        apply = graph.add("paletteuse", "dither=bayer:bayer_scale=4:alpha_threshold=128")
        sink = graph.add("buffersink")
        source.link_to(apply, 0, 0)
        colours.link_to(apply, 0, 1)
        apply.link_to(sink)
        graph.configure()
        self._graph, self._drawing = graph, (source, sink)
        colours.push(palette)
        colours.push(None)
        for frame in self._first:
            yield from self._draw(frame)
        self._first.clear()

    def _choose(self) -> VideoFrame:
        graph = Graph()
        source = self._source(graph)
        shrink = graph.add("scale", _SAMPLE)
        choose = graph.add("palettegen", "stats_mode=full:reserve_transparent=1")
        sink = graph.add("buffersink")
        source.link_to(shrink)
        shrink.link_to(choose)
        choose.link_to(sink)
        graph.configure()
        for frame in self._first:
            source.push(frame)
        source.push(None)
        palette = sink.pull()
        assert isinstance(palette, VideoFrame)
        return palette

    def _source(self, graph: Graph) -> FilterContext:
        layout = self._layout
        return graph.add_buffer(
            width=layout.width, height=layout.height, format=av.VideoFormat(self._format), time_base=1 / layout.fps
        )

    def _draw(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        assert self._drawing is not None
        source, sink = self._drawing
        source.push(frame)
        while True:
            try:
                drawn = sink.pull()
            except (BlockingIOError, EOFError):  # PyAV's words for "not yet" and "no more"
                return
            assert isinstance(drawn, VideoFrame)
            yield drawn
