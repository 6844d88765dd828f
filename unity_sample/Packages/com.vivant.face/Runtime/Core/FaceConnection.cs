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
    /// <summary>
    /// One speaking character on a server. Connects again by itself, with growing pauses, until it is disposed. The verbs may be
    /// called from any thread and never wait; pictures, motion and events are taken from the main thread. One task talks to the
    /// server; whatever it shares with callers is volatile or under the lock of <c>gate</c>.
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
        readonly CancellationTokenSource stop = new CancellationTokenSource();
        readonly Task running;
        readonly object gate = new object();
        readonly SessionConfig config;
        /// <summary>Of the connection that stands, or of the next one.</summary>
        Outbox outbox = new Outbox();
        /// <summary>Where the line that has begun goes, to its end: no half of it reaches the next connection. Null between lines.</summary>
        Outbox lineOutbox;
        string line;
        ulong epoch;
        bool isConfigSent;
        volatile GrpcCall call;
        Receipts receipts;
        volatile SessionStarted started;
        volatile Statistics statistics;
        volatile Exception lastError;
        volatile int connections;

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

        /// <summary>Begins a line; what it says, where that is known, sharpens the lips.</summary>
        public void Begin(string utteranceId, string text = "", string language = "")
        {
            lock (gate)
            {
                line = utteranceId;
                lineOutbox = outbox;
                outbox.Add(new AnimateRequest { UtteranceStart = new UtteranceStart { UtteranceId = utteranceId } });
                if (text != "") outbox.Add(new AnimateRequest { Text = new Text { Text_ = text, Language = language } });
            }
        }

        /// <summary>Adds mono audio in [-1, 1] at the config's rate, as much as there is.</summary>
        public void Push(float[] samples, int count)
        {
            for (int first = 0; first < count; first += ChunkSamples)
            {
                int length = Math.Min(ChunkSamples, count - first);
                var bytes = Pcm.Encode(samples, first, length);
                SendOfLine(new AnimateRequest { Audio = new Audio { Samples = UnsafeByteOperations.UnsafeWrap(bytes) } });
            }
        }

        /// <summary>The line is complete; it is spoken to its end.</summary>
        public void End()
        {
            lock (gate)
            {
                SendOfLine(new AnimateRequest { UtteranceEnd = new UtteranceEnd() });
                lineOutbox = null;
            }
        }

        /// <summary>
        /// Stops speaking now. Nothing older is shown from here on, also not what is on its way. While there is no connection it is
        /// kept, and said to the next one.
        /// </summary>
        public void Interrupt()
        {
            lock (gate)
            {
                epoch++;
                Picture.Clear(epoch);
                Motion.Clear(epoch);
                lineOutbox = null;
                outbox.Add(new AnimateRequest { Interrupt = new Interrupt { Epoch = epoch } });
            }
        }

        /// <summary>A nod, a laugh and so on, once, on top of speech.</summary>
        public void Act(Act act)
        {
            Change(() => { }, new AnimateRequest { Act = act });
        }

        /// <summary>Steers the face, eased; kept for the next connection.</summary>
        public void SetControls(Controls controls)
        {
            Change(() => config.Controls = controls, new AnimateRequest { Controls = controls });
        }

        /// <summary>Another portrait from now on; kept for the next connection.</summary>
        public void SetPortrait(PortraitRef portrait)
        {
            Change(() => config.Portrait = portrait, new AnimateRequest { Portrait = portrait });
        }

        /// <summary>How much the face matters to the server's load shedder: 0 to 100, and metres from the camera; kept, too.</summary>
        public void SetPriority(uint priority, float distanceM)
        {
            var importance = new Importance { Priority = priority, DistanceM = distanceM };
            Change(() => config.Importance = importance, new AnimateRequest { Importance = importance });
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

        void SendOfLine(AnimateRequest request)
        {
            lock (gate) (lineOutbox ?? outbox).Add(request);
        }

        /// <summary>Changes the config that the next connection begins with, and tells the one that has begun already.</summary>
        void Change(Action keep, AnimateRequest request)
        {
            lock (gate)
            {
                keep();
                if (isConfigSent) outbox.Add(request);
            }
        }

        /// <summary>
        /// What was said to this connection is over; what is said from now on waits for the next one. Whoever waits for the end of a
        /// line must not wait for ever when the connection is lost within it.
        /// </summary>
        void EndConnection()
        {
            lock (gate)
            {
                started = null;
                isConfigSent = false;
                outbox.Close();
                outbox = new Outbox();
                if (line != null) events.Enqueue(new Event { Type = EventType.Interrupted, UtteranceId = line, Detail = "the connection was lost" });
                line = null;
            }
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
                EndConnection();
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
            var where = server.WhereAsync();
            await Task.WhenAny(where, Task.Delay(Timeout.Infinite, stop.Token)).ConfigureAwait(false);
            if (stop.IsCancellationRequested) return;
            var address = await where.ConfigureAwait(false);
            using (var http = new HttpClient(server.Handler()) { Timeout = Timeout.InfiniteTimeSpan })
            using (var call = new GrpcCall(http, address, Animate, Metadata()))
            {
                this.call = call;
                if (stop.IsCancellationRequested) return; // it came before there was a call to end
                Outbox current;
                foreach (var request in Opening(out current)) await call.WriteAsync(request).ConfigureAwait(false);
                receipts = new Receipts(current);
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

        /// <summary>
        /// The config, and the last interruption again: so the server's pictures carry its epoch from the first on, and one that was
        /// lost with the last connection comes through after all. Changes of the config go into the outbox from here on.
        /// </summary>
        List<AnimateRequest> Opening(out Outbox current)
        {
            lock (gate)
            {
                var asked = config.Clone();
                asked.ConfirmsFrames = asked.Delivery != Delivery.Immediate;
                var opening = new List<AnimateRequest> { new AnimateRequest { Config = asked } };
                if (epoch > 0) opening.Add(new AnimateRequest { Interrupt = new Interrupt { Epoch = epoch } });
                current = outbox;
                isConfigSent = true;
                return opening;
            }
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
                Picture.Publish();
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
                    Motion.Add(response.Motion);
                    break;
                case AnimateResponse.MessageOneofCase.Event:
                    Hear(response.Event);
                    break;
                case AnimateResponse.MessageOneofCase.Statistics: statistics = response.Statistics; break;
            }
        }

        void Hear(Event what)
        {
            bool isEnd = what.Type == EventType.UtteranceFinished || what.Type == EventType.Interrupted;
            lock (gate)
            {
                if (isEnd && line == what.UtteranceId) line = null;
                events.Enqueue(what);
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
        volatile bool isClosed;

        /// <summary>Once closed, nothing.</summary>
        public void Add(AnimateRequest request)
        {
            if (isClosed) return;
            waiting.Enqueue(request);
            count.Release();
        }

        public void Close()
        {
            isClosed = true;
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
