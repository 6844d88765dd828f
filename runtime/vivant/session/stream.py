"""Face stream: sound in; motion, pictures and markers out. No clock, threads or I/O of its own: the "sans-I/O" shape of h11.

with vivant.FaceStream(face, sample_rate_hz=24_000) as stream:
    for item in stream.push(samples):
        if isinstance(item, vivant.Output):
            show(item.picture.pixels)
    rest = list(stream.end())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from numpy.typing import ArrayLike

from vivant.arguments import MAX_UINT64, MAX_US, flag, instance, language_tag, member, seed_or_chance, whole_number
from vivant.arguments import text as as_text
from vivant.errors import ClosedError
from vivant.face import Face, as_fps, default_motion
from vivant.motion.acts import MOST_PULSES
from vivant.motion.body import Body
from vivant.motion.model import SpeechMotion, require_motion
from vivant.samples import as_sample_rate, mono_samples
from vivant.session.hearing import Hearing
from vivant.session.presenter import Presenter
from vivant.session.queues import KnownText, StreamInput
from vivant.session.timeline import Timeline
from vivant.size import USUAL_SIDE_PX
from vivant.types import (
    Act,
    AudioChunk,
    Controls,
    Interrupted,
    Item,
    MotionFrame,
    Output,
    UtteranceEnd,
    UtteranceStart,
    VideoFrame,
    frame_pts_us,
)

BLOCK_MS = 20
"""Sound is heard in pieces of so much: what an interruption finds unheard is forgotten."""
MAX_AUDIO_LEAD_MS = 200
"""By which sound may come before its picture; chosen: more than any player's buffer."""


def as_audio_lead_ms(audio_lead_ms: object) -> int:
    """Raises InputError for what is no such time."""
    return whole_number("audio_lead_ms", audio_lead_ms, 0, MAX_AUDIO_LEAD_MS)


