using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FailoverHub.Web.Agents;

/// <summary>
/// TLS of the agents' endpoint: asks for a client certificate, takes any or none, and notes once per connection what it is. A rejecting handshake would
/// show an agent a broken connection and no reason; so <see cref="AgentGate"/> says no, with a sentence.
/// </summary>
internal static class AgentsTls
{
    /// <summary>Who has not finished the handshake by then is cut off.</summary>
    public static readonly TimeSpan HandshakeWithin = TimeSpan.FromSeconds(10);

    public static void Use(ListenOptions listen)
    {
        var services = listen.ApplicationServices;
        var unproven = services.GetRequiredService<UnprovenConnections>();
        var handshakes = services.GetRequiredService<HandshakeQueue>();
        var proof = new Proof(services.GetRequiredService<NodeRegister>(), services.GetRequiredService<NodeConnections>(), services.GetRequiredService<TimeProvider>());
        listen.Use(next => async connection =>
        {
            using var place = unproven.TryEnter((connection.RemoteEndPoint as IPEndPoint)?.Address, connection.Abort);
            if (place is null)
            {
                connection.Abort();
                return;
            }

            connection.Features.Set(place);
            using var turn = await TurnOfAsync(connection, place, handshakes);
            if (turn is null)
            {
                connection.Abort();
                return;
            }

            connection.Features.Set(turn);
            try
            {
                await next(connection);
            }
            finally
            {
                connection.Features.Get<NodeConnections.Place>()?.Dispose();
            }
        });
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeWithin,
            OnConnection = handshake => ValueTask.FromResult(OptionsFor(
                services.GetRequiredService<EndpointCertificates>().Current(), services.GetRequiredService<HubIdentity>().Authority, what => Note(handshake.Connection, what, proof))),
        });
        listen.Use(next => connection =>
        {
            connection.Features.Get<HandshakeQueue.Turn>()?.Leave();
            return next(connection);
        });
    }

    /// <summary>Waits for the first octet, which is read again by the handshake (who says nothing takes no turn), and for the turn. Null: it is gone, or too many wait.</summary>
    private static async Task<HandshakeQueue.Turn?> TurnOfAsync(ConnectionContext connection, UnprovenConnections.Place place, HandshakeQueue handshakes)
    {
        try
        {
            var first = await connection.Transport.Input.ReadAsync(connection.ConnectionClosed);
            connection.Transport.Input.AdvanceTo(first.Buffer.Start);
            if (first.Buffer.IsEmpty)
            {
                return null;
            }

            place.HasSpoken();
            return await handshakes.EnterAsync(connection.ConnectionClosed);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private static SslServerAuthenticationOptions OptionsFor(SslStreamCertificateContext certificate, HubAuthority authority, Action<PresentedCertificate> note) => new()
    {
        ServerCertificateContext = certificate,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,

        // Asked for; the callback takes none as well.
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,

        // The one validation of the chain. Whether it is within its time, and not revoked, is asked with each call, by the hub's clock and table.
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { authority.Certificate },
            ApplicationPolicy = { new Oid(HubAuthority.ClientUse) },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid,
        },
        RemoteCertificateValidationCallback = (_, shown, chain, errors) => TakeAny(note, Judge(shown as X509Certificate2, chain, errors)),
    };

    // One of ours that is revoked, expired or of a node that was removed proves nothing: its connection has its minute, as one without any.
    private static void Note(BaseConnectionContext connection, PresentedCertificate what, Proof proof)
    {
        connection.Features.Set(what);
        if (CertificateJudge.Judge(what, proof.Register.FindById, proof.Time.GetUtcNow()) is not CertificateVerdict.Known { Node: var node })
        {
            return;
        }

        if (proof.Connections.TryEnter(node.NodeId, node.Name) is not { } place)
        {
            connection.Abort();
            return;
        }

        connection.Features.Set(place);
        connection.Features.Get<UnprovenConnections.Place>()?.Leave();
    }

    /// <summary>By what a connection is known to be a node's.</summary>
    private sealed record Proof(NodeRegister Register, NodeConnections Connections, TimeProvider Time);

    private static bool TakeAny(Action<PresentedCertificate> note, PresentedCertificate what)
    {
        note(what);
        return true;
    }

    private static PresentedCertificate Judge(X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        if (shown is null)
        {
            return PresentedCertificate.None;
        }

        var standing = (errors & SslPolicyErrors.RemoteCertificateChainErrors) == 0 ? CertificateStanding.Ours
            : chain?.ChainStatus.All(s => s.Status is X509ChainStatusFlags.NotValidForUsage or X509ChainStatusFlags.NotTimeValid) == true ? CertificateStanding.Unsuitable
            : CertificateStanding.Foreign;
        var node = NodeCertificates.NodeIdOf(shown);
        return new PresentedCertificate(
            standing == CertificateStanding.Ours && node is null ? CertificateStanding.Unsuitable : standing,
            node ?? "",
            NodeCertificates.SerialOf(shown),
            new DateTimeOffset(shown.NotBefore.ToUniversalTime()),
            new DateTimeOffset(shown.NotAfter.ToUniversalTime()));
    }
}
