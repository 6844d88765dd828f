using System;
using Google.Protobuf;

namespace Vivant
{
    /// <summary>A picture as it came: rows from the top, in the session's pixel format.</summary>
    public sealed class FacePicture
    {
        public byte[] Data = new byte[0];
        public int Length;
        public ulong Index;
        public long PtsUs;
        public int WidthPx;
        public int HeightPx;
        public ulong Epoch;
        public string UtteranceId = "";
    }

    /// <summary>
    /// Hands the newest picture from the network's task to the main thread: three buffers change places, nothing is copied twice and
    /// nothing is allocated once their size is known.
    /// </summary>
    public sealed class LatestFrame
    {
        readonly object gate = new object();
        FacePicture filling = new FacePicture();
        FacePicture waiting = new FacePicture();
        FacePicture shown = new FacePicture();
        bool isFresh;
        ulong epoch;
        long skipped;

        /// <summary>Pictures that were replaced before anyone took them.</summary>
        public long Skipped
        {
            get { lock (gate) return skipped; }
        }

        /// <summary>The network's task: reads a serialised Frame and gives its index.</summary>
        public ulong Fill(CodedInputStream input, byte[] source, int frameEnd)
        {
            FrameReader.Read(input, source, frameEnd, filling);
            return filling.Index;
        }

        /// <summary>The network's task: what was filled becomes the newest, unless it is of an epoch that is over.</summary>
        public bool Publish()
        {
            lock (gate)
            {
                if (filling.Epoch < epoch) return false;
                if (isFresh) skipped++;
                var old = waiting;
                waiting = filling;
                filling = old;
                isFresh = true;
            }
            return true;
        }

        /// <summary>The main thread: the newest picture, or null when there is none since the last time. Valid until the next call.</summary>
        public FacePicture Take()
        {
            lock (gate)
            {
                if (!isFresh) return null;
                var old = shown;
                shown = waiting;
                waiting = old;
                isFresh = false;
                return shown;
            }
        }

        /// <summary>Forgets what nobody took, and whatever is of an earlier epoch.</summary>
        public void Clear(ulong epoch)
        {
            lock (gate)
            {
                isFresh = false;
                this.epoch = epoch;
            }
        }
    }

    /// <summary>Reads a Frame without the copy and the garbage of a ByteString.</summary>
    static class FrameReader
    {
        public static void Read(CodedInputStream input, byte[] source, int end, FacePicture picture)
        {
            picture.Length = 0;
            picture.Index = 0;
            picture.PtsUs = 0;
            picture.Epoch = 0;
            picture.UtteranceId = "";
            while (input.Position < end)
            {
                uint tag = input.ReadTag();
                switch (WireFormat.GetTagFieldNumber(tag))
                {
                    case V1.Frame.IndexFieldNumber: picture.Index = input.ReadUInt64(); break;
                    case V1.Frame.PtsUsFieldNumber: picture.PtsUs = (long)input.ReadUInt64(); break;
                    case V1.Frame.UtteranceIdFieldNumber: picture.UtteranceId = input.ReadString(); break;
                    case V1.Frame.EpochFieldNumber: picture.Epoch = input.ReadUInt64(); break;
                    case V1.Frame.WidthPxFieldNumber: picture.WidthPx = (int)input.ReadUInt32(); break;
                    case V1.Frame.HeightPxFieldNumber: picture.HeightPx = (int)input.ReadUInt32(); break;
                    case V1.Frame.DataFieldNumber:
                        int length = input.ReadLength();
                        int first = (int)input.Position;
                        if (length < 0 || first + length != end) throw new GrpcException(13, "the server sent a frame whose pixels do not end it");
                        if (picture.Data.Length < length) picture.Data = new byte[length];
                        Buffer.BlockCopy(source, first, picture.Data, 0, length);
                        picture.Length = length;
                        return;
                    default: input.SkipLastField(); break;
                }
            }
        }
    }
}