class FaceStream:
    """One stream of speech on one face; the one owner of its timeline, epoch and silence.

    The verbs (`push`, `say_text`, `begin`, `end`, `interrupt`, `finish`, `set_controls`, `act`, `set_face`) only queue or set
    something and may be called by another thread than the one that takes: `take`, or iterating what a verb returns, infers
    and draws.
    """

    def __init__(
        self,
        face: Face,
        *,
        fps: int | float | str | Fraction = 30,
        size_px: int | tuple[int, int] = USUAL_SIDE_PX,
        sample_rate_hz: int = 16_000,
        seed: int | None = None,
        controls: Controls | None = None,
        motion: SpeechMotion | None = None,
        presenter: Presenter | None = None,
        pictures: bool = True,
        audio: bool = False,
        audio_lead_ms: int = 0,
    ) -> None:
        """``seed`` None is one from chance, so that two faces never move in unison. ``pictures`` False gives motion alone;
        ``audio`` True gives every `Output` its own sound. ``presenter`` takes the place of one of ``size_px`` for ``face``.
        ``audio_lead_ms``, up to `MAX_AUDIO_LEAD_MS`, is for players with a buffer to fill: the first output of an utterance
        brings so much more of its sound than its own, as far as it was heard, and no output brings sound of two.

        Raises InputError for a rate, size or seed that cannot be, and for pictures when nobody has said who the portrait shows
        (`Presenter`).
        """
        model = default_motion() if motion is None else motion
        require_motion(model)
        self.fps = as_fps(fps)
        self.sample_rate_hz = sample_rate_hz = as_sample_rate(sample_rate_hz)
        self.seed = seed_or_chance(seed)
        self.look_ahead_us = 1000 * model.look_ahead_ms
        state = model.open(self.fps, self.seed, face)
        self._given = StreamInput(sample_rate_hz * BLOCK_MS // 1000, acts=MOST_PULSES)
        self.set_controls(Controls() if controls is None else controls)
        own = Presenter(face, size_px=size_px, pictures=pictures) if presenter is None else presenter
        self.presenter = instance("presenter", Presenter, own)
        self.is_late: Callable[[int], bool] = lambda pts_us: False
        """Whether the picture of that time need not be drawn any more if a newer one can be; asked right before drawing."""
        self.n_late = 0
        """Pictures left out for that, and frames that were skipped."""
        self.draws, self._gives_audio = flag("pictures", pictures), flag("audio", audio)
        self._audio_lead_us = 1000 * as_audio_lead_ms(audio_lead_ms)
        # Written by the verbs, beside what is given:
        self._n_utterances = 0
        self._speaking = self._closed = False
        self._next_id = ""
        self._next_text: list[KnownText] = []
        self._last_pts_us = 0
        # Written by whoever takes:
        timeline = Timeline(self.fps, sample_rate_hz)
        self._hearing = Hearing(state, Body(self.seed), self._given, timeline, keeps_sound=self._gives_audio)
        self._utterance: UtteranceStart | None = None

    @property
    def epoch(self) -> int:
        """How many interruptions came, or the number that the last one named."""
        return self._given.epoch

    @property
    def controls(self) -> Controls:
        """That were set last."""
        return self._given.controls

    # Verbs

    def push(self, samples: ArrayLike, at_us: int = 0) -> Iterator[Item]:
        """Queue mono audio (n,), floats in [-1, 1] or int16, as `mono_samples` takes it; iterate what becomes certain by it.

        What is not iterated comes with the next verb that is.
        ``at_us`` is for live streams: an utterance does not begin before that time.
        """
        self._require_open()
        if self._given.finished:
            raise ClosedError("finish said that no more audio would come; make a new stream")
        own = mono_samples(samples)
        if len(own) and not self._speaking:
            began_us = whole_number("at_us", at_us, -MAX_US, MAX_US)
            self._speaking = True
            self._n_utterances += 1
            self._given.queue.put(self.epoch, UtteranceStart(self._n_utterances, began_us, self._next_id, self.epoch))
            for known in self._next_text:
                self._given.queue.put(self.epoch, known)
            self._next_text = []
        self._given.queue.put(self.epoch, own)
        return self.items()

    def begin(self, utterance_id: str, text: str = "", language: str = "") -> None:
        """Name the utterance that the next audio begins, and say its text as by `say_text`; the one before it is complete."""
        name, known = as_text("utterance_id", utterance_id), _known_text(text, language)
        self.end()
        self._next_id, self._next_text = name, [known] if text else []

    def say_text(self, text: str, language: str = "") -> None:
        """The text of the utterance, or more of it, where it is known: it sharpens the lips of the sound pushed after it.

        It may come in pieces, cut anywhere, each before its sound; before any sound it is that of the utterance that was begun,
        or of the next one, and a `begin` after it starts anew. ``language`` is a tag such as ``de`` or ``pt-BR``, guessed if
        empty; words that have no rule (numbers, other scripts) are left to the sound, as is every word that the sound does not
        bear out. It is nowhere logged or kept.
        """
        known = _known_text(text, language)
        self._require_open()
        if not text:
            return
        if self._speaking:
            self._given.queue.put(self.epoch, known)
        else:
            self._next_text.append(known)

    def end(self) -> Iterator[Item]:
        """The utterance is complete: iterate the rest of it, which was held back for look-ahead. More audio may follow."""
        self._require_open()
        if self._speaking:
            self._speaking = False
            self._given.queue.put(self.epoch, UtteranceEnd(self._n_utterances, 0, self._next_id, self.epoch))
        self._next_id, self._next_text = "", []  # also of one that brought no sound
        return self.items()

    def interrupt(self, epoch: int | None = None) -> Interrupted:
        """Forget what is not yet shown: the mouth eases shut in the next frames, and frame times go on.

        A new epoch begins, one later than the last or the named one; what is older never comes out any more.
        """
        self._require_open()
        shown = self._utterance
        number, name = (shown.utterance, shown.utterance_id) if shown is not None else (self._n_utterances, self._next_id)
        next_epoch = self.epoch + 1 if epoch is None else whole_number("epoch", epoch, 0, MAX_UINT64)
        self._given.interrupt(next_epoch)
        self._speaking, self._next_id, self._next_text = False, "", []
        return Interrupted(number, self._last_pts_us, name, self.epoch)

    def finish(self) -> Iterator[Item]:
        """No more audio will come: iterate all that is left."""
        self.end()
        self._given.finished = True
        return self.items()

    def set_controls(self, controls: Controls) -> None:
        """Gaze, distance, emotion and the like; eased from the next frame on."""
        self._given.controls = instance("controls", Controls, controls)

    def act(self, act: Act | str) -> None:
        """A nod, a laugh and so on (`vivant.Act`), once, with the next sound or silence that is heard; blends with speech."""
        self._given.acts.append(member("act", Act, act))

    def set_face(self, face: Face, portrait: str = "") -> None:
        """Another portrait from the next frame on."""
        self.presenter.show(face, portrait)

    def close(self) -> None:
        """Stop for good: every verb raises ClosedError afterwards. Closing twice is fine."""
        self._closed = True

    # What comes out

    def items(self) -> Iterator[Item]:
        """Everything that is certain now, pictures drawn one at a time as they are iterated."""
        while taken := self.take():
            yield from taken

    def take(self, to_us: int | None = None) -> list[Item]:
        """The next items, the last of them with a picture; empty when no more is certain.

        Pictures that are late are left out as long as a newer one is certain, and with them those that the level of detail
        leaves out; their outputs come all the same.
        ``to_us`` is for live streams: the timeline goes on to that time and no further; where no sound is queued, silence is
        heard. Without it, whatever is queued is heard, and the end of an utterance needs no silence after it.
        """
        hearing = self._hearing
        self._follow_epoch()
        made: list[Item] = []
        while hearing.is_current and hearing.is_certain(to_us):
            item = hearing.ready.pop()
            if isinstance(item, MotionFrame):
                made.append(self._output(item, to_us))
            else:
                self._utterance = item if isinstance(item, UtteranceStart) else None
                made.append(item)
            if self._is_enough(made[-1], to_us):
                break
        return made

    def skip(self, to_us: int) -> None:
        """Leave out what lies before a time, unheard, after standing still. Frame times stay true.

        Sound that was queued for that time is forgotten as though it had been spoken, and its markers come in their order. The
        motion model begins anew with the sound that follows, as after an interruption. For the thread that takes.
        """
        self._follow_epoch()
        self.n_late += self._hearing.skip(to_us)

    @property
    def has_more(self) -> bool:
        """Whether a `take` without a time may give or hear something."""
        return self._hearing.has_more

    @property
    def certain_at_us(self) -> int:
        """The time up to which sound must be heard for the next picture; of motion alone, for the next frame."""
        index = self.presenter.next_shown(self._hearing.next_index)
        return frame_pts_us(index, self.fps) + self.look_ahead_us + self._hearing.rounding_us

    @property
    def queued_ms(self) -> float:
        """Sound that was pushed and not heard."""
        return self._given.queue.n_samples * 1000 / self.sample_rate_hz

    @property
    def heard_us(self) -> int:
        """The time up to which sound or silence was heard."""
        return self._hearing.position_us

    @property
    def filled_ms(self) -> float:
        """Silence that was heard within utterances, for their sound came late."""
        return self._hearing.n_filled * 1000 / self.sample_rate_hz

    @property
    def queued_chars(self) -> int:
        """Text that was said and whose sound was not heard."""
        return self._given.queue.n_chars + sum(len(known.text) for known in self._next_text)

    @property
    def is_speaking(self) -> bool:
        """The next audio belongs to an utterance that has begun."""
        return self._speaking

    @property
    def is_finishing(self) -> bool:
        """No more audio will come."""
        return self._given.finished

    @property
    def is_silent(self) -> bool:
        """No utterance is open and none is queued."""
        return self._utterance is None and not self._given.queue

    @property
    def begins_next(self) -> bool:
        """An utterance is queued and waits to begin."""
        return isinstance(self._given.queue.head(self.epoch), UtteranceStart)

    @property
    def over(self) -> bool:
        """`finish` was called, and all that was pushed has been heard."""
        return self._given.finished and not self._given.queue

    def _follow_epoch(self) -> None:
        if self._hearing.follow_epoch():
            self._utterance = None

    def _is_enough(self, item: Item, to_us: int | None) -> bool:
        """Whether a `take` ends with that item: a picture, or where none is drawn, the last that is due or a piece gave."""
        if self.draws:
            return isinstance(item, Output) and item.picture is not None
        return to_us is None and not self._hearing.ready

    def _picture(self, motion: MotionFrame, to_us: int | None) -> VideoFrame | None:
        if not self.draws or not self.presenter.shows(motion.index):
            return None
        if self.is_late(motion.pts_us) and self._hearing.has_frame(self.presenter.shows, to_us):
            self.n_late += 1
            return None
        return self.presenter.present(motion)

    def _output(self, motion: MotionFrame, to_us: int | None) -> Output:
        picture = self._picture(motion, to_us)
        self._last_pts_us = motion.pts_us
        spoken = self._utterance
        return Output(
            motion,
            picture,
            self.presenter.portrait if picture is None else self.presenter.presented,
            spoken.utterance if spoken is not None else None,
            self._hearing.epoch,
            self._sound(motion.index) if self._gives_audio else None,
            spoken.utterance_id if spoken is not None else "",
        )

    def _sound(self, index: int) -> AudioChunk:
        """That is given with a frame."""
        if self._audio_lead_us and self._utterance is not None:
            self._hearing.sound.take(
                self._utterance.position_us
            )  # silence before it, after a line so short that no frame had it
        return self._hearing.sound.take(self._audio_until_us(index))

    def _audio_until_us(self, index: int) -> int:
        """Where the sound ends that is given with a frame: its own, and so much more as sound leads, within one utterance."""
        end_us = frame_pts_us(index + 1, self.fps)
        if not self._audio_lead_us:
            return end_us
        lead_us = 0 if self._utterance is None else self._audio_lead_us
        return min(end_us + lead_us, self._hearing.ready.next_mark_us)

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError("this stream was closed; make a new one")

    def __enter__(self) -> FaceStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _known_text(text: str, language: str) -> KnownText:
    return KnownText(as_text("text", text), language_tag(language))
