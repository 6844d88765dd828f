using System;
using System.IO;
using System.Net.Http;
using System.Threading;
using Vivant;
using Vivant.V1;

/// <summary>
/// A face on a server says a file of PCM (16 kHz, 16 bit, mono), and every picture of it becomes a file that any viewer shows:
/// <c>ShowFace http://127.0.0.1:50750 ada hello.pcm FOLDER</c>. Compiled with the Unity package's Runtime/Core and Google.Protobuf,
/// on any .NET from Core 3.1 on; docs/shipping.md has the command.
/// </summary>
static class ShowFace
{
    const int RateHz = 16000;
    const int SidePx = 256;

    static int Main(string[] arguments)
    {
        AppContext.SetSwitch("System.Net.Http.SocketsHttpHandler.Http2UnencryptedSupport", true); // Core 3.1 without TLS
        var server = new FaceServer { Address = new Uri(arguments[0]), Handler = () => new SocketsHttpHandler() };
        var config = new SessionConfig { Portrait = new PortraitRef { Id = arguments[1] }, SizePx = SidePx, SampleRateHz = RateHz };
        byte[] pcm = File.ReadAllBytes(arguments[2]);
        var samples = new float[pcm.Length / 2];
        for (int i = 0; i < samples.Length; i++) samples[i] = BitConverter.ToInt16(pcm, 2 * i) / 32768f;
        using (var face = new FaceConnection(server, config))
        {
            face.Begin("line");
            face.Push(samples, samples.Length);
            face.End();
            int shown = 0;
            for (bool isOver = false; !isOver; Thread.Sleep(1))
            {
                var picture = face.Picture.Take();
                if (picture != null && picture.UtteranceId == "line") File.WriteAllBytes(Path.Combine(arguments[3], (++shown).ToString("0000") + ".bmp"), ToBitmap(picture));
                for (Event next; (next = face.TakeEvent()) != null;) isOver |= next.UtteranceId == "line" && next.Type != EventType.UtteranceStarted;
            }
            Console.WriteLine(shown + " pictures");
            return shown > 0 ? 0 : 1;
        }
    }

    /// <summary>A bitmap file (BITMAPINFOHEADER, 32 bits, rows from the top by a negative height) of RGBA pixels.</summary>
    static byte[] ToBitmap(FacePicture picture)
    {
        const int HeadBytes = 54;
        var file = new MemoryStream();
        var writer = new BinaryWriter(file);
        writer.Write(new[] { (byte)'B', (byte)'M' });
        foreach (int number in new[] { HeadBytes + picture.Length, 0, HeadBytes, 40, picture.WidthPx, -picture.HeightPx, 1 | 32 << 16, 0, picture.Length, 0, 0, 0, 0 }) writer.Write(number);
        for (int i = 0; i < picture.Length; i += 4) writer.Write(new[] { picture.Data[i + 2], picture.Data[i + 1], picture.Data[i], picture.Data[i + 3] });
        return file.ToArray();
    }
}
