using System.Collections;
using UnityEngine;

namespace Vivant.Samples
{
    /// <summary>Two characters take turns; a key interrupts whoever speaks. Subtitles by OnGUI, to need nothing else.</summary>
    public sealed class Dialogue : MonoBehaviour
    {
        [System.Serializable]
        public struct Line
        {
            public VivantFace speaker;
            public AudioClip clip;
            public string subtitle;
        }

        public Line[] lines;
        public KeyCode interruptKey = KeyCode.Space;
        string subtitle = "";

        IEnumerator Start()
        {
            foreach (var line in lines)
            {
                subtitle = line.subtitle;
                line.speaker.Say(line.clip);
                while (line.speaker.IsSpeaking)
                {
#if ENABLE_LEGACY_INPUT_MANAGER // otherwise Input throws
                    if (Input.GetKeyDown(interruptKey)) line.speaker.Interrupt();
#endif
                    yield return null;
                }
            }
            subtitle = "";
        }

        void OnGUI()
        {
            GUI.Label(new Rect(20, Screen.height - 60, Screen.width - 40, 40), subtitle);
        }
    }
}
