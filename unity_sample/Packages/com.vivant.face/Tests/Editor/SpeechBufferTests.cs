using NUnit.Framework;

namespace Vivant.Tests
{
    /// <summary>Speech that is heard while it comes.</summary>
    public sealed class SpeechBufferTests
    {
        [Test]
        public void WhatHasNotComeIsSilenceAndTheSpeechWaits()
        {
            var speech = new SpeechBuffer(1);
            speech.Write(new[] { 0.1f, 0.2f, 0.3f }, 3);
            Assert.AreEqual("0.1 0.2", Heard(speech, 2));
            Assert.AreEqual("0.3 0 0", Heard(speech, 3));
            Assert.AreEqual("0 0", Heard(speech, 2));
            speech.Write(new[] { 0.4f, 0.5f }, 2);
            Assert.AreEqual("0.4 0.5 0", Heard(speech, 3));
            // Played frames 0 to 2 are speech, 3 to 6 silence, 7 and 8 speech.
            Assert.AreEqual(2L, speech.SpokenBy(2));
            Assert.AreEqual(3L, speech.SpokenBy(5));
            Assert.AreEqual(4L, speech.SpokenBy(8));
            Assert.AreEqual(5L, speech.SpokenBy(100));
        }

        [Test]
        public void ItIsOverWhenAllThatCameWasHeard()
        {
            var speech = new SpeechBuffer(2);
            speech.Write(new[] { 0.1f, 0.1f, 0.2f, 0.2f }, 4);
            Heard(speech, 8);
            Assert.IsTrue(!speech.IsOverBy(4));
            speech.Complete();
            Assert.IsTrue(!speech.IsOverBy(1));
            Assert.IsTrue(speech.IsOverBy(2));
        }

        [Test]
        public void WhatWasReadAheadIsHeardAgainFromThere()
        {
            var speech = new SpeechBuffer(1);
            speech.Write(new[] { 0.1f, 0.2f, 0.3f, 0.4f }, 4);
            Heard(speech, 3);
            speech.Seek(0);
            Assert.AreEqual("0.1 0.2", Heard(speech, 2));
            speech.Seek(1);
            Assert.AreEqual("0.2 0.3 0.4 0", Heard(speech, 4));
            Assert.AreEqual(4L, speech.SpokenBy(4));
        }

        [Test]
        public void MuchSpeechIsKept()
        {
            var speech = new SpeechBuffer(1);
            var second = new float[48000];
            for (int i = 0; i < 90; i++) speech.Write(second, second.Length);
            speech.Complete();
            Heard(speech, 90 * 48000);
            Assert.IsTrue(speech.IsOverBy(90 * 48000) && !speech.IsOverBy(90 * 48000 - 1));
        }

        static string Heard(SpeechBuffer speech, int count)
        {
            var heard = new float[count];
            for (int i = 0; i < count; i++) heard[i] = 9; // whatever was there before
            speech.Read(heard);
            var words = new string[count];
            for (int i = 0; i < count; i++) words[i] = heard[i].ToString("0.#", System.Globalization.CultureInfo.InvariantCulture);
            return string.Join(" ", words);
        }
    }
}
