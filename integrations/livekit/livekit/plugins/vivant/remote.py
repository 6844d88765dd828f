"""Remote video generator: the agent's voice stays here and keeps this clock, its pictures come from a Vivant server."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from os import PathLike

import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator
from livekit.plugins.vivant.generator import AUDIO_LEAD_MS, Item, as_mono
from livekit.plugins.vivant.line import Line
from livekit.plugins.vivant.log import logger

import vivant
from vivant.client import Client, RemoteConfig, RemoteSession, connect

TICK_S = 0.02
"""Between two looks at what is due; the voice leads by more."""
SENT_AHEAD_S = 5.0
"""So much of a line is at the server before it is spoken: enough for its eager start, little to forget."""
START_WITHIN_S = 0.5
"""A line whose first picture takes longer starts without it; a server nearby takes 0.2 s."""
CATCH_UP_S = 0.4
"""A face that comes into a line is sent it from so much later on: it needs up to 0.2 s, and what comes early is held."""
LATE_S = 0.02
"""A line that started without its first picture, and whose pictures are later, is sent anew, once."""
MARGIN_S = 0.03
"""By which sound, or silence in its place, is at a server before it would fill in silence of its own."""
STALL_S = 3.0
"""A server from which nothing comes for so long is given up; as in the bridge."""
RETRY_S = (0.2, 2.0)
"""The first wait before another try, and the longest."""
MOST_PICTURES = 12
"""That wait to be taken, the newest ones: half a second."""

Wish = Callable[[RemoteSession], Awaitable[None]]


class RemoteVideoGenerator(VideoGenerator):
    """Video generator: as `FaceVideoGenerator`, with the face on a server.

    The voice never leaves this process but as a copy, and goes on by itself while the server is away; a server that is back
    shows the face again in the middle of a line. One event loop.
    """

    def __init__(
        self,
        server: str,
        portrait: str | PathLike[str],
        *,
        token: str | None = None,
        ca: bytes | None = None,
        consent: str | None = None,
        sample_rate_hz: int,
        fps: int = 25,
        size_px: int = 512,
        seed: int | None = None,
    ) -> None:
        """``server``, ``token`` and ``ca`` as for `vivant.client.connect`. Raises vivant.InputError for what cannot be."""
        self._config = RemoteConfig(
            fps=fps,
            size_px=size_px,
            sample_rate_hz=sample_rate_hz,
            seed=seed,
            motion=False,
            pixel_format=vivant.PixelFormat.I420,
        )
        self._connect = lambda: connect(server, token=token, ca=ca)
        self._portrait, self._consent = portrait, consent
        self.size_px = (size_px, size_px)
        self.flush: Callable[[], Awaitable[None] | None] = lambda: None
        """As in `FaceVideoGenerator`."""
        self.n_faces = 0
        """How many were opened, one after the other."""
        self._rate_hz = sample_rate_hz
        self._controls = vivant.Controls()
        self._lines: deque[Line] = deque()
        """That are not over; the first one is spoken."""
        self._over: Line | None = None
        """The last one that is."""
        self._n_names = 0
        self._face: RemoteSession | None = None
        self._wishes: asyncio.Queue[Wish | None] = asyncio.Queue()
        """In order; None after the last of a face."""
        self._held: asyncio.Queue[tuple[rtc.VideoFrame, int, str]] = asyncio.Queue()
        """Pictures with their time on the server's timeline, and the name of the line that they show."""
        self._out: deque[Item] = deque()
        self._filled, self._pushed = asyncio.Event(), asyncio.Event()
        self._is_taken = False
        """What came first was taken on: somebody listens."""
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Have the server make the portrait ready, and begin. A server that is not there now is waited for.

        Raises vivant.InputError where it refuses the portrait.
        """
        try:
            async with self._connect() as client:
                await client.warm_up(self._portrait, self._consent, size_px=self._config.size_px)
        except vivant.UnavailableError as error:
            logger.warning("no face yet: %s; trying on", error)
        self._tasks = [asyncio.create_task(each()) for each in (self._follow, self._speak, self._show)]

    def steer(self, controls: vivant.Controls) -> None:
        """Gaze, emotion and the like, from the next picture on."""
        self._controls = controls
        self._wishes.put_nowait(lambda face: face.set_controls(controls))

    # Voice

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Take all that a voice brings, however much faster than it is spoken."""
        if not self._lines or self._lines[-1].is_complete:
            self._lines.append(Line(self._rate_hz))
        if isinstance(frame, AudioSegmentEnd):
            self._lines[-1].is_complete = True
        else:
            self._lines[-1].add(as_mono(frame).tobytes())
        self._pushed.set()

    async def clear_buffer(self) -> None:
        """Stop speaking now: neither pictures, nor sound, nor ends of what was pushed come out any more."""
        self._lines.clear()
        self._over = None
        self._out.clear()
        self._interrupt()
        if (done := self.flush()) is not None:
            await done

    async def _speak(self) -> None:
        while True:
            while self._lines:
                self._tick()
                await asyncio.sleep(TICK_S)
            self._pushed.clear()
            await self._pushed.wait()

    def _tick(self) -> None:
        """Send, and give out, what is due by now."""
        now_s, line = asyncio.get_running_loop().time(), self._lines[0]
        if not self._is_taken:
            return
        if self._face is None or (line.is_complete and not line.n):  # there is nothing to wait for
            line.started_s = now_s if line.started_s is None else line.started_s
        if self._face is None:
            line.fill(line.position_s(now_s))
        else:
            self._fill(line, now_s, self._face.delay_ms / 1000)
            self._send(now_s)
        if line.started_s is None:
            return
        self._put_sound(line.give(line.position_s(now_s) + AUDIO_LEAD_MS / 1000))
        if line.is_over(now_s):
            self._put(AudioSegmentEnd())
            self._over = self._lines.popleft()

    def _fill(self, line: Line, now_s: float, delay_s: float) -> None:
        """A server hears silence where no sound is; so that the voice has it too, it is sent some before that."""
        if line.started_s is not None:
            line.fill(line.position_s(now_s) + delay_s + MARGIN_S)
        elif line.sent_s is not None:
            line.fill(now_s - line.sent_s + MARGIN_S)
            if now_s - line.sent_s > START_WITHIN_S:
                line.started_s = now_s

    def _put_sound(self, pcm: bytes) -> None:
        if pcm:
            self._put(rtc.AudioFrame(pcm, self._rate_hz, 1, len(pcm) // 2))

    # To the server

    def _send(self, now_s: float) -> None:
        """What of the lines it should have by now, in order."""
        for line in self._lines:
            if not line.name:
                self._n_names += 1
                line.name = str(self._n_names)
                self._wish(lambda face, name=line.name: face.begin(name))
            if pcm := line.send(line.n_given + round(SENT_AHEAD_S * self._rate_hz)):
                line.sent_s = now_s if line.sent_s is None else line.sent_s
                self._wish(lambda face, pcm=pcm: face.push(np.frombuffer(pcm, np.int16)))
            if not line.is_complete or line.n_sent < line.n:
                return
            if not line.is_ended:
                line.is_ended = True
                self._wish(lambda face: face.end())

    def _wish(self, wish: Wish) -> None:
        self._wishes.put_nowait(wish)

    def _interrupt(self) -> None:
        """The server; with what it was not told yet, but for how the face looks."""
        while not self._wishes.empty():
            self._wishes.get_nowait()
        self._wish(lambda face: face.interrupt())
        self._wish(lambda face: face.set_controls(self._controls))

    def _send_anew(self) -> None:
        """All lines; of the one that is spoken what comes after `CATCH_UP_S`."""
        now_s = asyncio.get_running_loop().time()
        self._interrupt()
        for line in self._lines:
            from_s = 0.0 if line.started_s is None else line.position_s(now_s) + CATCH_UP_S
            line.send_from(round(from_s * self._rate_hz))

    # From the server

    async def _follow(self) -> None:
        """One face after the other, for ever."""
        wait_s, said = RETRY_S[0], ""
        while True:
            try:
                async with self._connect() as client, self._animate(client) as face:
                    wait_s, said = RETRY_S[0], ""
                    await self._live(face)
                reason = "the server has ended the call"
            except (vivant.VivantError, TimeoutError) as error:
                reason = str(error) or f"nothing came from the server for {STALL_S:.0f} s"
            except Exception as error:
                logger.exception("the face is away")
                reason = type(error).__name__
            if reason != said:
                logger.warning("the face is away, the voice goes on without it: %s", reason)
            said = reason
            if not (self._is_taken or self._out):
                self._put(self._black())  # a room is entered with a picture
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_S[1])

    def _animate(self, client: Client) -> RemoteSession:
        return client.animate(self._portrait, self._config, self._consent, controls=self._controls)

    async def _live(self, face: RemoteSession) -> None:
        """Until the call is over."""
        self._send_anew()
        self._face = face
        self.n_faces += 1
        telling = asyncio.create_task(self._tell(face))
        try:
            items = aiter(face)
            while True:
                async with asyncio.timeout(STALL_S):
                    self._take(await anext(items))
        except StopAsyncIteration:
            pass
        finally:
            self._face = None
            await face.close()
            self._wishes.put_nowait(None)
            await asyncio.gather(telling, return_exceptions=True)  # what it was writing fails, for the call is over

    async def _tell(self, face: RemoteSession) -> None:
        while (wish := await self._wishes.get()) is not None:
            await wish(face)

    def _take(self, item: object) -> None:
        if isinstance(item, vivant.UtteranceStart) and (line := self._line(item.utterance_id)) is not None:
            line.origin_us = item.position_us
        if not isinstance(item, vivant.Output) or item.picture is None:
            return
        line = self._line(item.utterance_id)
        if item.utterance_id and line is None:
            return  # it was interrupted meanwhile
        if line is not None and not line.is_seen:
            line.is_seen = True
            if self._is_too_late(line, item.pts_us):
                self._send_anew()
                return
        width, height = item.picture.size_px
        picture = rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, item.picture.pixels.tobytes())
        self._held.put_nowait((picture, item.pts_us, item.utterance_id))

    def _line(self, name: str) -> Line | None:
        lines = (*self._lines, self._over) if self._over is not None else self._lines
        return next((line for line in lines if name and line.name == name), None)

    def _is_too_late(self, line: Line, pts_us: int) -> bool:
        due_s = line.due_s(pts_us)
        return due_s is not None and not line.first and asyncio.get_running_loop().time() - due_s > LATE_S

    async def _show(self) -> None:
        """Pictures in order, each when its sound is due; the first of a line says when that is."""
        loop = asyncio.get_running_loop()
        while True:
            picture, pts_us, name = await self._held.get()
            if (line := self._line(name)) is not None:
                if line.started_s is None:
                    line.start(pts_us, loop.time())
                if (due_s := line.due_s(pts_us)) is not None:
                    await asyncio.sleep(max(0.0, due_s - loop.time()))
            if name and self._line(name) is None:
                continue  # it was interrupted, or sent anew, meanwhile
            self._put_picture(picture)
            if self._lines and line is self._lines[0] and not line.n_given:
                self._tick()

    def _put_picture(self, picture: rtc.VideoFrame) -> None:
        pictures = [item for item in self._out if isinstance(item, rtc.VideoFrame)]
        if len(pictures) >= MOST_PICTURES:
            self._out.remove(pictures[0])
        self._put(picture)

    def _black(self) -> rtc.VideoFrame:
        width, height = self.size_px
        pixels = bytes(width * height) + bytes([128]) * (width * height // 2)
        return rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, pixels)

    # Out

    def _put(self, item: Item) -> None:
        self._out.append(item)
        self._filled.set()

    async def __aiter__(self) -> AsyncIterator[Item]:
        while True:
            while self._out:
                yield self._out.popleft()
                self._is_taken = True
            self._filled.clear()
            await self._filled.wait()

    async def aclose(self) -> None:
        """Stop for good. Closing twice is fine."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
