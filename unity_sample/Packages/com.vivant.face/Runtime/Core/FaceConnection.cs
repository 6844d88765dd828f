using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Vivant.V1;

namespace Vivant
{
    /// <summary>Where the server is.</summary>
    public sealed class FaceServer
    {
        public Uri Address = new Uri("http://127.0.0.1:50750");
        public string Token = "";
        /// <summary>Speaks HTTP/2; owned by whoever made it.</summary>
        public Func<HttpMessageHandler> Handler;
    }

    /// <summary>
    /// One speaking character on a server. Connects again by itself, with growing pauses, until it is disposed. The verbs may be
    /// called from any thread and never wait; pictures, motion and events are taken from the main thread. One task talks to the
    /// server; whatever it shares with callers is volatile, interlocked or under the lock of <c>config</c>.
    /// </summary>
    public sealed class FaceConnection : IDisposable
    {
        const string Animate = "/vivant.v1.FaceService/Animate";
        const int ChunkSamples = 16000;
        const int FirstPauseMs = 250;
        const int LongestPauseMs = 8000;

        public readonly LatestFrame Picture = new LatestFrame();
        public readonly MotionBuffer Motion = new MotionBuffer();
        readonly ConcurrentQueue<Event> events = new ConcurrentQueue<Event>();
        readonly FaceServer server;
        readonly SessionConfig config;
        readonly CancellationTokenSource stop = new CancellationTokenSource();
        readonly Task running;
        volatile Outbox outbox = new Outbox();
        volatile GrpcCall call;
        Receipts receipts;
        volatile SessionStarted started;
        volatile Statistics statistics;
        volatile Exception lastError;
        volatile int connections;
        long epoch;
        string line;

        public FaceConnection(FaceServer server, SessionConfig config)
        {
            this.server = server;
            this.config = config;
            running = Task.Run(RunAsync);
        }

        /// <summary>The config in effect; null while there is no connection.</summary>
        public SessionStarted Started { get { return started; } }

        /// <summary>Of the call, about once a second.</summary>
        public Statistics Statistics { get { return statistics; } }

        /// <summary>Why the last connection ended; null if it did not.</summary>
        public Exception LastError { get { return lastError; } }

        /// <summary>How often a connection stood.</summary>
        public int Connections { get { return connections; } }

        /// <summary>Begins a line.</summary>
        public void Begin(string utteranceId)
        {
            Volatile.Write(ref line, utteranceId);
            Send(new AnimateRequest { UtteranceStart = new UtteranceStart { UtteranceId = utteranceId } });
        }

        /// <summary>Adds mono audio in [-1, 1] at the config's rate, as much as there is.</summary>
        public void Push(float[] samples, int count)
        {
            for (int first = 0; first < count; first += ChunkSamples)
            {
                int length = Math.Min(ChunkSamples, count - first);
                var bytes = Pcm.Encode(samples, first, length);
                Send(new AnimateRequest { Audio = new Audio { Samples = UnsafeByteOperations.UnsafeWrap(bytes) } });
            }
        }

        /// <summary>The line is complete; it is spoken to its end.</summary>
        public void End()
        {
            Send(new AnimateRequest { UtteranceEnd = new UtteranceEnd() });
        }

        /// <summary>
        /// Stops speaking now. Nothing older is shown from here on, also not what is on its way. While there is no connection it is
        /// kept, and said to the next one.
        /// </summary>
        public void Interrupt()
        {
            ulong next = (ulong)Interlocked.Increment(ref epoch);
            Picture.Clear();
            Motion.Clear();
            Send(new AnimateRequest { Interrupt = new Interrupt { Epoch = next } });
        }

        /// <summary>Steers the face, eased; kept for the next connection.</summary>
        public void SetControls(Controls controls)
        {
            lock (config) config.Controls = controls;
            Send(new AnimateRequest { Controls = controls });
        }

