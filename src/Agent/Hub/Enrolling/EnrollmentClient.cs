using System.Collections.Immutable;
using FailoverHub.Agent.Hub.Channels;
using FailoverHub.Agent.Identity;
using FailoverHub.Protos.V1;
using Google.Protobuf;
using Grpc.Core;

namespace FailoverHub.Agent.Hub.Enrolling;

/// <summary>What came of asking the hub for something. One of the two is null.</summary>
internal sealed record EnrollmentAnswer<T>(T? Given, EnrollmentProblem? Problem)
    where T : class;

/// <summary>Why the hub did not give it.</summary>
/// <param name="Kind">For whoever has to act.</param>
/// <param name="Text">For whoever reads it, without a full stop.</param>
internal sealed record EnrollmentProblem(EnrollmentProblemKind Kind, string Text);

internal enum EnrollmentProblemKind
{
    /// <summary>Nobody answered, or no hub did.</summary>
    NotReachable,

    /// <summary>What answered is not the hub that was meant.</summary>
    NotTheHub,

    /// <summary>The token, or the certificate that was shown, is not taken.</summary>
    NotAccepted,

    /// <summary>The name belongs to another node, or cannot be one.</summary>
    NameNotGiven,

    /// <summary>The hub does not take more tries now.</summary>
    TooMany,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>Asks the hub for its authority, for the first certificate and for the next one. The only place where these messages are read and written.</summary>
internal static class EnrollmentClient
{
    /// <summary>For each question, with the connection under it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>The authority (DER) of whoever answers.</summary>
    public static Task<EnrollmentAnswer<AuthorityGiven>> AuthorityAsync(HubChannel channel, CancellationToken cancellationToken) => AskAsync(
        channel,
        async (client, patience) => new AuthorityGiven(Octets((await client.GetAuthorityAsync(new AuthorityRequest(), cancellationToken: patience)).Certificate)),
        cancellationToken);

    /// <summary>The first certificate, for a token.</summary>
    public static Task<EnrollmentAnswer<IssuedIdentity>> JoinAsync(HubChannel channel, JoinToken token, string node, ImmutableArray<byte> request, string version, CancellationToken cancellationToken) => AskAsync(
        channel,
        async (client, patience) => Read(await client.JoinAsync(
            new JoinRequest { Token = token.Secret, Node = node, CertificateRequest = ByteString.CopyFrom(request.AsSpan()), AgentVersion = version }, cancellationToken: patience)),
        cancellationToken);

    /// <summary>The next certificate, for the one that the channel shows.</summary>
    public static Task<EnrollmentAnswer<IssuedIdentity>> RenewAsync(HubChannel channel, ImmutableArray<byte> request, string version, CancellationToken cancellationToken) => AskAsync(
        channel,
        async (client, patience) => Read(await client.RenewAsync(
            new RenewRequest { CertificateRequest = ByteString.CopyFrom(request.AsSpan()), AgentVersion = version }, cancellationToken: patience)),
        cancellationToken);

    private static async Task<EnrollmentAnswer<T>> AskAsync<T>(HubChannel channel, Func<Enrollment.EnrollmentClient, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        using var patience = new CancellationTokenSource(Patience, channel.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return new EnrollmentAnswer<T>(await ask(new Enrollment.EnrollmentClient(channel.Grpc), either.Token), null);
        }
        catch (RpcException) when (patience.IsCancellationRequested)
        {
            return new EnrollmentAnswer<T>(null, new EnrollmentProblem(EnrollmentProblemKind.NotReachable, $"no answer within {Patience.TotalSeconds:0} s"));
        }
        catch (RpcException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var kind = channel.Unrecognised is not null ? EnrollmentProblemKind.NotTheHub : KindOf(exception);
            return new EnrollmentAnswer<T>(null, new EnrollmentProblem(kind, channel.Words(exception).TrimEnd('.')));
        }
    }

    private static EnrollmentProblemKind KindOf(RpcException exception) => exception.StatusCode switch
    {
        StatusCode.Unauthenticated or StatusCode.PermissionDenied => EnrollmentProblemKind.NotAccepted,
        StatusCode.AlreadyExists or StatusCode.InvalidArgument => EnrollmentProblemKind.NameNotGiven,
        StatusCode.ResourceExhausted => EnrollmentProblemKind.TooMany,
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled => EnrollmentProblemKind.NotReachable,
        // Something answers that is no hub, or one before there were certificates.
        StatusCode.Unimplemented => EnrollmentProblemKind.NotReachable,
        _ => exception.Status.DebugException is IOException or HttpRequestException ? EnrollmentProblemKind.NotReachable : EnrollmentProblemKind.Other,
    };

    private static IssuedIdentity Read(IssuedCertificate issued) => new()
    {
        Node = issued.Node,
        NodeId = issued.NodeId,
        Certificate = Octets(issued.Certificate),
        Authority = Octets(issued.Authority),
        RenewAfter = At(issued.RenewAfterUnixMs),
    };

    private static ImmutableArray<byte> Octets(ByteString bytes) => [.. bytes.Span];

    // Nonsense is no moment: then the rule of a renewal is used.
    private static DateTimeOffset At(long milliseconds) =>
        milliseconds is > 0 and < 253_402_300_799_999 ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : DateTimeOffset.MinValue;
}

/// <summary>What whoever answered says is his authority.</summary>
/// <param name="Certificate">DER.</param>
internal sealed record AuthorityGiven(ImmutableArray<byte> Certificate);
