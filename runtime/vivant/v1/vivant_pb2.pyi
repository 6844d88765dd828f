from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PixelFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PIXEL_FORMAT_UNSPECIFIED: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGBA: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGB: _ClassVar[PixelFormat]
    PIXEL_FORMAT_I420: _ClassVar[PixelFormat]
    PIXEL_FORMAT_JPEG: _ClassVar[PixelFormat]

class FrameTransport(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRAME_TRANSPORT_UNSPECIFIED: _ClassVar[FrameTransport]
    FRAME_TRANSPORT_INLINE: _ClassVar[FrameTransport]
    FRAME_TRANSPORT_SHARED_MEMORY: _ClassVar[FrameTransport]

class AudioFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIO_FORMAT_UNSPECIFIED: _ClassVar[AudioFormat]
    AUDIO_FORMAT_PCM_S16LE: _ClassVar[AudioFormat]
    AUDIO_FORMAT_F32LE: _ClassVar[AudioFormat]

class Outputs(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUTS_UNSPECIFIED: _ClassVar[Outputs]
    OUTPUTS_FRAMES: _ClassVar[Outputs]
    OUTPUTS_MOTION: _ClassVar[Outputs]
    OUTPUTS_FRAMES_AND_MOTION: _ClassVar[Outputs]

class Delivery(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_UNSPECIFIED: _ClassVar[Delivery]
    DELIVERY_PACED: _ClassVar[Delivery]
    DELIVERY_IMMEDIATE: _ClassVar[Delivery]

class Attention(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTENTION_UNSPECIFIED: _ClassVar[Attention]
    ATTENTION_AUTO: _ClassVar[Attention]
    ATTENTION_SPEAKING: _ClassVar[Attention]
    ATTENTION_LISTENING: _ClassVar[Attention]
    ATTENTION_THINKING: _ClassVar[Attention]
    ATTENTION_WORKING: _ClassVar[Attention]

class Act(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACT_UNSPECIFIED: _ClassVar[Act]
    ACT_NOD: _ClassVar[Act]
    ACT_SHAKE: _ClassVar[Act]
    ACT_TILT: _ClassVar[Act]
    ACT_THINK: _ClassVar[Act]
    ACT_LAUGH: _ClassVar[Act]

class Emotion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMOTION_UNSPECIFIED: _ClassVar[Emotion]
    EMOTION_NEUTRAL: _ClassVar[Emotion]
    EMOTION_HAPPY: _ClassVar[Emotion]
    EMOTION_SAD: _ClassVar[Emotion]
    EMOTION_ANGRY: _ClassVar[Emotion]
    EMOTION_SURPRISED: _ClassVar[Emotion]
    EMOTION_AFRAID: _ClassVar[Emotion]
    EMOTION_DISGUSTED: _ClassVar[Emotion]
    EMOTION_CONTEMPT: _ClassVar[Emotion]

class ConsentBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_BASIS_UNSPECIFIED: _ClassVar[ConsentBasis]
    CONSENT_BASIS_ME: _ClassVar[ConsentBasis]
    CONSENT_BASIS_AGREED: _ClassVar[ConsentBasis]
    CONSENT_BASIS_UNREAL: _ClassVar[ConsentBasis]
    CONSENT_BASIS_SYNTHETIC: _ClassVar[ConsentBasis]

class LabelMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LABEL_MODE_UNSPECIFIED: _ClassVar[LabelMode]
    LABEL_MODE_OFF: _ClassVar[LabelMode]
    LABEL_MODE_ON: _ClassVar[LabelMode]

class WatermarkMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATERMARK_MODE_UNSPECIFIED: _ClassVar[WatermarkMode]
    WATERMARK_MODE_OFF: _ClassVar[WatermarkMode]
    WATERMARK_MODE_ON: _ClassVar[WatermarkMode]

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_TYPE_UNSPECIFIED: _ClassVar[EventType]
    EVENT_TYPE_UTTERANCE_STARTED: _ClassVar[EventType]
    EVENT_TYPE_UTTERANCE_FINISHED: _ClassVar[EventType]
    EVENT_TYPE_INTERRUPTED: _ClassVar[EventType]
    EVENT_TYPE_PORTRAIT_CHANGED: _ClassVar[EventType]
    EVENT_TYPE_PORTRAIT_FAILED: _ClassVar[EventType]
    EVENT_TYPE_QUALITY_CHANGED: _ClassVar[EventType]
    EVENT_TYPE_DRAINING: _ClassVar[EventType]
PIXEL_FORMAT_UNSPECIFIED: PixelFormat
PIXEL_FORMAT_RGBA: PixelFormat
PIXEL_FORMAT_RGB: PixelFormat
PIXEL_FORMAT_I420: PixelFormat
PIXEL_FORMAT_JPEG: PixelFormat
FRAME_TRANSPORT_UNSPECIFIED: FrameTransport
FRAME_TRANSPORT_INLINE: FrameTransport
FRAME_TRANSPORT_SHARED_MEMORY: FrameTransport
AUDIO_FORMAT_UNSPECIFIED: AudioFormat
AUDIO_FORMAT_PCM_S16LE: AudioFormat
AUDIO_FORMAT_F32LE: AudioFormat
OUTPUTS_UNSPECIFIED: Outputs
OUTPUTS_FRAMES: Outputs
OUTPUTS_MOTION: Outputs
OUTPUTS_FRAMES_AND_MOTION: Outputs
DELIVERY_UNSPECIFIED: Delivery
DELIVERY_PACED: Delivery
DELIVERY_IMMEDIATE: Delivery
ATTENTION_UNSPECIFIED: Attention
ATTENTION_AUTO: Attention
ATTENTION_SPEAKING: Attention
ATTENTION_LISTENING: Attention
ATTENTION_THINKING: Attention
ATTENTION_WORKING: Attention
ACT_UNSPECIFIED: Act
ACT_NOD: Act
ACT_SHAKE: Act
ACT_TILT: Act
ACT_THINK: Act
ACT_LAUGH: Act
EMOTION_UNSPECIFIED: Emotion
EMOTION_NEUTRAL: Emotion
EMOTION_HAPPY: Emotion
EMOTION_SAD: Emotion
EMOTION_ANGRY: Emotion
EMOTION_SURPRISED: Emotion
EMOTION_AFRAID: Emotion
EMOTION_DISGUSTED: Emotion
EMOTION_CONTEMPT: Emotion
CONSENT_BASIS_UNSPECIFIED: ConsentBasis
CONSENT_BASIS_ME: ConsentBasis
CONSENT_BASIS_AGREED: ConsentBasis
CONSENT_BASIS_UNREAL: ConsentBasis
CONSENT_BASIS_SYNTHETIC: ConsentBasis
LABEL_MODE_UNSPECIFIED: LabelMode
LABEL_MODE_OFF: LabelMode
LABEL_MODE_ON: LabelMode
WATERMARK_MODE_UNSPECIFIED: WatermarkMode
WATERMARK_MODE_OFF: WatermarkMode
WATERMARK_MODE_ON: WatermarkMode
EVENT_TYPE_UNSPECIFIED: EventType
EVENT_TYPE_UTTERANCE_STARTED: EventType
EVENT_TYPE_UTTERANCE_FINISHED: EventType
EVENT_TYPE_INTERRUPTED: EventType
EVENT_TYPE_PORTRAIT_CHANGED: EventType
EVENT_TYPE_PORTRAIT_FAILED: EventType
EVENT_TYPE_QUALITY_CHANGED: EventType
EVENT_TYPE_DRAINING: EventType

class AnimateRequest(_message.Message):
    __slots__ = ("config", "audio", "utterance_start", "utterance_end", "controls", "portrait", "interrupt", "importance", "keep_alive", "ring_release", "text", "act")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_START_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_END_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    RING_RELEASE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ACT_FIELD_NUMBER: _ClassVar[int]
    config: SessionConfig
    audio: Audio
    utterance_start: UtteranceStart
    utterance_end: UtteranceEnd
    controls: Controls
    portrait: PortraitRef
    interrupt: Interrupt
    importance: Importance
    keep_alive: KeepAlive
    ring_release: RingRelease
    text: Text
    act: Act
    def __init__(self, config: _Optional[_Union[SessionConfig, _Mapping]] = ..., audio: _Optional[_Union[Audio, _Mapping]] = ..., utterance_start: _Optional[_Union[UtteranceStart, _Mapping]] = ..., utterance_end: _Optional[_Union[UtteranceEnd, _Mapping]] = ..., controls: _Optional[_Union[Controls, _Mapping]] = ..., portrait: _Optional[_Union[PortraitRef, _Mapping]] = ..., interrupt: _Optional[_Union[Interrupt, _Mapping]] = ..., importance: _Optional[_Union[Importance, _Mapping]] = ..., keep_alive: _Optional[_Union[KeepAlive, _Mapping]] = ..., ring_release: _Optional[_Union[RingRelease, _Mapping]] = ..., text: _Optional[_Union[Text, _Mapping]] = ..., act: _Optional[_Union[Act, str]] = ...) -> None: ...

class AnimateResponse(_message.Message):
    __slots__ = ("started", "frame", "motion", "event", "statistics", "keep_alive")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    started: SessionStarted
    frame: Frame
    motion: Motion
    event: Event
    statistics: Statistics
    keep_alive: KeepAlive
    def __init__(self, started: _Optional[_Union[SessionStarted, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., motion: _Optional[_Union[Motion, _Mapping]] = ..., event: _Optional[_Union[Event, _Mapping]] = ..., statistics: _Optional[_Union[Statistics, _Mapping]] = ..., keep_alive: _Optional[_Union[KeepAlive, _Mapping]] = ...) -> None: ...

class SessionConfig(_message.Message):
    __slots__ = ("portrait", "fps", "size_px", "pixel_format", "jpeg_quality", "frame_transport", "audio_format", "sample_rate_hz", "outputs", "delivery", "controls", "seed", "transparent", "importance", "consent", "disclosure", "audio_queue_ms", "confirms_frames")
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    SIZE_PX_FIELD_NUMBER: _ClassVar[int]
    PIXEL_FORMAT_FIELD_NUMBER: _ClassVar[int]
    JPEG_QUALITY_FIELD_NUMBER: _ClassVar[int]
    FRAME_TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FORMAT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TRANSPARENT_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    DISCLOSURE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMS_FRAMES_FIELD_NUMBER: _ClassVar[int]
    portrait: PortraitRef
    fps: Rational
    size_px: int
    pixel_format: PixelFormat
    jpeg_quality: int
    frame_transport: FrameTransport
    audio_format: AudioFormat
    sample_rate_hz: int
    outputs: Outputs
    delivery: Delivery
    controls: Controls
    seed: int
    transparent: bool
    importance: Importance
    consent: Consent
    disclosure: Disclosure
    audio_queue_ms: int
    confirms_frames: bool
    def __init__(self, portrait: _Optional[_Union[PortraitRef, _Mapping]] = ..., fps: _Optional[_Union[Rational, _Mapping]] = ..., size_px: _Optional[int] = ..., pixel_format: _Optional[_Union[PixelFormat, str]] = ..., jpeg_quality: _Optional[int] = ..., frame_transport: _Optional[_Union[FrameTransport, str]] = ..., audio_format: _Optional[_Union[AudioFormat, str]] = ..., sample_rate_hz: _Optional[int] = ..., outputs: _Optional[_Union[Outputs, str]] = ..., delivery: _Optional[_Union[Delivery, str]] = ..., controls: _Optional[_Union[Controls, _Mapping]] = ..., seed: _Optional[int] = ..., transparent: bool = ..., importance: _Optional[_Union[Importance, _Mapping]] = ..., consent: _Optional[_Union[Consent, _Mapping]] = ..., disclosure: _Optional[_Union[Disclosure, _Mapping]] = ..., audio_queue_ms: _Optional[int] = ..., confirms_frames: bool = ...) -> None: ...

class PortraitRef(_message.Message):
    __slots__ = ("id", "image")
    ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    id: str
    image: bytes
    def __init__(self, id: _Optional[str] = ..., image: _Optional[bytes] = ...) -> None: ...

class Rational(_message.Message):
    __slots__ = ("numerator", "denominator")
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    numerator: int
    denominator: int
    def __init__(self, numerator: _Optional[int] = ..., denominator: _Optional[int] = ...) -> None: ...

class Controls(_message.Message):
    __slots__ = ("gaze_yaw_deg", "gaze_pitch_deg", "distance", "emotion", "intensity", "head_motion", "mouth", "singing", "eye_contact", "attention")
    GAZE_YAW_DEG_FIELD_NUMBER: _ClassVar[int]
    GAZE_PITCH_DEG_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    EMOTION_FIELD_NUMBER: _ClassVar[int]
    INTENSITY_FIELD_NUMBER: _ClassVar[int]
    HEAD_MOTION_FIELD_NUMBER: _ClassVar[int]
    MOUTH_FIELD_NUMBER: _ClassVar[int]
    SINGING_FIELD_NUMBER: _ClassVar[int]
    EYE_CONTACT_FIELD_NUMBER: _ClassVar[int]
    ATTENTION_FIELD_NUMBER: _ClassVar[int]
    gaze_yaw_deg: float
    gaze_pitch_deg: float
    distance: float
    emotion: Emotion
    intensity: float
    head_motion: float
    mouth: float
    singing: bool
    eye_contact: float
    attention: Attention
    def __init__(self, gaze_yaw_deg: _Optional[float] = ..., gaze_pitch_deg: _Optional[float] = ..., distance: _Optional[float] = ..., emotion: _Optional[_Union[Emotion, str]] = ..., intensity: _Optional[float] = ..., head_motion: _Optional[float] = ..., mouth: _Optional[float] = ..., singing: bool = ..., eye_contact: _Optional[float] = ..., attention: _Optional[_Union[Attention, str]] = ...) -> None: ...

class Importance(_message.Message):
    __slots__ = ("priority", "distance_m")
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_M_FIELD_NUMBER: _ClassVar[int]
    priority: int
    distance_m: float
    def __init__(self, priority: _Optional[int] = ..., distance_m: _Optional[float] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("basis", "reference")
    BASIS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    basis: ConsentBasis
    reference: str
    def __init__(self, basis: _Optional[_Union[ConsentBasis, str]] = ..., reference: _Optional[str] = ...) -> None: ...

class Disclosure(_message.Message):
    __slots__ = ("label", "label_off_reason", "watermark")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_OFF_REASON_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    label: LabelMode
    label_off_reason: str
    watermark: WatermarkMode
    def __init__(self, label: _Optional[_Union[LabelMode, str]] = ..., label_off_reason: _Optional[str] = ..., watermark: _Optional[_Union[WatermarkMode, str]] = ...) -> None: ...

class Audio(_message.Message):
    __slots__ = ("samples",)
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    samples: bytes
    def __init__(self, samples: _Optional[bytes] = ...) -> None: ...

class UtteranceStart(_message.Message):
    __slots__ = ("utterance_id",)
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    utterance_id: str
    def __init__(self, utterance_id: _Optional[str] = ...) -> None: ...

class UtteranceEnd(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Text(_message.Message):
    __slots__ = ("text", "language")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class Interrupt(_message.Message):
    __slots__ = ("epoch",)
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    def __init__(self, epoch: _Optional[int] = ...) -> None: ...

class KeepAlive(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RingRelease(_message.Message):
    __slots__ = ("sequence",)
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    def __init__(self, sequence: _Optional[int] = ...) -> None: ...

class SessionStarted(_message.Message):
    __slots__ = ("config", "session_id", "delay_us", "weight_names", "ring", "notes")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DELAY_US_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_NAMES_FIELD_NUMBER: _ClassVar[int]
    RING_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    config: SessionConfig
    session_id: str
    delay_us: int
    weight_names: _containers.RepeatedScalarFieldContainer[str]
    ring: SharedMemoryRing
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, config: _Optional[_Union[SessionConfig, _Mapping]] = ..., session_id: _Optional[str] = ..., delay_us: _Optional[int] = ..., weight_names: _Optional[_Iterable[str]] = ..., ring: _Optional[_Union[SharedMemoryRing, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class SharedMemoryRing(_message.Message):
    __slots__ = ("name", "slot_bytes", "slots")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SLOT_BYTES_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    slot_bytes: int
    slots: int
    def __init__(self, name: _Optional[str] = ..., slot_bytes: _Optional[int] = ..., slots: _Optional[int] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("index", "pts_us", "utterance_id", "epoch", "width_px", "height_px", "pixel_format", "data", "ring_slot")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PTS_US_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    PIXEL_FORMAT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    RING_SLOT_FIELD_NUMBER: _ClassVar[int]
    index: int
    pts_us: int
    utterance_id: str
    epoch: int
    width_px: int
    height_px: int
    pixel_format: PixelFormat
    data: bytes
    ring_slot: RingSlot
    def __init__(self, index: _Optional[int] = ..., pts_us: _Optional[int] = ..., utterance_id: _Optional[str] = ..., epoch: _Optional[int] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., pixel_format: _Optional[_Union[PixelFormat, str]] = ..., data: _Optional[bytes] = ..., ring_slot: _Optional[_Union[RingSlot, _Mapping]] = ...) -> None: ...

class RingSlot(_message.Message):
    __slots__ = ("slot", "size_bytes", "sequence")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    slot: int
    size_bytes: int
    sequence: int
    def __init__(self, slot: _Optional[int] = ..., size_bytes: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class Motion(_message.Message):
    __slots__ = ("index", "pts_us", "utterance_id", "epoch", "weights", "pose", "gaze_yaw_deg", "gaze_pitch_deg", "tongue_out", "tongue_up", "body")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PTS_US_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    POSE_FIELD_NUMBER: _ClassVar[int]
    GAZE_YAW_DEG_FIELD_NUMBER: _ClassVar[int]
    GAZE_PITCH_DEG_FIELD_NUMBER: _ClassVar[int]
    TONGUE_OUT_FIELD_NUMBER: _ClassVar[int]
    TONGUE_UP_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    index: int
    pts_us: int
    utterance_id: str
    epoch: int
    weights: _containers.RepeatedScalarFieldContainer[float]
    pose: Pose
    gaze_yaw_deg: float
    gaze_pitch_deg: float
    tongue_out: float
    tongue_up: float
    body: Pose
    def __init__(self, index: _Optional[int] = ..., pts_us: _Optional[int] = ..., utterance_id: _Optional[str] = ..., epoch: _Optional[int] = ..., weights: _Optional[_Iterable[float]] = ..., pose: _Optional[_Union[Pose, _Mapping]] = ..., gaze_yaw_deg: _Optional[float] = ..., gaze_pitch_deg: _Optional[float] = ..., tongue_out: _Optional[float] = ..., tongue_up: _Optional[float] = ..., body: _Optional[_Union[Pose, _Mapping]] = ...) -> None: ...

class Pose(_message.Message):
    __slots__ = ("yaw_deg", "pitch_deg", "roll_deg", "x", "y", "scale")
    YAW_DEG_FIELD_NUMBER: _ClassVar[int]
    PITCH_DEG_FIELD_NUMBER: _ClassVar[int]
    ROLL_DEG_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    x: float
    y: float
    scale: float
    def __init__(self, yaw_deg: _Optional[float] = ..., pitch_deg: _Optional[float] = ..., roll_deg: _Optional[float] = ..., x: _Optional[float] = ..., y: _Optional[float] = ..., scale: _Optional[float] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("type", "position_us", "utterance_id", "epoch", "detail", "portrait_id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    POSITION_US_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_ID_FIELD_NUMBER: _ClassVar[int]
    type: EventType
    position_us: int
    utterance_id: str
    epoch: int
    detail: str
    portrait_id: str
    def __init__(self, type: _Optional[_Union[EventType, str]] = ..., position_us: _Optional[int] = ..., utterance_id: _Optional[str] = ..., epoch: _Optional[int] = ..., detail: _Optional[str] = ..., portrait_id: _Optional[str] = ...) -> None: ...

class Statistics(_message.Message):
    __slots__ = ("fps", "lag_us", "frames_sent", "frames_dropped", "audio_queued_us", "detail_level", "filled_us")
    FPS_FIELD_NUMBER: _ClassVar[int]
    LAG_US_FIELD_NUMBER: _ClassVar[int]
    FRAMES_SENT_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    AUDIO_QUEUED_US_FIELD_NUMBER: _ClassVar[int]
    DETAIL_LEVEL_FIELD_NUMBER: _ClassVar[int]
    FILLED_US_FIELD_NUMBER: _ClassVar[int]
    fps: float
    lag_us: int
    frames_sent: int
    frames_dropped: int
    audio_queued_us: int
    detail_level: int
    filled_us: int
    def __init__(self, fps: _Optional[float] = ..., lag_us: _Optional[int] = ..., frames_sent: _Optional[int] = ..., frames_dropped: _Optional[int] = ..., audio_queued_us: _Optional[int] = ..., detail_level: _Optional[int] = ..., filled_us: _Optional[int] = ...) -> None: ...

class GetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCapabilitiesResponse(_message.Message):
    __slots__ = ("version", "pixel_formats", "frame_transports", "bundled_portraits", "limits", "sessions")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PIXEL_FORMATS_FIELD_NUMBER: _ClassVar[int]
    FRAME_TRANSPORTS_FIELD_NUMBER: _ClassVar[int]
    BUNDLED_PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    version: str
    pixel_formats: _containers.RepeatedScalarFieldContainer[PixelFormat]
    frame_transports: _containers.RepeatedScalarFieldContainer[FrameTransport]
    bundled_portraits: _containers.RepeatedScalarFieldContainer[str]
    limits: Limits
    sessions: int
    def __init__(self, version: _Optional[str] = ..., pixel_formats: _Optional[_Iterable[_Union[PixelFormat, str]]] = ..., frame_transports: _Optional[_Iterable[_Union[FrameTransport, str]]] = ..., bundled_portraits: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., sessions: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("sessions", "size_px", "portrait_bytes", "portrait_pixels", "message_bytes", "messages_per_s", "portraits", "audio_queue_ms")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    SIZE_PX_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_PER_S_FIELD_NUMBER: _ClassVar[int]
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    sessions: int
    size_px: int
    portrait_bytes: int
    portrait_pixels: int
    message_bytes: int
    messages_per_s: int
    portraits: int
    audio_queue_ms: int
    def __init__(self, sessions: _Optional[int] = ..., size_px: _Optional[int] = ..., portrait_bytes: _Optional[int] = ..., portrait_pixels: _Optional[int] = ..., message_bytes: _Optional[int] = ..., messages_per_s: _Optional[int] = ..., portraits: _Optional[int] = ..., audio_queue_ms: _Optional[int] = ...) -> None: ...

class PutPortraitRequest(_message.Message):
    __slots__ = ("image", "transparent", "consent")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSPARENT_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    transparent: bool
    consent: Consent
    def __init__(self, image: _Optional[bytes] = ..., transparent: bool = ..., consent: _Optional[_Union[Consent, _Mapping]] = ...) -> None: ...

class PutPortraitResponse(_message.Message):
    __slots__ = ("portrait",)
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    portrait: Portrait
    def __init__(self, portrait: _Optional[_Union[Portrait, _Mapping]] = ...) -> None: ...

class Portrait(_message.Message):
    __slots__ = ("portrait_id", "bundled", "notes")
    PORTRAIT_ID_FIELD_NUMBER: _ClassVar[int]
    BUNDLED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    portrait_id: str
    bundled: bool
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, portrait_id: _Optional[str] = ..., bundled: bool = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class ListPortraitsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPortraitsResponse(_message.Message):
    __slots__ = ("portraits",)
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    portraits: _containers.RepeatedCompositeFieldContainer[Portrait]
    def __init__(self, portraits: _Optional[_Iterable[_Union[Portrait, _Mapping]]] = ...) -> None: ...

class DeletePortraitRequest(_message.Message):
    __slots__ = ("portrait_id",)
    PORTRAIT_ID_FIELD_NUMBER: _ClassVar[int]
    portrait_id: str
    def __init__(self, portrait_id: _Optional[str] = ...) -> None: ...

class DeletePortraitResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WarmUpRequest(_message.Message):
    __slots__ = ("portrait", "size_px", "transparent", "consent")
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    SIZE_PX_FIELD_NUMBER: _ClassVar[int]
    TRANSPARENT_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    portrait: PortraitRef
    size_px: int
    transparent: bool
    consent: Consent
    def __init__(self, portrait: _Optional[_Union[PortraitRef, _Mapping]] = ..., size_px: _Optional[int] = ..., transparent: bool = ..., consent: _Optional[_Union[Consent, _Mapping]] = ...) -> None: ...

class WarmUpResponse(_message.Message):
    __slots__ = ("portrait_id", "elapsed_us")
    PORTRAIT_ID_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_US_FIELD_NUMBER: _ClassVar[int]
    portrait_id: str
    elapsed_us: int
    def __init__(self, portrait_id: _Optional[str] = ..., elapsed_us: _Optional[int] = ...) -> None: ...

class SynthesizeRequest(_message.Message):
    __slots__ = ("config", "samples", "text")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    config: SessionConfig
    samples: bytes
    text: Text
    def __init__(self, config: _Optional[_Union[SessionConfig, _Mapping]] = ..., samples: _Optional[bytes] = ..., text: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class SynthesizeResponse(_message.Message):
    __slots__ = ("started", "frame", "motion")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    started: SessionStarted
    frame: Frame
    motion: Motion
    def __init__(self, started: _Optional[_Union[SessionStarted, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., motion: _Optional[_Union[Motion, _Mapping]] = ...) -> None: ...
