using System.Collections.Generic;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using UnityEditor;
using UnityEngine;
using Vivant.V1;

namespace Vivant.Editor
{
    /// <summary>How a line is baked, and what the clip moves.</summary>
    public sealed class BakeOptions
    {
        public string PortraitId = "ada";
        public uint Fps = 30;
        /// <summary>Of the SkinnedMeshRenderer below the animator.</summary>
        public string MeshPath = "";
        /// <summary>Of the Transform that turns with the head; "" leaves it out.</summary>
        public string HeadPath = "Head";
        public Emotion Emotion = Emotion.Neutral;
        public float Intensity = 1;
        /// <summary>Null is one from chance.</summary>
        public ulong? Seed;
        public string Text = "";
    }

    /// <summary>Bakes AudioClips into AnimationClips of blendshapes and head, for games that ship no runtime.</summary>
    public static class ClipBaker
    {
        const int RateHz = 16000;
        const string Synthesize = "/vivant.v1.FaceService/Synthesize";

        [MenuItem("Assets/Vivant/Bake to Animation Clip", true)]
        static bool CanBake()
        {
            return Selection.activeObject is AudioClip;
        }

        [MenuItem("Assets/Vivant/Bake to Animation Clip")]
        static void BakeSelected()
        {
            var audio = (AudioClip)Selection.activeObject;
            var server = AssetDatabase.LoadAssetAtPath<VivantServer>("Assets/Vivant Server.asset") ?? ScriptableObject.CreateInstance<VivantServer>();
            AssetDatabase.CreateAsset(Bake(audio, server, new BakeOptions()), AssetDatabase.GenerateUniqueAssetPath("Assets/" + audio.name + " face.anim"));
        }

        /// <summary>Curves of one clip; waits for the server.</summary>
        public static AnimationClip Bake(AudioClip audio, VivantServer server, BakeOptions options)
        {
            var samples = VivantAudio.MonoAt(audio, RateHz);
            var core = server.ToCore();
            var names = new List<string>();
            return ToClip(Task.Run(() => MotionAsync(samples, core, options, names)).GetAwaiter().GetResult(), names, options);
        }

        static AnimationClip ToClip(List<V1.Motion> motion, List<string> names, BakeOptions options)
        {
            var clip = new AnimationClip { frameRate = options.Fps };
            var weights = motion.ConvertAll(at =>
            {
                var all = new float[names.Count];
                Turns.Weights(at, names, all, true);
                return all;
            });
            for (int i = 0; i < names.Count; i++)
            {
                int shape = i;
                Set(clip, motion, options.MeshPath, typeof(SkinnedMeshRenderer), "blendShape." + names[i], at => 100f * weights[at][shape]);
            }
            if (options.HeadPath == "") return clip;
            var turns = motion.ConvertAll(Turns.OfHead);
            Set(clip, motion, options.HeadPath, typeof(Transform), "localEulerAnglesRaw.x", at => turns[at].X);
            Set(clip, motion, options.HeadPath, typeof(Transform), "localEulerAnglesRaw.y", at => turns[at].Y);
            Set(clip, motion, options.HeadPath, typeof(Transform), "localEulerAnglesRaw.z", at => turns[at].Z);
            return clip;
        }

        static void Set(AnimationClip clip, List<V1.Motion> motion, string path, System.Type type, string property, System.Func<int, float> value)
        {
            var keys = new Keyframe[motion.Count];
            for (int i = 0; i < keys.Length; i++) keys[i] = new Keyframe(motion[i].PtsUs / 1e6f, value(i));
            clip.SetCurve(path, type, property, new AnimationCurve(keys));
        }

        static async Task<List<V1.Motion>> MotionAsync(float[] samples, FaceServer server, BakeOptions options, List<string> names)
        {
            var config = new SessionConfig
            {
                Portrait = new PortraitRef { Id = options.PortraitId },
                Fps = new Rational { Numerator = options.Fps, Denominator = 1 },
                SampleRateHz = RateHz,
                Outputs = Outputs.Motion,
                Controls = new Controls { Emotion = options.Emotion, Intensity = options.Intensity },
            };
            if (options.Seed.HasValue) config.Seed = options.Seed.Value;
            var request = new SynthesizeRequest { Config = config, Samples = UnsafeByteOperations.UnsafeWrap(Pcm.Encode(samples, 0, samples.Length)) };
            if (options.Text != "") request.Text = new Text { Text_ = options.Text };
            var address = await server.WhereAsync().ConfigureAwait(false);
            var metadata = new List<KeyValuePair<string, string>>();
            if (server.Token != "") metadata.Add(new KeyValuePair<string, string>("authorization", "Bearer " + server.Token));
            var motion = new List<V1.Motion>();
            using (var http = new HttpClient(server.Handler()) { Timeout = Timeout.InfiniteTimeSpan })
            using (var call = new GrpcCall(http, address, Synthesize, metadata))
            {
                await call.WriteAsync(request).ConfigureAwait(false);
                call.CompleteWriting();
                while (true)
                {
                    var message = await call.ReadAsync().ConfigureAwait(false);
                    if (message.Array == null) return motion;
                    var response = SynthesizeResponse.Parser.ParseFrom(message.Array, message.Offset, message.Count);
                    if (response.Started != null) names.AddRange(response.Started.WeightNames);
                    if (response.Motion != null) motion.Add(response.Motion);
                }
            }
        }
    }
}