        /// <summary>Another portrait from now on; kept for the next connection.</summary>
        public void SetPortrait(PortraitRef portrait)
        {
            lock (config) config.Portrait = portrait;
            Send(new AnimateRequest { Portrait = portrait });
        }

        /// <summary>How much the face matters to the server's load shedder: 0 to 100, and metres from the camera.</summary>
        public void SetPriority(uint priority, float distanceM)
        {
            Send(new AnimateRequest { Importance = new Importance { Priority = priority, DistanceM = distanceM } });
        }

        [Obsolete("use SetControls")]
        public void Steer(Controls controls)
        {
            SetControls(controls);
        }

        [Obsolete("use SetPortrait")]
        public void Show(PortraitRef portrait)
        {
            SetPortrait(portrait);
        }

        [Obsolete("use SetPriority")]
        public void Matter(uint priority, float distanceM)
        {
            SetPriority(priority, distanceM);
        }

        /// <summary>The next event, or null.</summary>
        public Event TakeEvent()
        {
            Event next;
            return events.TryDequeue(out next) ? next : null;
        }

        /// <summary>
        /// Drops the connection; a new one is made at once. A line that was being spoken is over then, as an event of
        /// EventType.Interrupted says.
        /// </summary>
        public void Reconnect()
        {
            var current = call;
            if (current != null) current.Dispose();
        }

        /// <summary>Ends everything and returns at once; <see cref="Ended"/> is complete when the connection is closed.</summary>
        public void Dispose()
        {
            stop.Cancel();
            Reconnect();
        }

        /// <summary>Complete once everything that <see cref="Dispose"/> ends has ended.</summary>
        public Task Ended { get { return running; } }

        void Send(AnimateRequest request)
        {
            outbox.Add(request);
        }

        /// <summary>Whoever waits for the end of a line must not wait for ever when the connection is lost within it.</summary>
        void EndLine()
        {
            string lost = Interlocked.Exchange(ref line, null);
            if (lost != null) events.Enqueue(new Event { Type = EventType.Interrupted, UtteranceId = lost, Detail = "the connection was lost" });
        }

