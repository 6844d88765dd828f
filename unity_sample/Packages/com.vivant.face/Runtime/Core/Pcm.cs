using System;

namespace Vivant
{
    /// <summary>PCM audio as the server takes it: mono, 16 bit, little-endian.</summary>
    public static class Pcm
    {
        /// <summary>Samples in [-1, 1] rounded to 16 bit; louder ones are clipped.</summary>
        public static byte[] Encode(float[] samples, int first, int count)
        {
            var bytes = new byte[2 * count];
            for (int i = 0; i < count; i++)
            {
                short value = (short)Math.Round(Math.Max(-1f, Math.Min(1f, samples[first + i])) * 32767f);
                bytes[2 * i] = (byte)value;
                bytes[2 * i + 1] = (byte)(value >> 8);
            }
            return bytes;
        }

        /// <summary>A whole clip, by a <see cref="Resampler"/>.</summary>
        public static float[] Resample(float[] interleaved, int channels, int fromHz, int toHz)
        {
            var resampler = new Resampler(channels, fromHz, toHz);
            float[] most = resampler.Push(interleaved, interleaved.Length), rest = resampler.Flush();
            var all = new float[most.Length + rest.Length];
            most.CopyTo(all, 0);
            rest.CopyTo(all, most.Length);
            return all;
        }
    }

    /// <summary>
    /// Interleaved channels mixed to mono at another rate, piece by piece, band-limited: what the new rate cannot carry is left out
    /// and does not fold back as noise (a sinc of eight lobes a side under a Hann window). However the sound is cut into pieces, the
    /// same samples come out. One thread at a time.
    /// </summary>
    public sealed class Resampler
    {
        const int Lobes = 8, StepsPerLobe = 512;
        static readonly float[] Kernel = WindowedSinc();

        readonly int channels, fromHz, toHz;
        readonly double wide;
        /// <summary>Mono, of which the first is number <c>begin</c> of the whole sound.</summary>
        float[] mono = new float[0];
        long begin;
        long given;

        public Resampler(int channels, int fromHz, int toHz)
        {
            this.channels = channels;
            this.fromHz = fromHz;
            this.toHz = toHz;
            wide = Math.Max(1.0, (double)fromHz / toHz);
        }

        /// <summary>What has become certain by the next <paramref name="count"/> samples; the last few wait for what follows.</summary>
        public float[] Push(float[] interleaved, int count)
        {
            Mix(interleaved, count / channels);
            long end = begin + mono.Length;
            return UpTo((long)Math.Floor((end - 1 - Lobes * wide) * toHz / fromHz) + 1);
        }

        /// <summary>The rest, as if nothing followed.</summary>
        public float[] Flush()
        {
            return UpTo((begin + mono.Length) * toHz / fromHz);
        }

        void Mix(float[] interleaved, int frames)
        {
            long first = Math.Max(begin, (long)(given * (double)fromHz / toHz - Lobes * wide)); // earlier ones are needed no more
            int kept = (int)(begin + mono.Length - first);
            var joined = new float[kept + frames];
            Array.Copy(mono, mono.Length - kept, joined, 0, kept);
            for (int i = 0; i < frames; i++)
            {
                float sum = 0;
                for (int c = 0; c < channels; c++) sum += interleaved[i * channels + c];
                joined[kept + i] = sum / channels;
            }
            mono = joined;
            begin = first;
        }

        float[] UpTo(long end)
        {
            var samples = new float[Math.Max(0, end - given)];
            for (int i = 0; i < samples.Length; i++, given++) samples[i] = At((double)given * fromHz / toHz);
            return samples;
        }

        float At(double place)
        {
            long first = Math.Max(begin, (long)Math.Ceiling(place - Lobes * wide)), last = Math.Min(begin + mono.Length - 1, (long)(place + Lobes * wide));
            float sum = 0, total = 0;
            for (long j = first; j <= last; j++)
            {
                float weight = Kernel[(int)(Math.Abs(j - place) / wide * StepsPerLobe)];
                total += weight;
                sum += weight * mono[j - begin];
            }
            return sum / total;
        }

        static float[] WindowedSinc()
        {
            var kernel = new float[Lobes * StepsPerLobe + 1];
            kernel[0] = 1;
            for (int i = 1; i < kernel.Length; i++)
            {
                double x = Math.PI * i / StepsPerLobe;
                kernel[i] = (float)(Math.Sin(x) / x * 0.5 * (1 + Math.Cos(x / Lobes)));
            }
            return kernel;
        }
    }
}
