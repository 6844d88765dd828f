using System.Collections.Generic;
using UnityEngine;
using Vivant.V1;

namespace Vivant
{
    /// <summary>
    /// A character that speaks: give it an AudioClip, or sound as a synthesiser makes it, and its picture or its mesh, head and eyes
    /// follow the AudioSource's playback. Everything here runs on the main thread; the connection has tasks of its own.
    /// </summary>
    [AddComponentMenu("Vivant/Vivant Face")]
    [RequireComponent(typeof(AudioSource))]
    public sealed class VivantFace : MonoBehaviour
    {
        const int RateHz = 16000;
        /// <summary>Of the clip that plays streamed speech; an AudioClip must have an end.</summary>
        const int LongestSpeechS = 3600;

        [Header("Who")]
        [Tooltip("A bundled portrait such as ada, or an id from PutPortrait. A picture below takes its place.")]
        public string portraitId = "ada";
        [Tooltip("A JPEG or PNG as a TextAsset (.bytes).")]
        public TextAsset portraitImage;
        [Tooltip("Whom that picture shows; needed once for a picture of your own. Only people who agreed may be animated.")]
        public ConsentBasis portraitConsent;
        public VivantServer server;

        [Header("Where it shows")]
        [Tooltip("Gets the picture as its main texture.")]
        public Renderer picture;
        public int sizePx = 512;
        [Tooltip("Cuts the person out; the renderer's material must be a transparent one.")]
        public bool transparent;
        [Tooltip("Or a mesh with ARKit blendshapes.")]
        public SkinnedMeshRenderer mesh;
        [Tooltip("Turned with the head, from where it rests.")]
        public Transform head;
        [Tooltip("Turned with the gaze; without eyes the mesh's eyeLook shapes show it.")]
        public Transform leftEye, rightEye;
        [Range(12, 60)] public int fps = 25;

        [Header("How it acts")]
        public Transform lookAt;
        [Tooltip("Share of the time that it looks there while speaking; people in calls: 0.59.")]
        [Range(0f, 1f)] public float eyeContact = 0.59375f;
        [Tooltip("Auto speaks while there is a voice and rests otherwise.")]
        public Attention attention = Attention.Auto;
        public Emotion emotion = Emotion.Neutral;
        [Range(0f, 2f)] public float intensity = 1f;
        [Range(0f, 2f)] public float headMotion = 1f;
        [Range(0f, 2f)] public float mouth = 1f;
        [Range(0, 100)] public int priority = 50;
        [Tooltip("Decides blinks, gaze and head motion; below 0 is one from chance, so that no two faces move in unison.")]
        public long seed = -1;

        FaceConnection face;
        AudioSource source;
        Texture2D texture;
        MaterialPropertyBlock block;
        int[] shapes;
        float[] weights;
        Quaternion headAtRest, leftEyeAtRest, rightEyeAtRest;
        string line;
        long linePtsUs = -1;
        /// <summary>Of a line that comes piece by piece; null for a clip.</summary>
        SpeechBuffer speech;
        Resampler resampler;
        int speechRateHz, speechChannels;
        float nextSteer;
        int lines;

        /// <summary>True from Say or BeginSpeech until the line is over.</summary>
        public bool IsSpeaking
        {
            get { return line != null; }
        }

        /// <summary>Speaks a clip; a line that is being spoken is interrupted. Its text, where it is known, sharpens the lips.</summary>
        public void Say(AudioClip clip, string text = "", string language = "")
        {
            BeginLine(text, language);
            var samples = VivantAudio.MonoAt(clip, RateHz);
            source.clip = clip;
            face.Push(samples, samples.Length);
            face.End();
        }

        /// <summary>Begins a line that comes piece by piece, as a synthesiser makes it; a line that is being spoken is interrupted.</summary>
        public void BeginSpeech(int rateHz, int channels = 1, string text = "", string language = "")
        {
            BeginLine(text, language);
            speechRateHz = rateHz;
            speechChannels = channels;
            speech = new SpeechBuffer(channels);
            resampler = new Resampler(channels, rateHz, RateHz);
        }

