using System.Collections.Generic;
using Google.Protobuf;
using NUnit.Framework;
using Vivant.V1;

namespace Vivant.Tests
{
    /// <summary>What lies between the network's task and the main thread.</summary>
    public sealed class BufferTests
    {
        [Test]
        public void TheNewestPictureWinsAndIsGivenOnce()
        {
            var latest = new LatestFrame();
            Assert.IsNull(latest.Take());
            Receive(latest, 1, 0);
            Receive(latest, 2, 0);
            Assert.AreEqual(2UL, latest.Take().Index);
            Assert.IsNull(latest.Take());
            Assert.AreEqual(1L, latest.Skipped);
        }

        [Test]
        public void APictureOfAnEpochThatIsOverIsNotShown()
        {
            var latest = new LatestFrame();
            Receive(latest, 1, 0);
            latest.Clear(1);
            Assert.IsNull(latest.Take());
            Receive(latest, 2, 0);
            Assert.IsNull(latest.Take());
            Receive(latest, 3, 1);
            Assert.AreEqual(3UL, latest.Take().Index);
        }

        [Test]
        public void PicturesThatGoRoundKeepTheirMemory()
        {
            var latest = new LatestFrame();
            var seen = new HashSet<byte[]>();
            for (ulong index = 1; index <= 12; index++)
            {
                Receive(latest, index, 0);
                seen.Add(latest.Take().Data);
            }
            Assert.IsTrue(seen.Count <= 3);
        }

        [Test]
        public void MotionWaitsForItsTime()
        {
            var buffer = new MotionBuffer();
            Assert.IsNull(buffer.At(0));
            foreach (ulong ptsUs in new ulong[] { 0, 40000, 80000 }) buffer.Add(new Motion { PtsUs = ptsUs });
            Assert.AreEqual(0UL, buffer.At(39999).PtsUs);
            Assert.AreEqual(40000UL, buffer.At(40000).PtsUs);
            Assert.AreEqual(80000UL, buffer.Latest().PtsUs);
            buffer.Add(new Motion { PtsUs = 120000 });
            buffer.Clear(1);
            Assert.AreEqual(80000UL, buffer.Latest().PtsUs);
            buffer.Add(new Motion { PtsUs = 160000 });
            Assert.AreEqual(80000UL, buffer.Latest().PtsUs);
            buffer.Add(new Motion { PtsUs = 200000, Epoch = 1 });
            Assert.AreEqual(200000UL, buffer.Latest().PtsUs);
        }

        [Test]
        public void MotionNobodyAsksForIsForgottenFromTheFront()
        {
            var buffer = new MotionBuffer();
            for (ulong i = 0; i < 1000; i++) buffer.Add(new Motion { PtsUs = i });
            Assert.AreEqual(744UL, buffer.At(744).PtsUs);
            Assert.AreEqual(744UL, buffer.At(0).PtsUs);
        }

        static void Receive(LatestFrame latest, ulong index, ulong epoch)
        {
            var frame = new Frame { Index = index, PtsUs = 40000 * index, Epoch = epoch, WidthPx = 2, HeightPx = 2, Data = ByteString.CopyFrom(new byte[16]) };
            byte[] bytes = frame.ToByteArray();
            latest.Fill(new CodedInputStream(bytes), bytes, bytes.Length);
            latest.Publish();
        }
    }
}
