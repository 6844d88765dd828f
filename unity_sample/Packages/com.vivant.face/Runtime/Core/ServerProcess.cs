using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

namespace Vivant
{
    /// <summary>
    /// A server of the game's own, on a free port of loopback: it starts with this object, is started again when it dies, and ends
    /// with <see cref="Dispose"/> or with the game, however that ends, for the server watches its standard input. The token goes
    /// there, and nobody else hears it. Tasks of its own; all members from any thread.
    /// </summary>
    public sealed class ServerProcess : FaceServer, IDisposable
    {
        const int FirstPauseMs = 250;
        const int LongestPauseMs = 8000;
        /// <summary>Whoever lived so long starts again without a long pause; chosen.</summary>
        const int SteadyMs = 10000;
        /// <summary>Time to end by itself before it is killed; chosen.</summary>
        const int EndMs = 3000;
        /// <summary>Last lines of the server's log that an error quotes.</summary>
        const int QuotedLines = 5;

        readonly string program;
        readonly string arguments;
        readonly TaskCompletionSource<bool> stopped = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly Queue<string> log = new Queue<string>();
        readonly Task running;
        volatile TaskCompletionSource<Uri> place = NewPlace();
        volatile Exception lastError;
        volatile int starts;
        volatile int processId;

        /// <summary>
        /// Starts a program that takes the arguments of <c>vivant serve</c>, such as the bundle's <c>vivant-server</c>;
        /// <paramref name="arguments"/> come before those that are needed. The token is one from chance unless it is named.
        /// </summary>
        public ServerProcess(string program, string arguments = "", string token = null)
        {
            this.program = program;
            this.arguments = arguments + " --embedded --port 0";
            Token = token ?? NewToken();
            running = Task.Run(RunAsync);
        }

        /// <summary>Why the last process ended, or could not be started; null if none did.</summary>
        public Exception LastError { get { return lastError; } }

        /// <summary>How often one listened.</summary>
        public int Starts { get { return starts; } }

        /// <summary>Of the process that runs; 0 while there is none.</summary>
        public int ProcessId { get { return processId; } }

        /// <summary>Complete once the process is gone after <see cref="Dispose"/>.</summary>
        public Task Ended { get { return running; } }

        public override Task<Uri> WhereAsync()
        {
            return place.Task;
        }

        /// <summary>Ends the server and returns at once.</summary>
        public void Dispose()
        {
            stopped.TrySetResult(true);
        }

        async Task RunAsync()
        {
            int pauseMs = FirstPauseMs;
            while (!stopped.Task.IsCompleted)
            {
                var lived = Stopwatch.StartNew();
                try
                {
                    await ServeAsync().ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    lastError = error;
                    place.TrySetException(error); // whoever waits hears why; the next who asks waits for the next start
                }
                processId = 0;
                place = NewPlace();
                pauseMs = lived.ElapsedMilliseconds > SteadyMs ? FirstPauseMs : Math.Min(2 * pauseMs, LongestPauseMs);
                await Task.WhenAny(Task.Delay(pauseMs), stopped.Task).ConfigureAwait(false);
            }
            place.TrySetException(new ObjectDisposedException("the server was stopped"));
        }

        /// <summary>One life of the server, until it is stopped. Throws when it ended by itself.</summary>
        async Task ServeAsync()
        {
            using (var process = Start())
            {
                try
                {
                    processId = process.Id;
                    await process.StandardInput.WriteLineAsync(Token).ConfigureAwait(false);
                    await process.StandardInput.FlushAsync().ConfigureAwait(false);
                    for (string line; (line = await NextLineAsync(process).ConfigureAwait(false)) != null;) Hear(line);
                    if (!stopped.Task.IsCompleted) throw new IOException("the server ended by itself; the last lines of its log: " + Log());
                }
                finally
                {
                    await EndAsync(process).ConfigureAwait(false);
                }
            }
        }

        Process Start()
        {
            lock (log) log.Clear();
            var process = new Process
            {
                StartInfo = new ProcessStartInfo(program, arguments)
                {
                    UseShellExecute = false,
                    CreateNoWindow = true,
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                },
            };
            process.ErrorDataReceived += (sender, line) => Keep(line.Data);
            process.Start();
            process.BeginErrorReadLine();
            return process;
        }

        /// <summary>Null once the server is gone, or is to go.</summary>
        async Task<string> NextLineAsync(Process process)
        {
            var reading = process.StandardOutput.ReadLineAsync();
            return await Task.WhenAny(reading, stopped.Task).ConfigureAwait(false) == reading ? await reading.ConfigureAwait(false) : null;
        }

        /// <summary>The one line of JSON that says where it listens; others mean nothing.</summary>
        void Hear(string line)
        {
            var port = Regex.Match(line, "\"port\": *([0-9]+)");
            if (!port.Success) return;
            Address = new Uri("http://127.0.0.1:" + port.Groups[1].Value);
            starts++; // written by this task alone
            place.TrySetResult(Address);
        }

        static async Task EndAsync(Process process)
        {
            try
            {
                process.StandardInput.Dispose(); // the server ends with it
            }
            catch (IOException)
            {
                // It is gone already.
            }
            await Task.Run(() =>
            {
                if (process.WaitForExit(EndMs)) return;
                try
                {
                    process.Kill();
                }
                catch (InvalidOperationException)
                {
                    // It ended meanwhile.
                }
            }).ConfigureAwait(false);
        }

        void Keep(string line)
        {
            if (line == null) return;
            lock (log)
            {
                log.Enqueue(line);
                if (log.Count > QuotedLines) log.Dequeue();
            }
        }

        string Log()
        {
            lock (log) return string.Join("\n", log.ToArray());
        }

        static TaskCompletionSource<Uri> NewPlace()
        {
            return new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        static string NewToken()
        {
            var bytes = new byte[32];
            using (var random = RandomNumberGenerator.Create()) random.GetBytes(bytes);
            return BitConverter.ToString(bytes).Replace("-", "");
        }
    }
}