        /// <summary>More of it: interleaved samples in [-1, 1]. After an interruption they fall on deaf ears.</summary>
        public void PushSpeech(float[] samples)
        {
            if (resampler == null) return;
            speech.Write(samples, samples.Length);
            var mono = resampler.Push(samples, samples.Length);
            face.Push(mono, mono.Length);
        }

        /// <summary>All of it has come.</summary>
        public void EndSpeech()
        {
            if (resampler == null) return;
            var rest = resampler.Flush();
            face.Push(rest, rest.Length);
            face.End();
            speech.Complete();
            resampler = null;
        }

        /// <summary>Falls silent now.</summary>
        public void Interrupt()
        {
            if (line == null) return;
            EndLine();
            source.Stop();
            face.Interrupt();
        }

        /// <summary>A nod, a shake of the head, a laugh and so on, once, on top of speech.</summary>
        public void Do(Act act)
        {
            face.Act(act);
        }

        void BeginLine(string text, string language)
        {
            Interrupt();
            source.Stop();
            speech = null;
            line = (++lines).ToString();
            linePtsUs = -1;
            face.Begin(line, text, language);
        }

        void EndLine()
        {
            line = null;
            resampler = null;
        }

        void OnEnable()
        {
            source = GetComponent<AudioSource>();
            block = new MaterialPropertyBlock();
            if (head != null) headAtRest = head.localRotation;
            if (leftEye != null) leftEyeAtRest = leftEye.localRotation;
            if (rightEye != null) rightEyeAtRest = rightEye.localRotation;
            bool moves = mesh != null || head != null || leftEye != null || rightEye != null;
            var config = new SessionConfig
            {
                Portrait = VivantServer.Portrait(portraitId, portraitImage),
                Consent = new Consent { Basis = portraitConsent },
                Fps = new Rational { Numerator = (uint)fps, Denominator = 1 },
                SizePx = (uint)sizePx,
                SampleRateHz = RateHz,
                PixelFormat = PixelFormat.Rgba,
                Transparent = transparent,
                Outputs = picture == null ? Outputs.Motion : moves ? Outputs.FramesAndMotion : Outputs.Frames,
                Controls = Wanted(),
            };
            if (seed >= 0) config.Seed = (ulong)seed;
            face = VivantSessions.Open(server.ToCore(), config);
        }

        void OnDisable()
        {
            EndLine();
            source.Stop();
            VivantSessions.Close(face);
            face = null;
            if (texture != null) Destroy(texture);
            texture = null;
        }

        void Update()
        {
            for (V1.Event next; (next = face.TakeEvent()) != null;) Hear(next);
            if (Time.unscaledTime >= nextSteer) Steer();
            if (speech != null && source.isPlaying && speech.IsOverBy(source.timeSamples)) source.Stop();
            ShowPicture();
            ShowMotion();
        }

        void Hear(V1.Event what)
        {
            if (line == null || what.UtteranceId != line) return;
            if (what.Type == V1.EventType.UtteranceStarted)
            {
                // The first picture of the line is here: sound and picture begin together.
                linePtsUs = (long)what.PositionUs;
                if (speech != null) source.clip = AudioClip.Create("speech", LongestSpeechS * speechRateHz, speechChannels, speechRateHz, true, speech.Read, speech.Seek);
                source.Play();
            }
            else if (what.Type == V1.EventType.UtteranceFinished)
            {
                EndLine();
            }
            else if (what.Type == V1.EventType.Interrupted)
            {
                // The connection was lost: without the face's motion the sound stops too.
                EndLine();
                source.Stop();
            }
        }

        void Steer()
        {
            nextSteer = Time.unscaledTime + 0.1f;
            face.SetControls(Wanted());
            var camera = Camera.main;
            if (camera != null) face.SetPriority((uint)priority, Vector3.Distance(camera.transform.position, transform.position));
        }

        Controls Wanted()
        {
            var controls = new Controls
            {
                Emotion = emotion,
                Intensity = intensity,
                HeadMotion = headMotion,
                Mouth = mouth,
                EyeContact = eyeContact,
                Attention = attention,
            };
            if (lookAt == null) return controls;
            if (picture != null)
            {
                // Whoever sees a quad looks along its z, so the face on it looks the other way, and its right is the quad's left.
                var to = picture.transform.InverseTransformPoint(lookAt.position);
                Turns.LookAt(controls, -to.x, to.y, -to.z);
            }
            else
            {
                var to = transform.InverseTransformPoint(lookAt.position);
                Turns.LookAt(controls, to.x, to.y, to.z);
            }
            return controls;
        }

