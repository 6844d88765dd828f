using System;
using System.Collections.Generic;
using System.Net.Http;
using Google.Protobuf;
using UnityEngine;
using Vivant.V1;

namespace Vivant
{
    /// <summary>Where the server is; an asset that all faces share.</summary>
    [CreateAssetMenu(menuName = "Vivant/Server")]
    public sealed class VivantServer : ScriptableObject
    {
        public string address = "http://127.0.0.1:50750";
        [Tooltip("Only for servers that ask for one.")]
        public string token = "";

        public FaceServer ToCore()
        {
            return new FaceServer { Address = new Uri(address), Token = token, Handler = VivantTransport.Handler };
        }

        public static PortraitRef Portrait(string id, TextAsset image)
        {
            return image == null ? new PortraitRef { Id = id } : new PortraitRef { Image = ByteString.CopyFrom(image.bytes) };
        }
    }

    /// <summary>
    /// The handler that speaks HTTP/2. Unity's own does not; set this once at start, for instance to
    /// <c>() => new YetAnotherHttpHandler { Http2Only = true }</c>.
    /// </summary>
    public static class VivantTransport
    {
        public static Func<HttpMessageHandler> Handler = () => throw new InvalidOperationException(
            "set VivantTransport.Handler to a handler that speaks HTTP/2; the README's step 2 shows how");
    }

    /// <summary>All open connections, so that the editor can close them before a domain reload or the end of play mode.</summary>
    public static class VivantSessions
    {
        static readonly List<FaceConnection> open = new List<FaceConnection>();

        public static FaceConnection Open(FaceServer server, SessionConfig config)
        {
            var face = new FaceConnection(server, config);
            open.Add(face);
            return face;
        }

        public static void Close(FaceConnection face)
        {
            if (face == null) return;
            open.Remove(face);
            face.Dispose();
        }

        public static void CloseAll()
        {
            foreach (var face in open.ToArray()) Close(face);
        }
    }
}
