using UnityEditor;

namespace Vivant.Editor
{
    /// <summary>An open HTTP/2 connection hangs the editor on domain reload and at the end of play mode; close them first.</summary>
    [InitializeOnLoad]
    static class CloseConnections
    {
        static CloseConnections()
        {
            AssemblyReloadEvents.beforeAssemblyReload += VivantSessions.CloseAll;
            EditorApplication.quitting += VivantSessions.CloseAll;
            EditorApplication.playModeStateChanged += state =>
            {
                if (state == PlayModeStateChange.ExitingPlayMode) VivantSessions.CloseAll();
            };
        }
    }
}
