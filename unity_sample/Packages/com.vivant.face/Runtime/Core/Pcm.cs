using System;

namespace Vivant
{
    /// <summary>PCM audio as the server takes it: mono, 16 bit, little-endian.</summary>
    public static class Pcm
    {
        const int Lobes = 8, StepsPerLobe = 512;
        static readonly float[] Kernel = WindowedSinc();

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

        /// <summary>
        /// Interleaved channels mixed to mono at another rate, band-limited: what the new rate cannot carry is left out and does
        /// not fold back as noise (a sinc of eight lobes a side under a Hann window).
        /// </summary>
        public static float[] Resample(float[] interleaved, int channels, int fromHz, int toHz)
        {
            int frames = interleaved.Length / channels;
            double step = (double)fromHz / toHz, wide = Math.Max(1.0, step);
            var mono = new float[(int)((long)frames * toHz / fromHz)];
            for (int i = 0; i < mono.Length; i++)
            {
                double place = i * step;
                int first = Math.Max(0, (int)Math.Ceiling(place - Lobes * wide)), last = Math.Min(frames - 1, (int)(place + Lobes * wide));
                float sum = 0, total = 0;
                for (int j = first; j <= last; j++)
                {
                    float weight = Kernel[(int)(Math.Abs(j - place) / wide * StepsPerLobe)];
                    total += weight;
                    for (int c = 0; c < channels; c++) sum += weight * interleaved[j * channels + c];
                }
                mono[i] = sum / (total * channels);
            }
            return mono;
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
