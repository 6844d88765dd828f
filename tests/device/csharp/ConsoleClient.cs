using System;
using System.Diagnostics;
using System.Net.Http;
using System.Threading;
using Vivant;
using Vivant.V1;
using static Checks;

/// <summary>Talks to a real server as a game would, and says what it saw. Exit code 0: everything was as it must be.</summary>
static class ConsoleClient
{
    const int SidePx = 64;
    const int RateHz = 16000;
    const int WaitMs = 8000;

    static int Main(string[] arguments)
    {
        AppContext.SetSwitch("System.Net.Http.SocketsHttpHandler.Http2UnencryptedSupport", true);
        var server = new FaceServer { Address = new Uri(arguments[0]), Handler = () => new SocketsHttpHandler() };
        if (arguments.Length > 1) return Watches(server, int.Parse(arguments[1]));
        var config = new SessionConfig
        {
            Portrait = new PortraitRef { Id = "ada" },
            SizePx = SidePx,
            SampleRateHz = RateHz,
            Outputs = Outputs.FramesAndMotion,
        };
        using (var face = new FaceConnection(server, config))
        {
            Until("a connection", () => face.Started != null);
            Require(face.Started.WeightNames.Count == 52, "52 weight names");
            Speaks(face, "line 1");
            Interrupts(face);
            Speaks(face, "line 2");
            face.Reconnect();
            Until("a second connection", () => face.Connections == 2 && face.Started != null);
            Speaks(face, "line 3");
            LosesALine(face);
            Speaks(face, "line 4");
        }
        try
        {
            config.SizePx = 7;
            using (var refused = new FaceConnection(server, config))
            {
                Until("a refusal", () => refused.LastError is GrpcException);
                var error = (GrpcException)refused.LastError;
                Require(error.Status == 3 && error.Message.StartsWith("size_px must be"), "the server's sentence, got " + error.Message);
            }
        }
        finally
        {
            config.SizePx = SidePx;
        }
        Console.WriteLine("ok");
        return 0;
    }

    /// <summary>So many pictures of a megabyte each, and which they were.</summary>
    static int Watches(FaceServer server, int count)
    {
        var config = new SessionConfig { Portrait = new PortraitRef { Id = "ada" }, SizePx = 512, SampleRateHz = RateHz };
        using (var face = new FaceConnection(server, config))
        {
            for (int seen = 0; seen < count; seen++)
            {
                FacePicture picture = null;
                Until("a picture", () => (picture = face.Picture.Take()) != null);
                Console.Write(picture.Index + " ");
            }
        }
        Console.WriteLine("ok");
        return 0;
    }

    static void Speaks(FaceConnection face, string line)
    {
        Drain(face);
        face.Begin(line);
        face.Push(Tone(1), RateHz);
        face.End();
        long lastPts = -1;
        int pictures = 0;
        bool started = false, finished = false;
        Until(line + " to be spoken", () =>
        {
            var picture = face.Picture.Take();
            if (picture != null)
            {
                pictures += picture.UtteranceId == line ? 1 : 0;
                Require(picture.PtsUs > lastPts && picture.PtsUs % 40000 == 0, "pts on a grid of 40 ms that grows, got " + picture.PtsUs);
                Require(picture.PtsUs == 40000 * (long)picture.Index, "pts from the index");
                lastPts = picture.PtsUs;
                RequirePixels(picture);
            }
            for (Event next; (next = face.TakeEvent()) != null;)
            {
                started |= next.Type == EventType.UtteranceStarted && next.UtteranceId == line;
                finished |= next.Type == EventType.UtteranceFinished && next.UtteranceId == line;
            }
            return finished;
        });
        Require(started, "an event at the start of " + line);
        Require(pictures >= 15, "most of 25 pictures of " + line + ", got " + pictures);
        var motion = face.Motion.Latest();
        Require(motion != null && motion.Weights.Count == 52, "motion of 52 weights");
        Console.WriteLine(line + ": " + pictures + " pictures");
    }

    static void RequirePixels(FacePicture picture)
    {
        Require(picture.WidthPx == SidePx && picture.Length == SidePx * SidePx * 4, "whole pictures, got " + picture.Length + " bytes");
        // The test's face writes the frame's number into its middle row, a black or white px for each bit, and is opaque.
        ulong index = 0;
        for (int bit = 0; bit < 16; bit++)
            if (picture.Data[(SidePx / 2 * SidePx + bit) * 4] > 127)
                index |= 1ul << bit;
        Require(index == picture.Index, "the pixels of frame " + picture.Index + ", got those of " + index);
        Require(picture.Data[picture.Length - 1] == 255, "opaque pixels");
    }

    static void Interrupts(FaceConnection face)
    {
        face.Begin("long");
        face.Push(Tone(20), 20 * RateHz);
        Until("the long line", () =>
        {
            var picture = face.Picture.Take();
            return picture != null && picture.UtteranceId == "long";
        });
        var clock = Stopwatch.StartNew();
        face.Interrupt();
        bool stopped = false;
        Until("the interruption", () =>
        {
            var picture = face.Picture.Take();
            Require(picture == null || picture.Epoch == 1, "no picture from before the interruption");
            for (Event next; (next = face.TakeEvent()) != null;) stopped |= next.Type == EventType.Interrupted && next.UtteranceId == "long";
            return stopped;
        });
        Console.WriteLine("interrupted after " + clock.ElapsedMilliseconds + " ms");
    }

    static void LosesALine(FaceConnection face)
    {
        Drain(face);
        face.Begin("lost");
        face.Push(Tone(5), 5 * RateHz);
        Until("the line that gets lost", () =>
        {
            var picture = face.Picture.Take();
            return picture != null && picture.UtteranceId == "lost";
        });
        int before = face.Connections;
        face.Reconnect();
        face.Interrupt(); // perhaps into a connection that is gone: the next one must hear of it
        bool told = false;
        Until("word that the line is over, and a new connection", () =>
        {
            for (Event next; (next = face.TakeEvent()) != null;) told |= next.Type == EventType.Interrupted && next.UtteranceId == "lost";
            return told && face.Connections > before && face.Started != null;
        });
        Until("pictures of the new epoch", () =>
        {
            var picture = face.Picture.Take();
            Require(picture == null || picture.Epoch == 2, "no picture of an epoch that is over, got " + (picture == null ? 0 : picture.Epoch));
            return picture != null;
        });
    }

    static float[] Tone(int seconds)
    {
        var samples = new float[seconds * RateHz];
        for (int i = 0; i < samples.Length; i++) samples[i] = 0.3f * (float)Math.Sin(2 * Math.PI * 150 * i / RateHz);
        return samples;
    }

    static void Drain(FaceConnection face)
    {
        while (face.TakeEvent() != null) { }
        face.Picture.Take();
    }

    static void Until(string what, Func<bool> condition) => Checks.Until(what, condition, WaitMs);
}
