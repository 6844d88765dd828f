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
    /// <summary>Bakes an AudioClip into an AnimationClip of blendshapes and head, for games that ship no runtime.</summary>
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
            AssetDatabase.CreateAsset(Bake(audio, server, "ada", 30, ""), AssetDatabase.GenerateUniqueAssetPath("Assets/" + audio.name + " face.anim"));
        }

        /// <summary>Curves for a SkinnedMeshRenderer at <paramref name="path"/> below the animator; waits for the server.</summary>
        public static AnimationClip Bake(AudioClip audio, VivantServer server, string portraitId, uint fps, string path)
        {
            var samples = VivantAudio.MonoAt(audio, RateHz);
            var names = new List<string>();
            var baked = Task.Run(() => Motion(samples, server.ToCore(), portraitId, fps, names)).GetAwaiter().GetResult();
            return ToClip(baked, names, fps, path);
        }

        static AnimationClip ToClip(List<V1.Motion> motion, List<string> names, uint fps, string path)
        {
            var clip = new AnimationClip { frameRate = fps };
            for (int i = 0; i < names.Count; i++) Set(clip, motion, path, typeof(SkinnedMeshRenderer), "blendShape." + names[i], at => 100f * at.Weights[i]);
            Set(clip, motion, path, typeof(Transform), "localEulerAnglesRaw.x", at => -at.Pose.PitchDeg);
            Set(clip, motion, path, typeof(Transform), "localEulerAnglesRaw.y", at => at.Pose.YawDeg);
            Set(clip, motion, path, typeof(Transform), "localEulerAnglesRaw.z", at => at.Pose.RollDeg);
            return clip;
        }

        static void Set(AnimationClip clip, List<V1.Motion> motion, string path, System.Type type, string property, System.Func<V1.Motion, float> value)
        {
            var keys = new Keyframe[motion.Count];
            for (int i = 0; i < keys.Length; i++) keys[i] = new Keyframe(motion[i].PtsUs / 1e6f, value(motion[i]));
            clip.SetCurve(path, type, property, new AnimationCurve(keys));
        }

        static async Task<List<V1.Motion>> Motion(float[] samples, FaceServer server, string portraitId, uint fps, List<string> names)
        {
            var config = new SessionConfig
            {
                Portrait = new PortraitRef { Id = portraitId },
                Fps = new Rational { Numerator = fps, Denominator = 1 },
                SampleRateHz = RateHz,
                Outputs = Outputs.Motion,
            };
            var motion = new List<V1.Motion>();
            var metadata = new List<KeyValuePair<string, string>>();
            if (server.Token != "") metadata.Add(new KeyValuePair<string, string>("authorization", "Bearer " + server.Token));
            using (var http = new HttpClient(server.Handler()) { Timeout = Timeout.InfiniteTimeSpan })
            using (var call = new GrpcCall(http, server.Address, Synthesize, metadata))
            {
                await call.WriteAsync(new SynthesizeRequest { Config = config, Samples = UnsafeByteOperations.UnsafeWrap(Pcm.Encode(samples, 0, samples.Length)) }).ConfigureAwait(false);
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
