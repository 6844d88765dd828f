using System.Collections.Generic;
using UnityEngine;
using Vivant.V1;

namespace Vivant
{
    /// <summary>
    /// A character that speaks: give it an AudioClip, and its picture or its mesh follows the AudioSource's playback. Everything here
    /// runs on the main thread; the connection has tasks of its own.
    /// </summary>
    [AddComponentMenu("Vivant/Vivant Face")]
    [RequireComponent(typeof(AudioSource))]
    public sealed class VivantFace : MonoBehaviour
    {
        const int RateHz = 16000;

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
        [Tooltip("Or a mesh with ARKit blendshapes.")]
        public SkinnedMeshRenderer mesh;
        public int sizePx = 512;

        [Header("How it acts")]
        public Transform lookAt;
        public Emotion emotion = Emotion.Neutral;
        [Range(0f, 2f)] public float intensity = 1f;
        [Range(0, 100)] public int priority = 50;
        [Tooltip("Decides blinks, gaze and head motion; below 0 is one from chance, so that no two faces move in unison.")]
        public int seed = -1;

        FaceConnection face;
        AudioSource source;
        Texture2D texture;
        MaterialPropertyBlock block;
        int[] shapes;
        string line;
        long linePtsUs = -1;
        float nextSteer;
        int lines;

        /// <summary>True from Say until the line is over.</summary>
        public bool IsSpeaking
        {
            get { return line != null; }
        }

        /// <summary>Speaks a clip; one that is being spoken is interrupted.</summary>
        public void Say(AudioClip clip)
        {
            Interrupt();
            var samples = VivantAudio.MonoAt(clip, RateHz);
            line = (++lines).ToString();
            linePtsUs = -1;
            source.clip = clip;
            face.Begin(line);
            face.Push(samples, samples.Length);
            face.End();
        }

        /// <summary>Falls silent now.</summary>
        public void Interrupt()
        {
            if (line == null) return;
            line = null;
            source.Stop();
            face.Interrupt();
        }

        void OnEnable()
        {
            source = GetComponent<AudioSource>();
            block = new MaterialPropertyBlock();
            var config = new SessionConfig
            {
                Portrait = VivantServer.Portrait(portraitId, portraitImage),
                Consent = new Consent { Basis = portraitConsent },
                SizePx = (uint)sizePx,
                SampleRateHz = RateHz,
                PixelFormat = PixelFormat.Rgba,
                Outputs = picture == null ? Outputs.Motion : mesh == null ? Outputs.Frames : Outputs.FramesAndMotion,
            };
            if (seed >= 0) config.Seed = (ulong)seed;
            face = VivantSessions.Open(server.ToCore(), config);
        }

        void OnDisable()
        {
            VivantSessions.Close(face);
            face = null;
            if (texture != null) Destroy(texture);
            texture = null;
        }

        void Update()
        {
            for (V1.Event next; (next = face.TakeEvent()) != null;) Hear(next);
            if (Time.unscaledTime >= nextSteer) Steer();
            ShowPicture();
            ShowMotion();
        }

        void Hear(V1.Event what)
        {
            if (what.UtteranceId != line) return;
            if (what.Type == V1.EventType.UtteranceStarted)
            {
                // The first picture of the line is here: sound and picture begin together.
                linePtsUs = (long)what.PositionUs;
                source.Play();
            }
            else if (what.Type == V1.EventType.UtteranceFinished)
            {
                line = null;
            }
            else if (what.Type == V1.EventType.Interrupted)
            {
                // The connection was lost: without the face's motion the sound stops too.
                line = null;
                source.Stop();
            }
        }

        void Steer()
        {
            nextSteer = Time.unscaledTime + 0.1f;
            var controls = new Controls { Emotion = emotion, Intensity = intensity };
            if (lookAt != null)
            {
                var to = transform.InverseTransformPoint(lookAt.position);
                controls.GazeYawDeg = Mathf.Clamp(Mathf.Atan2(to.x, to.z) * Mathf.Rad2Deg, -30f, 30f);
                controls.GazePitchDeg = Mathf.Clamp(Mathf.Atan2(to.y, to.z) * Mathf.Rad2Deg, -30f, 30f);
            }
            face.SetControls(controls);
            var camera = Camera.main;
            if (camera != null) face.SetPriority((uint)priority, Vector3.Distance(camera.transform.position, transform.position));
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
            if (mesh == null) return;
            var motion = linePtsUs >= 0 && source.isPlaying
                ? face.Motion.At(linePtsUs + (long)(1e6 * source.timeSamples / source.clip.frequency))
                : face.Motion.Latest();
            var started = face.Started; // gone at once when the connection is lost
            if (motion == null || started == null) return;
            if (shapes == null) shapes = VivantShapes.Find(mesh.sharedMesh, started.WeightNames);
            for (int i = 0; i < shapes.Length; i++)
                if (shapes[i] >= 0) mesh.SetBlendShapeWeight(shapes[i], 100f * motion.Weights[i]);
            // The tongue is put out on top of its weight.
            int tongue = started.WeightNames.IndexOf("tongueOut");
            if (tongue >= 0 && shapes[tongue] >= 0)
                mesh.SetBlendShapeWeight(shapes[tongue], 100f * Mathf.Clamp(motion.Weights[tongue] + motion.TongueOut, 0f, 1f));
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
