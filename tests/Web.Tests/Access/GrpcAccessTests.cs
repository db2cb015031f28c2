using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Identity;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Routing;

namespace FailoverHub.Web.Tests.Access;

/// <summary>
/// Every gRPC method of the agents' port, really called over TLS by everybody who might: with no certificate, with one of the hub's that is good or not good any more, and with what somebody else
/// has signed. What comes back is compared with the table here, method by method; a new method without a row fails the test.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class GrpcAccessTests : TlsHubTest
{
    /// <summary>Whoever may ask, and whether a certificate is what it needs.</summary>
    private static readonly Dictionary<string, StatusCode> Certificates = new()
    {
        ["good"] = StatusCode.OK,
        ["none"] = StatusCode.Unauthenticated,
        ["of another hub"] = StatusCode.Unauthenticated,
        ["that says the same, of somebody's own authority"] = StatusCode.Unauthenticated,
        ["self-signed in a node's name"] = StatusCode.Unauthenticated,
        ["revoked"] = StatusCode.Unauthenticated,
        ["of a removed node"] = StatusCode.Unauthenticated,
        ["that has expired"] = StatusCode.Unauthenticated,
        ["that newer ones have replaced"] = StatusCode.Unauthenticated,
    };

    /// <summary>What each method answers with these; null: it needs no certificate, and answers everybody the same.</summary>
    private static readonly Dictionary<string, StatusCode?> Methods = new()
    {
        ["/failoverhub.v1.AgentLink/Connect"] = null,
        ["/failoverhub.v1.Enrollment/Renew"] = null,
        ["/failoverhub.v1.Enrollment/GetAuthority"] = StatusCode.OK,

        // Its token is what counts, and here it is a wrong one.
        ["/failoverhub.v1.Enrollment/Join"] = StatusCode.Unauthenticated,
        ["/failoverhub.v1.AgentLink/Nothing"] = StatusCode.Unimplemented,
        ["/failoverhub.v1.Enrollment/Nothing"] = StatusCode.Unimplemented,
        ["/failoverhub.v1.Nothing/Nothing"] = StatusCode.Unimplemented,
    };

    [Fact]
    public async Task EveryMethod_CalledWithEveryCertificate_AnswersAsTheTableSays()
    {
        string[] found = [.. WayIn.AllOf(Hub.Get<EndpointDataSource>()).Where(way => way.IsGrpc).Select(way => way.Name["gRPC ".Length..]).Distinct()];
        Assert.Equal(found.Order(StringComparer.Ordinal), Methods.Keys.Where(name => !name.EndsWith("/Nothing", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Dictionary<string, TestNode> callers = await CallersAsync();
        var wrong = new ConcurrentBag<string>();

        await Parallel.ForEachAsync(callers, Stop, async (caller, _) =>
        {
            foreach ((string method, StatusCode? everybodys) in Methods)
            {
                using GrpcChannel channel = caller.Value.Channel(Url);
                StatusCode answered = await CallAsync(channel, method, caller.Value);
                StatusCode expected = everybodys ?? Certificates[caller.Key];
                if (answered != expected)
                {
                    wrong.Add($"{method} answered {answered} to a certificate {caller.Key}, the table says {expected}");
                }
            }
        });

        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task NodeThatCallsItselfByAnothersName_IsWhoItsCertificateSays()
    {
        TestNode one = await JoinedAsync("web-1");
        await JoinedAsync("web-2");

        await using FakeAgent agent = await one.ConnectAsync(Url, calledItself: "web-2");
        FleetSnapshot now = await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        await agent.ReportAsync(report => report.Drained = true);
        now = await Hub.UntilAsync(s => s.FindNode("web-1")!.Drained);

        Assert.Null(now.FindNode("web-2")!.ConnectedSince);
        Assert.Null(now.FindNode("web-2")!.LastReportAt);
    }

    private async Task<Dictionary<string, TestNode>> CallersAsync()
    {
        var callers = new Dictionary<string, TestNode> { ["none"] = NewNode() };
        callers["that has expired"] = await JoinedAsync("expired");
        Time.Advance(TimeSpan.FromDays(31));

        callers["good"] = await JoinedAsync("good");
        callers["revoked"] = await JoinedAsync("revoked");
        Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RevokeAsync("revoked", "the disk was stolen", Admin, Stop));
        callers["of a removed node"] = await JoinedAsync("removed");
        Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RemoveAsync("removed", "it was sold", Admin, Stop));

        // A copy of the machine from before: the node has got newer certificates since, and has used them.
        TestNode renewed = await JoinedAsync("renewed");
        var copy = NewNode();
        copy.Certificate = renewed.Certificate;
        for (int i = 0; i < RegisteredNode.ValidAtOnce; i++)
        {
            await renewed.RenewAsync(Url);
            FakeAgent agent = await renewed.ConnectAsync(Url);
            await Hub.UntilAsync(s => s.FindNode("renewed")?.ConnectedSince is not null);
            await agent.DisposeAsync();
            await Hub.UntilAsync(s => s.FindNode("renewed")?.ConnectedSince is null);
        }

        callers["that newer ones have replaced"] = copy;

        using var folder = new TemporaryFolder();
        await using (HubUnderTest other = await HubUnderTest.StartAsync(folder.Path, Time, tls: AgentsEndpoint.Default))
        {
            string token = (await other.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), Admin, Stop)).Token!.ToString();
            callers["of another hub"] = NewNode();
            await callers["of another hub"].JoinAsync(other.AgentUrl, token, "good");
        }

        X509Certificate2 real = callers["good"].Certificate!;
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest(real.IssuerName, authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 forged = authority.CreateSelfSigned(real.NotBefore.AddDays(-1), real.NotAfter.AddDays(1));
        callers["that says the same, of somebody's own authority"] = Forge(real, (request, key) => request.Create(forged, real.NotBefore, real.NotAfter, Convert.FromHexString(real.SerialNumber)).CopyWithPrivateKey(key));
        callers["self-signed in a node's name"] = Forge(real, (request, _) => request.CreateSelfSigned(real.NotBefore, real.NotAfter));
        Assert.Equal(Certificates.Keys.Order(StringComparer.Ordinal), callers.Keys.Order(StringComparer.Ordinal));
        return callers;
    }

    /// <summary>Subject and extensions as the real one has them.</summary>
    private TestNode Forge(X509Certificate2 real, Func<CertificateRequest, ECDsa, X509Certificate2> sign)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(real.SubjectName, key, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in real.Extensions.Where(e => e.Oid?.Value is not "2.5.29.35" and not "2.5.29.14"))
        {
            request.CertificateExtensions.Add(extension);
        }

        TestNode node = NewNode();
        node.Certificate = sign(request, key);
        return node;
    }

    private static async Task<StatusCode> CallAsync(GrpcChannel channel, string method, TestNode caller)
    {
        try
        {
            switch (method.Split('/')[2])
            {
                case "Connect":
                    using (AsyncDuplexStreamingCall<AgentMessage, HubMessage> call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: Stop))
                    {
                        _ = await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(new AgentMessage { Hello = new Hello { Node = "good", BootId = "boot-1" } }, Stop));
                        return await call.ResponseStream.MoveNext(Stop) && call.ResponseStream.Current.Welcome is not null ? StatusCode.OK : StatusCode.Unknown;
                    }

                case "GetAuthority":
                    await new Enrollment.EnrollmentClient(channel).GetAuthorityAsync(new AuthorityRequest(), cancellationToken: Stop);
                    return StatusCode.OK;
                case "Join":
                    await new Enrollment.EnrollmentClient(channel).JoinAsync(
                        new JoinRequest { Token = JoinToken.New(null).ToString(), Node = "new", CertificateRequest = ByteString.CopyFrom(caller.Request) }, cancellationToken: Stop);
                    return StatusCode.OK;
                case "Renew":
                    await new Enrollment.EnrollmentClient(channel).RenewAsync(new RenewRequest { CertificateRequest = ByteString.CopyFrom(caller.Request) }, cancellationToken: Stop);
                    return StatusCode.OK;
                default:
                    Marshaller<byte[]> bytes = Marshallers.Create(b => b, b => b);
                    string[] parts = method.Split('/');
                    await channel.CreateCallInvoker().AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, parts[1], parts[2], bytes, bytes), null, new CallOptions(cancellationToken: Stop), []);
                    return StatusCode.OK;
            }
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }
}
