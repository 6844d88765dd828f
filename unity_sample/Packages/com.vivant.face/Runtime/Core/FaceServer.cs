using System;
using System.Net.Http;
using System.Threading.Tasks;

namespace Vivant
{
    /// <summary>Where the server is.</summary>
    public class FaceServer
    {
        public Uri Address = new Uri("http://127.0.0.1:50750");
        public string Token = "";
        /// <summary>Speaks HTTP/2; owned by whoever made it.</summary>
        public Func<HttpMessageHandler> Handler;

        /// <summary>The address to connect to now; a server that is starting is waited for. Any thread.</summary>
        public virtual Task<Uri> WhereAsync()
        {
            return Task.FromResult(Address);
        }
    }
}
