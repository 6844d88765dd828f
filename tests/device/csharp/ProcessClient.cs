using System;
using System.Diagnostics;
using System.Net.Http;
using System.Threading;
using Vivant;
using Vivant.V1;
using static Checks;

/// <summary>
/// A game with a server of its own: it starts, speaks, the server is killed and comes back, speaks again, and the server ends with
/// the game. With a second argument the game is left hanging, for somebody who kills it. Exit code 0: everything was as it must be.
/// </summary>
static class ProcessClient
{
    const int RateHz = 16000;
    /// <summary>One from chance needs an OpenSSL that the tests' old .NET does not find.</summary>
    const string MyToken = "a token of the test's own";
    const int WaitMs = 120000;

    static int Main(string[] arguments)
    {
        AppContext.SetSwitch("System.Net.Http.SocketsHttpHandler.Http2UnencryptedSupport", true);
        using (var server = new ServerProcess(arguments[0], arguments[1], MyToken) { Handler = () => new SocketsHttpHandler() })
        {
            var config = new SessionConfig { Portrait = new PortraitRef { Id = "ada" }, SizePx = 64, SampleRateHz = RateHz };
            using (var face = new FaceConnection(server, config))
            {
                Speaks(face, "said before the server is up");
                Console.WriteLine("server " + server.ProcessId);
                if (arguments.Length > 2) Thread.Sleep(Timeout.Infinite);
                RefusesWithoutToken(server);
                using (var killed = Process.GetProcessById(server.ProcessId)) killed.Kill();
                Until("the next server", () => server.Starts == 2 && face.Connections == 2 && face.Started != null);
                Console.WriteLine("server " + server.ProcessId);
                Speaks(face, "said to the next one");
            }
            int last = server.ProcessId;
            server.Dispose();
            Require(server.Ended.Wait(WaitMs), "an end");
            Until("the process to be gone", () => IsGone(last));
        }
        IsToldWhy();
        Console.WriteLine("ok");
        return 0;
    }

    static void Speaks(FaceConnection face, string line)
    {
        face.Begin(line);
        face.Push(new float[RateHz], RateHz);
        face.End();
        int pictures = 0;
        bool finished = false;
        Until(line, () =>
        {
            var picture = face.Picture.Take();
            if (picture != null && picture.UtteranceId == line) pictures++;
            for (Event next; (next = face.TakeEvent()) != null;)
            {
                Require(next.Type != EventType.Interrupted, "no loss of " + line);
                finished |= next.Type == EventType.UtteranceFinished && next.UtteranceId == line;
            }
            return finished;
        });
        Require(pictures > 0, "pictures of " + line);
        Console.WriteLine(line + ": " + pictures + " pictures");
    }

    static void RefusesWithoutToken(ServerProcess server)
    {
        var stranger = new FaceServer { Address = server.Address, Token = "guessed", Handler = server.Handler };
        using (var face = new FaceConnection(stranger, new SessionConfig { Portrait = new PortraitRef { Id = "ada" } }))
        {
            Until("a refusal", () => face.LastError is GrpcException);
            Require(((GrpcException)face.LastError).Status == 16, "UNAUTHENTICATED, got " + face.LastError.Message);
        }
    }

    static void IsToldWhy()
    {
        using (var missing = new ServerProcess("/nowhere/vivant-server", "", MyToken))
        {
            Until("word that there is no such program", () => missing.LastError != null);
            Require(missing.WhereAsync().IsCompleted == false || missing.WhereAsync().IsFaulted, "no address");
        }
    }

    static bool IsGone(int id)
    {
        try
        {
            using (Process.GetProcessById(id)) return false;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    static void Until(string what, Func<bool> condition) => Checks.Until(what, condition, WaitMs);
}
