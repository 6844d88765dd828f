// As much of Unity's API as the package uses, by hand, so that the component layer compiles without Unity. Nothing here runs.
using System;
using System.Collections;

namespace Unity.Collections
{
    public struct NativeArray<T> where T : struct
    {
        public static void Copy(T[] from, int first, NativeArray<T> to, int place, int length) { }
    }
}

namespace UnityEngine
{
    public class Object
    {
        public string name;
        public static void Destroy(Object what) { }
        public static bool operator ==(Object a, Object b) { return ReferenceEquals(a, b); }
        public static bool operator !=(Object a, Object b) { return !ReferenceEquals(a, b); }
        public override bool Equals(object other) { return ReferenceEquals(this, other); }
        public override int GetHashCode() { return 0; }
    }
    public class Component : Object
    {
        public Transform transform;
        public T GetComponent<T>() { return default(T); }
    }
    public class Behaviour : Component { }
    public class MonoBehaviour : Behaviour { }
    public class ScriptableObject : Object
    {
        public static T CreateInstance<T>() where T : ScriptableObject { return null; }
    }
    public class TextAsset : Object
    {
        public byte[] bytes;
        public string text;
    }
    public class Transform : Component
    {
        public Vector3 position;
        public Quaternion localRotation;
        public Vector3 InverseTransformPoint(Vector3 point) { return point; }
    }
    public struct Vector3
    {
        public float x, y, z;
        public static float Distance(Vector3 a, Vector3 b) { return 0; }
    }
    public struct Quaternion
    {
        public static Quaternion Euler(float x, float y, float z) { return default(Quaternion); }
        public static Quaternion operator *(Quaternion a, Quaternion b) { return a; }
    }
    public struct Rect { public Rect(float x, float y, float width, float height) { } }
    public class Camera : Behaviour { public static Camera main; }
    public class AudioClip : Object
    {
        public int samples, channels, frequency;
        public delegate void PCMReaderCallback(float[] data);
        public delegate void PCMSetPositionCallback(int position);
        public static AudioClip Create(string name, int lengthSamples, int channels, int frequency, bool stream, PCMReaderCallback read, PCMSetPositionCallback seek) { return null; }
        public bool GetData(float[] data, int offset) { return true; }
    }
    public class AudioSource : Behaviour
    {
        public AudioClip clip;
        public int timeSamples;
        public bool isPlaying;
        public void Play() { }
        public void Stop() { }
    }
    public class Renderer : Component { public void SetPropertyBlock(MaterialPropertyBlock block) { } }
    public class MaterialPropertyBlock { public void SetTexture(string name, Texture2D texture) { } }
    public class Mesh : Object
    {
        public int blendShapeCount;
        public string GetBlendShapeName(int shape) { return ""; }
    }
    public class SkinnedMeshRenderer : Renderer
    {
        public Mesh sharedMesh;
        public void SetBlendShapeWeight(int shape, float weight) { }
    }
    public enum TextureFormat { RGBA32 }
    public class Texture2D : Object
    {
        public int width, height;
        public Texture2D(int width, int height, TextureFormat format, bool mipmaps) { }
        public Unity.Collections.NativeArray<T> GetRawTextureData<T>() where T : struct { return default(Unity.Collections.NativeArray<T>); }
        public void Apply(bool mipmaps, bool makeUnreadable) { }
    }
    public struct Keyframe { public Keyframe(float time, float value) { } }
    public class AnimationCurve { public AnimationCurve(params Keyframe[] keys) { } }
    public class AnimationClip : Object
    {
        public float frameRate;
        public void SetCurve(string path, Type type, string property, AnimationCurve curve) { }
    }
    public static class Time { public static float unscaledTime; }
    public static class Mathf
    {
        public const float Rad2Deg = 57.29578f;
        public static float Clamp(float value, float low, float high) { return value; }
        public static float Atan2(float y, float x) { return 0; }
    }
    public enum RuntimePlatform { WindowsEditor, WindowsPlayer }
    public static class Application
    {
        public static string streamingAssetsPath;
        public static RuntimePlatform platform;
        public static event Action quitting { add { } remove { } }
    }
    public static class Debug
    {
        public static void Log(object what) { }
        public static void LogError(object what) { }
    }
    public enum KeyCode { Space }
    public static class Input { public static bool GetKeyDown(KeyCode key) { return false; } }
    public static class Screen { public static int width, height; }
    public static class GUI { public static void Label(Rect place, string text) { } }
    public sealed class HeaderAttribute : Attribute { public HeaderAttribute(string text) { } }
    public sealed class TooltipAttribute : Attribute { public TooltipAttribute(string text) { } }
    public sealed class RangeAttribute : Attribute { public RangeAttribute(float low, float high) { } }
    public sealed class RequireComponent : Attribute { public RequireComponent(Type type) { } }
    public sealed class ContextMenu : Attribute { public ContextMenu(string name) { } }
    public sealed class AddComponentMenu : Attribute { public AddComponentMenu(string name) { } }
    public sealed class CreateAssetMenuAttribute : Attribute { public string menuName { get; set; } }
}

namespace UnityEditor
{
    public sealed class InitializeOnLoadAttribute : Attribute { }
    public sealed class MenuItem : Attribute { public MenuItem(string path, bool validates = false) { } }
    public enum PlayModeStateChange { ExitingPlayMode }
    public static class EditorApplication
    {
        public static event Action quitting { add { } remove { } }
        public static event Action<PlayModeStateChange> playModeStateChanged { add { } remove { } }
    }
    public static class AssemblyReloadEvents
    {
        public delegate void AssemblyReloadCallback();
        public static event AssemblyReloadCallback beforeAssemblyReload { add { } remove { } }
    }
    public static class EditorUtility
    {
        public static bool DisplayCancelableProgressBar(string title, string info, float progress) { return false; }
        public static void ClearProgressBar() { }
        public static void CopySerialized(UnityEngine.Object from, UnityEngine.Object to) { }
    }
    public static class Selection { public static UnityEngine.Object activeObject; }
    public static class AssetDatabase
    {
        public static T LoadAssetAtPath<T>(string path) where T : UnityEngine.Object { return null; }
        public static void CreateAsset(UnityEngine.Object asset, string path) { }
        public static string GenerateUniqueAssetPath(string path) { return path; }
        public static string[] FindAssets(string filter, string[] folders) { return null; }
        public static string GUIDToAssetPath(string guid) { return guid; }
        public static void SaveAssets() { }
    }
}
