using System.Collections.Generic;

namespace Vivant
{
    /// <summary>Motion that waits for its time: filled by the network's task, asked by the main thread.</summary>
    public sealed class MotionBuffer
    {
        const int Most = 256;

        readonly object gate = new object();
        readonly Queue<V1.Motion> waiting = new Queue<V1.Motion>();
        V1.Motion current;
        ulong epoch;

        /// <summary>Unless it is of an epoch that is over.</summary>
        public void Add(V1.Motion motion)
        {
            lock (gate)
            {
                if (motion.Epoch < epoch) return;
                if (waiting.Count == Most) waiting.Dequeue();
                waiting.Enqueue(motion);
            }
        }

        /// <summary>What the face does at this moment of audio time; null before the first.</summary>
        public V1.Motion At(long ptsUs)
        {
            lock (gate)
            {
                while (waiting.Count > 0 && (long)waiting.Peek().PtsUs <= ptsUs) current = waiting.Dequeue();
                return current;
            }
        }

        /// <summary>The newest, whatever its time.</summary>
        public V1.Motion Latest()
        {
            return At(long.MaxValue);
        }

        /// <summary>Forgets what waits, and whatever is of an earlier epoch.</summary>
        public void Clear(ulong epoch)
        {
            lock (gate)
            {
                waiting.Clear();
                this.epoch = epoch;
            }
        }
    }
}
