using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Agent.Identity;
using Grpc.Core;
using Grpc.Net.Client;

namespace FailoverHub.Agent.Hub.Channels;

/// <summary>
/// A way to the hub: plain on this machine, else TLS in which the hub is recognised by <see cref="HubTrust"/> and this node shows its certificate, if it has
/// one. One channel shows one certificate for as long as it lives.
/// </summary>
internal sealed class HubChannel : IDisposable
{
    private readonly HubTrust? _trust;
    private readonly X509Certificate2? _shown;
    private string? _refused;

    private HubChannel(Uri hub, HubTrust? trust, X509Certificate2? shown, TimeProvider time)
    {
        (_trust, _shown, Time) = (trust, shown, time);
        var handler = new SocketsHttpHandler
        {
            // A hub that is gone without a word is found within 15 s.
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            UseProxy = false,

            // Nobody but the one who was recognised is asked.
            AllowAutoRedirect = false,
            UseCookies = false,
        };
        IsTls = hub.Scheme == Uri.UriSchemeHttps;
        if (IsTls)
        {
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = trust?.Policy(),
                RemoteCertificateValidationCallback = Recognise,
                ClientCertificateContext = shown is null ? null : SslStreamCertificateContext.Create(shown, additionalCertificates: null, offline: true),
            };
        }

        Grpc = GrpcChannel.ForAddress(hub, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    public GrpcChannel Grpc { get; }

    public bool IsTls { get; }

    /// <summary>Of the machine, or of a test.</summary>
    public TimeProvider Time { get; }

    /// <summary>To this hub, as this node.</summary>
    /// <param name="hub">http or https.</param>
    /// <param name="trust">By what it is recognised over https.</param>
    /// <param name="identity">As whom; null: as nobody.</param>
    /// <param name="time">For certificates that have begun or ended.</param>
    /// <exception cref="CryptographicException">The key or the certificate of the identity is none.</exception>
    public static HubChannel To(Uri hub, HubTrust trust, HubIdentity? identity, TimeProvider time) =>
        new(hub, trust, identity is null ? null : NodeKey.Load(identity.Certificate, identity.Key), time);

    /// <summary>To whoever answers there: for the one question that may be asked of a stranger. Nothing secret goes over it.</summary>
    public static HubChannel ToAnybody(Uri hub, TimeProvider time) => new(hub, null, null, time);

    /// <summary>Why a call or the connection under it failed, in words. The library's own ("error connecting to subchannel") say less than the socket's.</summary>
    public string Words(RpcException exception)
    {
        // Said once: the next connection may fail for another reason.
        if (Interlocked.Exchange(ref _refused, null) is { } refused)
        {
            return refused;
        }

        return exception.Status.DebugException?.GetBaseException().Message
            ?? (exception.Status.Detail is { Length: > 0 } detail ? detail : exception.StatusCode.ToString());
    }

    /// <summary>Why the hub was not recognised at the last connection; null: it was, or there was none.</summary>
    public string? Unrecognised => Volatile.Read(ref _refused);

    public void Dispose()
    {
        Grpc.Dispose();
        _shown?.Dispose();
    }

    // On a thread of the handshake.
    private bool Recognise(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        var refused = _trust?.Refuse(errors, shown as X509Certificate2, chain, Time.GetUtcNow());
        Volatile.Write(ref _refused, refused is null ? null : $"it is not the hub that this node knows: {refused}");
        return refused is null;
    }
}
