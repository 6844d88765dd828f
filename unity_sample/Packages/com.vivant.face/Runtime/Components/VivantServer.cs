using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using Google.Protobuf;
using UnityEngine;
using Vivant.V1;

namespace Vivant
{
    /// <summary>The server that faces share: one that runs somewhere, or one of the game's own that starts and ends with it.</summary>
    [CreateAssetMenu(menuName = "Vivant/Server")]
    public sealed class VivantServer : ScriptableObject
    {
        [Tooltip("Start a server with the first face, on a free port of this machine; address and token then mean nothing.")]
        public bool startsWithGame;
        [Tooltip("Its program below StreamingAssets; on Windows .exe is added.")]
        public string program = "vivant-server/vivant-server";
        [Tooltip("Further arguments for it, as vivant serve takes them.")]
        public string arguments = "";
        public string address = "http://127.0.0.1:50750";
        [Tooltip("Only for servers that ask for one.")]
        public string token = "";

        public FaceServer ToCore()
        {
            if (startsWithGame) return VivantSessions.Start(this);
            return new FaceServer { Address = new Uri(address), Token = token, Handler = VivantTransport.Handler };
        }

        /// <summary>Where the program lies in this editor or player.</summary>
        public string ProgramPath
        {
            get
            {
                bool isWindows = Application.platform == RuntimePlatform.WindowsEditor || Application.platform == RuntimePlatform.WindowsPlayer;
                return Path.Combine(Application.streamingAssetsPath, program + (isWindows ? ".exe" : ""));
            }
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

    /// <summary>
    /// All open connections and all servers that were started, so that they end with play mode, before a domain reload, and with
    /// the game. The main thread.
    /// </summary>
    public static class VivantSessions
    {
        static readonly List<FaceConnection> open = new List<FaceConnection>();
        static readonly Dictionary<VivantServer, ServerProcess> servers = new Dictionary<VivantServer, ServerProcess>();

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

        /// <summary>The process of that asset, started if there is none.</summary>
        public static ServerProcess Start(VivantServer asset)
        {
            ServerProcess process;
            if (servers.TryGetValue(asset, out process)) return process;
            if (servers.Count == 0) Application.quitting += CloseAll;
            process = new ServerProcess(asset.ProgramPath, asset.arguments) { Handler = VivantTransport.Handler };
            servers.Add(asset, process);
            return process;
        }

        public static void CloseAll()
        {
            Application.quitting -= CloseAll;
            foreach (var face in open.ToArray()) Close(face);
            foreach (var server in servers.Values) server.Dispose();
            servers.Clear();
        }
    }
}