        void ShowPicture()
        {
            if (picture == null) return;
            var next = face.Picture.Take();
            if (next == null || next.Length != next.WidthPx * next.HeightPx * 4) return;
            if (texture == null || texture.width != next.WidthPx)
            {
                if (texture != null) Destroy(texture);
                texture = new Texture2D(next.WidthPx, next.HeightPx, TextureFormat.RGBA32, false);
            }
            // Into the texture's own memory: no copy on the managed heap. Unity counts rows from below, the server from above.
            var pixels = texture.GetRawTextureData<byte>();
            int row = next.WidthPx * 4;
            for (int y = 0; y < next.HeightPx; y++)
                Unity.Collections.NativeArray<byte>.Copy(next.Data, y * row, pixels, (next.HeightPx - 1 - y) * row, row);
            texture.Apply(false, false);
            block.SetTexture("_MainTex", texture); // of the built-in pipeline's materials
            block.SetTexture("_BaseMap", texture); // of the universal pipeline's
            picture.SetPropertyBlock(block);
        }

        void ShowMotion()
        {
            var motion = linePtsUs >= 0 && source.isPlaying ? face.Motion.At(linePtsUs + HeardUs()) : face.Motion.Latest();
            var started = face.Started; // gone at once when the connection is lost
            if (motion == null || started == null) return;
            if (head != null) head.localRotation = headAtRest * ToRotation(Turns.OfHead(motion));
            if (leftEye != null) leftEye.localRotation = leftEyeAtRest * ToRotation(Turns.OfEyes(motion));
            if (rightEye != null) rightEye.localRotation = rightEyeAtRest * ToRotation(Turns.OfEyes(motion));
            if (mesh != null) ShowWeights(motion, started.WeightNames);
        }

        /// <summary>How much of the line has been heard.</summary>
        long HeardUs()
        {
            long frame = speech != null ? speech.SpokenBy(source.timeSamples) : source.timeSamples;
            return (long)(1e6 * frame / source.clip.frequency);
        }

        void ShowWeights(V1.Motion motion, IList<string> names)
        {
            if (shapes == null)
            {
                shapes = VivantShapes.Find(mesh.sharedMesh, names);
                weights = new float[names.Count];
            }
            bool hasEyes = leftEye != null || rightEye != null;
            Turns.Weights(motion, names, weights, !hasEyes);
            for (int i = 0; i < shapes.Length; i++)
                if (shapes[i] >= 0) mesh.SetBlendShapeWeight(shapes[i], 100f * weights[i]);
        }

        static Quaternion ToRotation(Turn turn)
        {
            return Quaternion.Euler(turn.X, turn.Y, turn.Z);
        }
    }

    /// <summary>Blendshapes of a mesh by ARKit names, with or without a prefix such as "Face.".</summary>
    public static class VivantShapes
    {
        /// <summary>Per weight the mesh's index, or -1.</summary>
        public static int[] Find(Mesh mesh, IList<string> names)
        {
            var found = new int[names.Count];
            for (int i = 0; i < found.Length; i++)
            {
                found[i] = -1;
                for (int shape = 0; shape < mesh.blendShapeCount; shape++)
                {
                    string name = mesh.GetBlendShapeName(shape);
                    if (name == names[i] || name.EndsWith("." + names[i])) found[i] = shape;
                }
            }
            return found;
        }
    }

    /// <summary>Clips as the server takes them.</summary>
    public static class VivantAudio
    {
        /// <summary>The clip's channels mixed, at another rate. The clip must be readable (not streamed).</summary>
        public static float[] MonoAt(AudioClip clip, int rateHz)
        {
            var all = new float[clip.samples * clip.channels];
            clip.GetData(all, 0);
            return Pcm.Resample(all, clip.channels, clip.frequency, rateHz);
        }
    }
}
