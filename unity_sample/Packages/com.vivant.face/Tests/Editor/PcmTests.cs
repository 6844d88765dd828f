using System;
using System.Collections.Generic;
using NUnit.Framework;

namespace Vivant.Tests
{
    /// <summary>Sound on its way to the server.</summary>
    public sealed class PcmTests
    {
        const int FromHz = 48000, ToHz = 16000;

        [Test]
        public void SamplesAreRoundedAndClipped()
        {
            var bytes = Pcm.Encode(new[] { 9f, 0.5f, 0.99999f / 32767f, -1f, -7f }, 1, 4);
            Assert.AreEqual("00-40-01-00-01-80-01-80", BitConverter.ToString(bytes));
        }

        [Test]
        public void AVoiceKeepsItsLevelAtALowerRate()
        {
            foreach (int hz in new[] { 100, 1000, 4000, 6000 })
            {
                double level = Level(Pcm.Resample(Tone(hz, 1), 1, FromHz, ToHz));
                Assert.IsTrue(level > 0.97 && level < 1.03);
            }
        }

        [Test]
        public void WhatTheLowerRateCannotCarryIsGone()
        {
            foreach (int hz in new[] { 10000, 12000, 15000, 17000, 23000 }) Assert.IsTrue(Level(Pcm.Resample(Tone(hz, 1), 1, FromHz, ToHz)) < 0.01);
        }

        [Test]
        public void ChannelsAreMixedAndTheSameRateChangesNothing()
        {
            var stereo = new[] { 0.2f, 0.4f, -0.6f, -0.2f };
            var mono = Pcm.Resample(stereo, 2, ToHz, ToHz);
            Assert.AreEqual(2, mono.Length);
            Assert.IsTrue(Math.Abs(mono[0] - 0.3f) < 1e-5 && Math.Abs(mono[1] + 0.4f) < 1e-5);
        }

        [Test]
        public void ALowRateIsRaised()
        {
            var raised = Pcm.Resample(Tone(200, 1, 8000), 1, 8000, ToHz);
            Assert.AreEqual(ToHz, raised.Length);
            Assert.IsTrue(Math.Abs(Level(raised) - 1) < 0.03);
        }

        [Test]
        public void PiecesGiveTheSameSamplesAsTheWhole()
        {
            var tone = Tone(440, 1);
            var whole = Pcm.Resample(tone, 1, FromHz, ToHz);
            var resampler = new Resampler(1, FromHz, ToHz);
            var pieces = new List<float>();
            for (int first = 0, count = 1; first < tone.Length; first += count, count = count * 7 % 1009 + 1)
            {
                count = Math.Min(count, tone.Length - first);
                var piece = new float[count];
                Array.Copy(tone, first, piece, 0, count);
                pieces.AddRange(resampler.Push(piece, count));
            }
            pieces.AddRange(resampler.Flush());
            Assert.AreEqual(whole.Length, pieces.Count);
            for (int i = 0; i < whole.Length; i++) Assert.IsTrue(Math.Abs(whole[i] - pieces[i]) < 1e-5);
        }

        static float[] Tone(int hz, int seconds, int rateHz = FromHz)
        {
            var samples = new float[seconds * rateHz];
            for (int i = 0; i < samples.Length; i++) samples[i] = (float)Math.Sin(2 * Math.PI * hz * i / rateHz);
            return samples;
        }

        /// <summary>Of a sine's own, without the ends.</summary>
        static double Level(float[] samples)
        {
            double sum = 0;
            int count = 0;
            for (int i = 1000; i < samples.Length - 1000; i++, count++) sum += samples[i] * samples[i];
            return Math.Sqrt(2 * sum / count);
        }
    }
}
