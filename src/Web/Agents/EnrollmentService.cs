using FailoverHub.Protos.V1;
using FailoverHub.Web.Identity;
using Google.Protobuf;
using Grpc.Core;

namespace FailoverHub.Web.Agents;

/// <summary>How a node gets its certificates, from the wire's side: nonsense is refused here, everything else is the desk's.</summary>
internal sealed class EnrollmentService(NodeDesk desk, HubIdentity identity) : Enrollment.EnrollmentBase
{
    private const int LongestVersion = 128;
    private const int LongestToken = 200;

    public override Task<Authority> GetAuthority(AuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(new Authority { Certificate = ByteString.CopyFrom(identity.Authority.Der) });

    public override async Task<IssuedCertificate> Join(JoinRequest request, ServerCallContext context)
    {
        if (!NodeNames.IsGood(request.Node))
        {
            throw Fault(StatusCode.InvalidArgument, NodeNames.Problem(request.Node));
        }

        var attempt = new JoinAttempt(
            request.Token.Length <= LongestToken ? request.Token.Trim() : "", request.Node, request.CertificateRequest.Memory, Short(request.AgentVersion), AgentGate.AddressOf(context));
        return Answer(await desk.JoinAsync(attempt, context.CancellationToken), "The join token is unknown, used, expired, or was made for another name. Make a new one on the hub's page 'Add a node' or with `failoverhub join-token create`.");
    }

    public override async Task<IssuedCertificate> Renew(RenewRequest request, ServerCallContext context)
    {
        var caller = AgentGate.CallerOf(context) ?? throw Fault(StatusCode.Unauthenticated, "Renewing needs the present certificate.");
        var key = NodeCertificates.KeyOf(request.CertificateRequest.Span, out var problem) ?? throw Fault(StatusCode.InvalidArgument, problem!);
        return Answer(await desk.RenewAsync(caller, key, AgentGate.AddressOf(context), context.CancellationToken), "The certificate is not taken any more: what the hub knows of it has just changed. Dial again to learn why.");
    }

    private IssuedCertificate Answer(EnrollmentResult result, string bad) => result switch
    {
        EnrollmentResult.Issued { Membership: var membership } => new IssuedCertificate
        {
            Certificate = ByteString.CopyFrom(membership.Certificate.Der),
            Authority = ByteString.CopyFrom(identity.Authority.Der),
            NotAfterUnixMs = membership.Certificate.NotAfter.ToUnixTimeMilliseconds(),
            RenewAfterUnixMs = membership.Certificate.RenewAfter.ToUnixTimeMilliseconds(),
            Node = membership.Node.Name,
            NodeId = membership.Node.NodeId,
        },
        EnrollmentResult.BadToken => throw Fault(StatusCode.Unauthenticated, bad),
        EnrollmentResult.BadRequest not => throw Fault(StatusCode.InvalidArgument, not.Why),
        EnrollmentResult.NameTaken taken => throw Fault(StatusCode.AlreadyExists, taken.Why),
        EnrollmentResult.TooOften often => throw Fault(StatusCode.ResourceExhausted, often.Why),
        EnrollmentResult.NotAudited not => throw Fault(StatusCode.Unavailable, not.Why),
        _ => throw new InvalidOperationException($"No answer for {result.GetType().Name}."),
    };

    private static string Short(string text) => text.Length <= LongestVersion ? text : text[..LongestVersion];

    private static RpcException Fault(StatusCode code, string why) => new(new Status(code, why));
}
