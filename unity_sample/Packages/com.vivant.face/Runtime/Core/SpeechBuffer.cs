using System;
using System.Collections.Generic;

namespace Vivant
{
    /// <summary>
    /// Speech that is heard while it still comes, as a synthesiser gives it: written by the game, read by the audio thread, which
    /// hears silence where nothing has come yet. It knows which moment of the speech is heard when, pauses counted. Any thread.
    /// </summary>
    public sealed class SpeechBuffer
    {
        /// <summary>Frames that were heard one after the other.</summary>
        struct Stretch
        {
            public long Played;
            public long Spoken;
            public long Count;
        }

        readonly object gate = new object();
        readonly int channels;
        readonly List<Stretch> stretches = new List<Stretch>();
        float[] samples = new float[1 << 15];
        long written;
        long spoken;
        long played;
        bool isComplete;

        public SpeechBuffer(int channels)
        {
            this.channels = channels;
        }

        /// <summary>Adds interleaved samples.</summary>
        public void Write(float[] more, int count)
        {
            lock (gate)
            {
                if (samples.Length < written + count) Array.Resize(ref samples, (int)Math.Max(2L * samples.Length, written + count));
                Array.Copy(more, 0, samples, written, count);
                written += count;
            }
        }

        /// <summary>Nothing more will come.</summary>
        public void Complete()
        {
            lock (gate) isComplete = true;
        }

        /// <summary>The audio thread: the next interleaved samples that are heard.</summary>
        public void Read(float[] heard)
        {
            lock (gate)
            {
                long there = Math.Min(heard.Length, written - spoken * channels) / channels;
                int count = (int)there * channels;
                Array.Copy(samples, spoken * channels, heard, 0, count);
                Array.Clear(heard, count, heard.Length - count);
                if (there > 0) stretches.Add(new Stretch { Played = played, Spoken = spoken, Count = there });
                spoken += there;
                played += heard.Length / channels;
            }
        }

        /// <summary>The audio thread goes on from another frame, as it does when it begins: what was read beyond is heard again.</summary>
        public void Seek(int frame)
        {
            lock (gate)
            {
                spoken = SpokenAt(frame);
                stretches.RemoveAll(stretch => stretch.Played >= frame);
                played = frame;
            }
        }

        /// <summary>Frames of speech that have been heard when <paramref name="frame"/> is heard.</summary>
        public long SpokenBy(long frame)
        {
            lock (gate) return SpokenAt(frame);
        }

        /// <summary>Everything has been heard.</summary>
        public bool IsOverBy(long frame)
        {
            lock (gate) return isComplete && SpokenAt(frame) * channels >= written;
        }

        long SpokenAt(long frame)
        {
            for (int i = stretches.Count - 1; i >= 0; i--)
                if (stretches[i].Played <= frame) return stretches[i].Spoken + Math.Min(frame - stretches[i].Played, stretches[i].Count);
            return 0;
        }
    }
}
