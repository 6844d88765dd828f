using System;
using System.Collections.Generic;
using System.IO;
using UnityEditor;
using UnityEngine;
using Vivant.V1;

namespace Vivant.Editor
{
    /// <summary>
    /// A folder of lines that becomes a folder of AnimationClips: by a table, or every AudioClip in it. Its menu has *Bake*. A clip
    /// that is there already is changed in place, so that whatever refers to it stays.
    /// </summary>
    [CreateAssetMenu(menuName = "Vivant/Bake List")]
    public sealed class BakeList : ScriptableObject
    {
        public VivantServer server;
        [Tooltip("Where the AudioClips are.")]
        public string voices = "Assets/Dialogue";
        [Tooltip("Where the AnimationClips go.")]
        public string results = "Assets/Dialogue/Faces";
        [Tooltip("A .csv with columns file, text, character, portrait, emotion, intensity, seed, output; without one every AudioClip is baked.")]
        public TextAsset table;

        [Header("Where a row says nothing")]
        public string portraitId = "ada";
        public Emotion emotion = Emotion.Neutral;
        [Range(0f, 2f)] public float intensity = 1f;

        [Header("What the clips move")]
        [Range(12, 60)] public int fps = 30;
        public string meshPath = "";
        public string headPath = "Head";

        [ContextMenu("Bake")]
        public void Bake()
        {
            int failed = 0;
            var lines = table == null ? Everything() : DialogueTable.Parse(table.text);
            try
            {
                for (int i = 0; i < lines.Count; i++)
                {
                    if (EditorUtility.DisplayCancelableProgressBar("Vivant", lines[i].File, (float)i / lines.Count)) break;
                    try
                    {
                        Bake(lines[i]);
                    }
                    catch (Exception error)
                    {
                        failed++;
                        Debug.LogError("row " + lines[i].Row + ", " + lines[i].File + ": " + error.Message);
                    }
                }
            }
            finally
            {
                EditorUtility.ClearProgressBar();
                AssetDatabase.SaveAssets();
            }
            Debug.Log(lines.Count + " lines, " + failed + " failed");
        }

        List<DialogueLine> Everything()
        {
            var lines = new List<DialogueLine>();
            foreach (string guid in AssetDatabase.FindAssets("t:AudioClip", new[] { voices }))
                lines.Add(new DialogueLine { Row = lines.Count + 1, File = AssetDatabase.GUIDToAssetPath(guid).Substring(voices.Length + 1) });
            return lines;
        }

        void Bake(DialogueLine line)
        {
            var audio = AssetDatabase.LoadAssetAtPath<AudioClip>(voices + "/" + line.File);
            if (audio == null) throw new FileNotFoundException("there is no AudioClip of that name in " + voices);
            var clip = ClipBaker.Bake(audio, server, new BakeOptions
            {
                PortraitId = line.Portrait != "" ? line.Portrait : portraitId,
                Emotion = line.Emotion ?? emotion,
                Intensity = line.Intensity ?? intensity,
                Seed = line.Seed,
                Text = line.Text,
                Fps = (uint)fps,
                MeshPath = meshPath,
                HeadPath = headPath,
            });
            Keep(clip, results + "/" + line.ResultName + ".anim");
        }

        static void Keep(AnimationClip clip, string path)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path));
            var there = AssetDatabase.LoadAssetAtPath<AnimationClip>(path);
            if (there == null) AssetDatabase.CreateAsset(clip, path);
            else EditorUtility.CopySerialized(clip, there);
        }
    }
}
