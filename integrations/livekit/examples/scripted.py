"""A scripted agent: a language model that says its lines, and a voice that brings a known sound in bursts."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import Any

import numpy as np
from livekit.agents import APIConnectOptions, llm, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from vivant.samples import pcm_s16le
from vivant.testing import bundled_voice

RATE_HZ = 24_000


def voice(seconds: float) -> np.ndarray:
    """(n,) int16 of the bundled line, again and again."""
    return np.frombuffer(pcm_s16le(bundled_voice(seconds)), np.int16)


class ClipTTS(tts.TTS):
    """Text-to-speech: speaks any text as so many seconds of the bundled voice, all at once."""

    def __init__(self, seconds: float) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE_HZ, num_channels=1)
        self.seconds = seconds

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        return _Clip(tts=self, input_text=text, conn_options=conn_options)


class _Clip(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        assert isinstance(self._tts, ClipTTS)
        output_emitter.initialize(request_id="clip", sample_rate=RATE_HZ, num_channels=1, mime_type="audio/pcm")
        output_emitter.push(voice(self._tts.seconds).tobytes())
        output_emitter.flush()


class ScriptedLLM(llm.LLM):
    """Language model: answers whatever is asked with its next line."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self._lines = list(lines)

    def chat(self, *, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None = None, **how: Any) -> llm.LLMStream:
        conn_options = how.get("conn_options", DEFAULT_API_CONNECT_OPTIONS)
        return _Line(self, self._lines.pop(0), chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Line(llm.LLMStream):
    def __init__(self, model: llm.LLM, line: str, **how: Any) -> None:
        super().__init__(model, **how)
        self._line = line

    async def _run(self) -> None:
        self._event_ch.send_nowait(llm.ChatChunk(id="line", delta=llm.ChoiceDelta(role="assistant", content=self._line)))


class HibariTTS(tts.TTS):
    """Text-to-speech by hibari-tts, a small voice on the CPU."""

    def __init__(self) -> None:
        from hibari import Hibari

        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE_HZ, num_channels=1)
        self.voice = Hibari()

    @staticmethod
    def is_here() -> bool:
        return find_spec("hibari") is not None

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        return _Spoken(tts=self, input_text=text, conn_options=conn_options)


class _Spoken(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        assert isinstance(self._tts, HibariTTS)
        samples = await asyncio.to_thread(self._tts.voice, self.input_text)
        output_emitter.initialize(request_id="line", sample_rate=RATE_HZ, num_channels=1, mime_type="audio/pcm")
        output_emitter.push(pcm_s16le(samples))
        output_emitter.flush()
