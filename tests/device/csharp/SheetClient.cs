using System;
using System.Diagnostics;
using System.IO;
using System.Net.Http;
using System.Threading;
using Vivant;
using Vivant.V1;

/// <summary>Lets a face say a file of PCM (16 kHz, 16 bit, mono) and writes every eighth picture of it, as raw RGBA, into a folder.</summary>
static class SheetClient
{
    const int RateHz = 16000;
    const int Every = 8;

    static int Main(string[] arguments)
    {
        AppContext.SetSwitch("System.Net.Http.SocketsHttpHandler.Http2UnencryptedSupport", true);
        var server = new FaceServer { Address = new Uri(arguments[0]), Handler = () => new SocketsHttpHandler() };
        var config = new SessionConfig { Portrait = new PortraitRef { Id = arguments[1] }, SizePx = 256, SampleRateHz = RateHz };
        byte[] pcm = File.ReadAllBytes(arguments[2]);
        var samples = new float[pcm.Length / 2];
        for (int i = 0; i < samples.Length; i++) samples[i] = BitConverter.ToInt16(pcm, 2 * i) / 32768f;
        using (var face = new FaceConnection(server, config))
        {
            var clock = Stopwatch.StartNew();
            while (face.Started == null && clock.ElapsedMilliseconds < 20000) Thread.Sleep(1);
            face.Begin("line");
            face.Push(samples, samples.Length);
            face.End();
            int seen = 0;
            for (bool finished = false; !finished && clock.ElapsedMilliseconds < 60000; Thread.Sleep(1))
            {
                var picture = face.Picture.Take();
                if (picture != null && picture.UtteranceId == "line" && seen++ % Every == 0)
                    using (var file = File.Create(Path.Combine(arguments[3], seen.ToString("0000") + ".rgba"))) file.Write(picture.Data, 0, picture.Length);
                for (Event next; (next = face.TakeEvent()) != null;) finished |= next.Type == EventType.UtteranceFinished;
            }
            return seen > 0 ? 0 : 1;
        }
    }
}
