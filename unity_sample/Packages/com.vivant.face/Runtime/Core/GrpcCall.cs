using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;

namespace Vivant
{
    /// <summary>A call that ended with a status other than OK.</summary>
    public sealed class GrpcException : Exception
    {
        public GrpcException(int status, string message) : base(message)
        {
            Status = status;
        }

        /// <summary>The gRPC status code: 3 INVALID_ARGUMENT, 8 RESOURCE_EXHAUSTED, 14 UNAVAILABLE, 16 UNAUTHENTICATED.</summary>
        public int Status { get; private set; }
    }

    /// <summary>
    /// One streaming gRPC call over an HttpClient that speaks HTTP/2: YetAnotherHttpHandler inside Unity, .NET's own in tests.
    /// One task writes, another reads.
    /// </summary>
    public sealed class GrpcCall : IDisposable
    {
        const int PrefixBytes = 5;
        const int MaxMessageBytes = 64 << 20;

        readonly RequestContent content = new RequestContent();
        readonly CancellationTokenSource stop = new CancellationTokenSource();
        readonly SemaphoreSlim writing = new SemaphoreSlim(1, 1);
        readonly Task<HttpResponseMessage> responding;
        readonly byte[] prefix = new byte[PrefixBytes];
        byte[] body = new byte[4096];
        HttpResponseMessage response;
        Stream incoming;

        public GrpcCall(HttpClient client, Uri server, string method, IEnumerable<KeyValuePair<string, string>> metadata)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, method)) { Version = new Version(2, 0), Content = content };
            request.Headers.TryAddWithoutValidation("te", "trailers");
            foreach (var pair in metadata) request.Headers.TryAddWithoutValidation(pair.Key, pair.Value);
            responding = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop.Token);
        }

        /// <summary>Sends one message; waits while the connection is busy.</summary>
        public async Task WriteAsync(IMessage message)
        {
            var bytes = new byte[PrefixBytes + message.CalculateSize()];
            for (int i = 0; i < 4; i++) bytes[1 + i] = (byte)((bytes.Length - PrefixBytes) >> (24 - 8 * i));
            using (var output = new CodedOutputStream(new MemoryStream(bytes, PrefixBytes, bytes.Length - PrefixBytes))) message.WriteTo(output);
            await writing.WaitAsync(stop.Token).ConfigureAwait(false);
            try
            {
                var stream = await content.Ready.ConfigureAwait(false);
                await stream.WriteAsync(bytes, 0, bytes.Length, stop.Token).ConfigureAwait(false);
                await stream.FlushAsync(stop.Token).ConfigureAwait(false);
            }
            finally
            {
                writing.Release();
            }
        }

        /// <summary>No more messages will be sent.</summary>
        public void CompleteWriting()
        {
            content.Complete();
        }

        /// <summary>
        /// The next message's bytes, valid until the next call; no memory is taken once the largest has been seen. An empty
        /// segment without array says that the call is over. Throws GrpcException for any status but OK.
        /// </summary>
        public async Task<ArraySegment<byte>> ReadAsync()
        {
            if (incoming == null) await OpenAsync().ConfigureAwait(false);
            if (!await FillAsync(prefix, PrefixBytes).ConfigureAwait(false))
            {
                ThrowUnlessOk(response);
                return default(ArraySegment<byte>);
            }
            int length = prefix[1] << 24 | prefix[2] << 16 | prefix[3] << 8 | prefix[4];
            if (prefix[0] != 0 || length < 0 || length > MaxMessageBytes) throw new GrpcException(13, "the server sent a message that is compressed or too long");
            if (body.Length < length) body = new byte[length];
            if (!await FillAsync(body, length).ConfigureAwait(false)) throw new GrpcException(14, "the connection broke within a message");
            return new ArraySegment<byte>(body, 0, length);
        }

        public void Dispose()
        {
            content.Complete();
            stop.Cancel();
            if (response != null) response.Dispose();
        }

        async Task OpenAsync()
        {
            response = await responding.ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK) throw new GrpcException(14, "the server answered HTTP " + (int)response.StatusCode);
            if (Value(response.Headers, "grpc-status") != null) ThrowUnlessOk(response);
            incoming = await response.Content.ReadAsStreamAsync().ConfigureAwait(false);
        }

        async Task<bool> FillAsync(byte[] buffer, int count)
        {
            for (int filled = 0; filled < count;)
            {
                int read = await incoming.ReadAsync(buffer, filled, count - filled, stop.Token).ConfigureAwait(false);
                if (read == 0 && filled == 0) return false;
                if (read == 0) throw new GrpcException(14, "the connection broke within a message");
                filled += read;
            }
            return true;
        }

        static void ThrowUnlessOk(HttpResponseMessage response)
        {
            var trailers = Trailers(response);
            string status = Value(response.Headers, "grpc-status") ?? Value(trailers, "grpc-status");
            string message = Value(response.Headers, "grpc-message") ?? Value(trailers, "grpc-message") ?? "";
            int code;
            if (!int.TryParse(status, out code)) throw new GrpcException(14, "the server ended the call without a status");
            if (code != 0) throw new GrpcException(code, Uri.UnescapeDataString(message));
        }

        // netstandard2.1, which Unity has, lacks TrailingHeaders; handlers for it leave them in the request's properties.
        static HttpHeaders Trailers(HttpResponseMessage response)
        {
            object kept;
            if (response.RequestMessage != null && response.RequestMessage.Properties.TryGetValue("__ResponseTrailers", out kept)) return kept as HttpHeaders;
            var property = typeof(HttpResponseMessage).GetProperty("TrailingHeaders");
            return property == null ? null : property.GetValue(response) as HttpHeaders;
        }

        static string Value(HttpHeaders headers, string name)
        {
            IEnumerable<string> values;
            return headers != null && headers.TryGetValues(name, out values) ? values.FirstOrDefault() : null;
        }

        /// <summary>A request body that stays open.</summary>
        sealed class RequestContent : HttpContent
        {
            readonly TaskCompletionSource<Stream> ready = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
            readonly TaskCompletionSource<bool> complete = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

            public RequestContent()
            {
                Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            }

            public Task<Stream> Ready
            {
                get { return ready.Task; }
            }

            public void Complete()
            {
                complete.TrySetResult(true);
                ready.TrySetCanceled();
            }

            protected override async Task SerializeToStreamAsync(Stream stream, TransportContext context)
            {
                await stream.FlushAsync().ConfigureAwait(false);
                ready.TrySetResult(stream);
                await complete.Task.ConfigureAwait(false);
            }

            protected override bool TryComputeLength(out long length)
            {
                length = -1;
                return false;
            }
        }
    }
}