        async Task RunAsync()
        {
            int pauseMs = FirstPauseMs;
            while (!stop.IsCancellationRequested)
            {
                int before = connections;
                try
                {
                    await TalkAsync().ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    lastError = error;
                }
                started = null;
                EndLine();
                if (stop.IsCancellationRequested) return;
                pauseMs = connections > before ? FirstPauseMs : Math.Min(2 * pauseMs, LongestPauseMs);
                try
                {
                    await Task.Delay(pauseMs, stop.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }

        async Task TalkAsync()
        {
            using (var http = new HttpClient(server.Handler()) { Timeout = Timeout.InfiniteTimeSpan })
            using (var call = new GrpcCall(http, server.Address, Animate, Metadata()))
            {
                this.call = call;
                // What was said to the last connection is over, but for the epoch: interrupting with it again lets the server's
                // pictures carry it from the first on, and one that was lost with the last connection comes through after all.
                outbox = new Outbox();
                var current = outbox;
                receipts = new Receipts(current);
                await call.WriteAsync(new AnimateRequest { Config = CurrentConfig() }).ConfigureAwait(false);
                ulong before = (ulong)Interlocked.Read(ref epoch);
                if (before > 0) await call.WriteAsync(new AnimateRequest { Interrupt = new Interrupt { Epoch = before } }).ConfigureAwait(false);
                var sending = SendAsync(call, current);
                try
                {
                    while (true)
                    {
                        var message = await call.ReadAsync().ConfigureAwait(false);
                        if (message.Array == null) return;
                        Take(message);
                    }
                }
                finally
                {
                    current.Close();
                    call.Dispose();
                    await sending.ConfigureAwait(false);
                }
            }
        }

        SessionConfig CurrentConfig()
        {
            SessionConfig current;
            lock (config) current = config.Clone();
            current.ConfirmsFrames = current.Delivery != Delivery.Immediate;
            return current;
        }

        static async Task SendAsync(GrpcCall call, Outbox outbox)
        {
            try
            {
                AnimateRequest request;
                while ((request = await outbox.TakeAsync().ConfigureAwait(false)) != null) await call.WriteAsync(request).ConfigureAwait(false);
            }
            catch (Exception)
            {
                call.Dispose(); // the reading side then says why
            }
        }

        void Take(ArraySegment<byte> message)
        {
            var input = new CodedInputStream(message.Array, message.Offset, message.Count);
            if (message.Count > 0 && WireFormat.GetTagFieldNumber(input.PeekTag()) == AnimateResponse.FrameFieldNumber)
            {
                input.ReadTag();
                int length = input.ReadLength();
                receipts.Came(Picture.Fill(input, message.Array, (int)input.Position + length));
                Picture.Publish((ulong)Interlocked.Read(ref epoch));
                return;
            }
            var response = AnimateResponse.Parser.ParseFrom(message.Array, message.Offset, message.Count);
            switch (response.MessageCase)
            {
                case AnimateResponse.MessageOneofCase.Started:
                    started = response.Started;
                    connections++; // written by this task alone
                    break;
                case AnimateResponse.MessageOneofCase.Motion:
                    if (response.Motion.Epoch >= (ulong)Interlocked.Read(ref epoch)) Motion.Add(response.Motion);
                    break;
                case AnimateResponse.MessageOneofCase.Event:
                    if (response.Event.Type == EventType.UtteranceFinished || response.Event.Type == EventType.Interrupted)
                    {
                        string spoken = Volatile.Read(ref line);
                        if (spoken == response.Event.UtteranceId) Interlocked.CompareExchange(ref line, null, spoken);
                    }
                    events.Enqueue(response.Event);
                    break;
                case AnimateResponse.MessageOneofCase.Statistics: statistics = response.Statistics; break;
            }
        }

        IEnumerable<KeyValuePair<string, string>> Metadata()
        {
            if (server.Token != "") yield return new KeyValuePair<string, string>("authorization", "Bearer " + server.Token);
        }
    }

    /// <summary>Tells the server how many pictures of a call have come, so that a slow network brings the newest.</summary>
    sealed class Receipts
    {
        /// <summary>They are sent at most so late; chosen: each costs both sides a message.</summary>
        const int SoonMs = 100;

        readonly Outbox outbox;
        ulong next;
        long come;
        int telling;

        public Receipts(Outbox outbox)
        {
            this.outbox = outbox;
        }

        /// <summary>The reading task: a picture with its place in the call. Where some before it were left out, the server waits for this receipt.</summary>
        public void Came(ulong index)
        {
            int waitMs = index == next ? SoonMs : 0;
            next = index + 1;
            Interlocked.Increment(ref come);
            if (Interlocked.CompareExchange(ref telling, 1, 0) == 0) _ = TellAsync(waitMs);
        }

        async Task TellAsync(int waitMs)
        {
            await Task.Delay(waitMs).ConfigureAwait(false);
            Interlocked.Exchange(ref telling, 0); // first, so that what comes from here on is told
            outbox.Add(new AnimateRequest { RingRelease = new RingRelease { Sequence = (ulong)Interlocked.Read(ref come) } });
        }
    }

    /// <summary>Messages that wait to be sent, in order.</summary>
    sealed class Outbox
    {
        readonly ConcurrentQueue<AnimateRequest> waiting = new ConcurrentQueue<AnimateRequest>();
        readonly SemaphoreSlim count = new SemaphoreSlim(0);

        public void Add(AnimateRequest request)
        {
            waiting.Enqueue(request);
            count.Release();
        }

        public void Close()
        {
            count.Release();
        }

        /// <summary>The next; null once closed and empty.</summary>
        public async Task<AnimateRequest> TakeAsync()
        {
            await count.WaitAsync().ConfigureAwait(false);
            AnimateRequest next;
            return waiting.TryDequeue(out next) ? next : null;
        }
    }
}
