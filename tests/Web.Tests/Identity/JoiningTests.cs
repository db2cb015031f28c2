using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using Google.Protobuf;
using Grpc.Core;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>How a machine becomes a node, over the real port with real certificates.</summary>
[Trait("Kind", "Hub")]
public sealed class JoiningTests : TlsHubTest
{
    [Fact]
    public async Task Join_WithAGoodToken_GivesACertificateThatOpensTheStreamUnderTheNameOfTheHubsTable()
    {
        var node = NewNode();

        var issued = await node.JoinAsync(Url, await TokenAsync(), "web-1");

        await using var agent = await node.ConnectAsync(Url, calledItself: "somebody-else");
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        Assert.Null(Hub.Fleet.Current.FindNode("somebody-else"));
        Assert.Equal("web-1", issued.Node);
        Assert.Equal(Time.GetUtcNow().AddDays(30).ToUnixTimeMilliseconds(), issued.NotAfterUnixMs);
        Assert.Equal(Time.GetUtcNow().AddDays(20).ToUnixTimeMilliseconds(), issued.RenewAfterUnixMs);
        var seen = Hub.Fleet.Current.FindNode("web-1")!.Identity!;
        Assert.Equal((issued.NodeId, 30, 0), (seen.NodeId, seen.DaysLeft(Time.GetUtcNow()), seen.Renewals));
    }

    [Fact]
    public async Task Certificate_SaysWhatAdr0014Says()
    {
        var node = NewNode();
        var issued = await node.JoinAsync(Url, await TokenAsync(), "web-1");
        using var certificate = X509CertificateLoader.LoadCertificate(issued.Certificate.ToByteArray());

        Assert.Equal("CN=web-1", certificate.Subject);
        Assert.Equal(issued.NodeId, NodeCertificates.NodeIdOf(certificate));
        Assert.Equal(["1.3.6.1.5.5.7.3.2"], certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(o => o.Value));
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, certificate.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Equal(16, certificate.SerialNumberBytes.Length);
    }

    /// <summary>The way of an agent that has nothing but the token.</summary>
    [Fact]
    public async Task TokensFingerprint_IsThatOfTheAuthorityWhichSignedTheEndpointsCertificate()
    {
        var token = await TokenAsync();
        var node = NewNode();
        using var blind = node.Channel(Url);
        var authority = (await new Enrollment.EnrollmentClient(blind).GetAuthorityAsync(new AuthorityRequest(), cancellationToken: Stop)).Certificate.ToByteArray();

        Assert.Equal(token.Split('.')[1], Base64Url.EncodeToString(SHA256.HashData(authority)));

        using var root = X509CertificateLoader.LoadCertificate(authority);
        var trusts = new List<bool>();
        using var channel = node.Channel(Url, server =>
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(root);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
            chain.ChainPolicy.VerificationTime = Time.GetUtcNow().UtcDateTime;
            chain.ChainPolicy.VerificationTimeIgnored = false;
            trusts.Add(chain.Build(server) && server.MatchesHostname("localhost"));
        });
        await new Enrollment.EnrollmentClient(channel).GetAuthorityAsync(new AuthorityRequest(), cancellationToken: Stop);
        Assert.Equal([true], trusts);
    }

    [Fact]
    public async Task Token_IsGoodOnce()
    {
        var token = await TokenAsync();
        await NewNode().JoinAsync(Url, token, "web-1");

        var fault = await NewNode().FailToJoinAsync(Url, token, "web-2");

        Assert.Equal(StatusCode.Unauthenticated, fault.StatusCode);
        Assert.Null(Hub.Fleet.Current.FindNode("web-2"));
    }

    [Fact]
    public async Task Token_UsedByTwoAtOnce_LetsOneIn()
    {
        var token = await TokenAsync();
        var (one, other) = (NewNode(), NewNode());

        var both = await Task.WhenAll(
            Record.ExceptionAsync(() => one.JoinAsync(Url, token, "web-1")).AsTask(), Record.ExceptionAsync(() => other.JoinAsync(Url, token, "web-2")).AsTask());

        Assert.Single(both, e => e is null);
        Assert.Equal(StatusCode.Unauthenticated, Assert.IsType<RpcException>(Assert.Single(both, e => e is not null)).StatusCode);
    }

    [Fact]
    public async Task UnknownUsedExpiredWithdrawnAndMisboundToken_AreRefusedInTheSameWords()
    {
        var used = await TokenAsync();
        await NewNode().JoinAsync(Url, used, "web-1");
        var expired = await TokenAsync();
        Time.Advance(TimeSpan.FromMinutes(16));
        var withdrawn = await TokenAsync();
        var id = (await Hub.Get<JoinTokens>().ListAsync(Stop))[0].Id;
        Assert.True(await Hub.Get<JoinTokens>().WithdrawAsync(id, Admin, Stop));
        var bound = await TokenAsync("web-9");
        var faults = new List<RpcException>();

        foreach (var token in new[] { used, expired, withdrawn, bound, JoinToken.New(null).ToString(), "rubbish", "" })
        {
            faults.Add(await NewNode().FailToJoinAsync(Url, token, "web-2"));
        }

        Assert.All(faults, f => Assert.Equal((StatusCode.Unauthenticated, faults[0].Status.Detail), (f.StatusCode, f.Status.Detail)));
        var refused = (await AuditAsync("node-joined")).Where(a => a.Outcome.StartsWith("refused", StringComparison.Ordinal)).ToList();
        Assert.Equal(7, refused.Count);
        Assert.All(refused, a => Assert.Equal(("nobody", "127.0.0.1", "node web-2"), (a.Actor, a.RemoteAddress, a.Target)));
    }

    [Fact]
    public async Task TokenForOneName_LetsInThatOne()
    {
        var issued = await NewNode().JoinAsync(Url, await TokenAsync("Web-9"), "web-9");

        Assert.Equal("web-9", issued.Node);
    }

    [Fact]
    public async Task NameThatANodeHas_IsRefusedAndTheTokenStaysGood()
    {
        await JoinedAsync("web-1");
        var token = await TokenAsync();

        var fault = await NewNode().FailToJoinAsync(Url, token, "WEB-1");

        Assert.Equal(StatusCode.AlreadyExists, fault.StatusCode);
        Assert.Contains("--for-existing", fault.Status.Detail, StringComparison.Ordinal);
        await NewNode().JoinAsync(Url, token, "web-2");
    }

    [Fact]
    public async Task NameThatANodeHas_TriedAgainAndAgain_IsCountedAndTheTokenStaysGood()
    {
        await JoinedAsync("web-1");
        var token = await TokenAsync();

        for (var i = 0; i < WrongTokens.PerAddressAndMinute + 5; i++)
        {
            Assert.Equal(StatusCode.AlreadyExists, (await NewNode().FailToJoinAsync(Url, token, "web-1")).StatusCode);
        }

        Assert.Equal(WrongTokens.PerAddressAndMinute, (await AuditAsync("node-joined")).Count(a => a.Outcome.Contains("There is a node 'web-1' already", StringComparison.Ordinal)));
        Assert.Equal(5, Assert.Single(Hub.Get<RefusalTally>().Take(all: true)).Count);
        await NewNode().JoinAsync(Url, token, "web-2");
    }

    [Fact]
    public async Task TokenForAnExistingNode_KeepsItsIdAndEndsItsOldCertificate()
    {
        var old = NewNode();
        var first = await old.JoinAsync(Url, await TokenAsync(), "web-1");
        await using var agent = await old.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        var fresh = NewNode();
        var second = await fresh.JoinAsync(Url, await TokenAsync("web-1", forExisting: true), "web-1");

        Assert.Equal(first.NodeId, second.NodeId);
        Assert.Equal(StatusCode.Unauthenticated, (await agent.Ended.WaitAsync(Stop))!.StatusCode);
        Assert.Contains("newer certificates", (await old.FailToConnectAsync(Url)).Status.Detail, StringComparison.Ordinal);
        await using var again = await fresh.ConnectAsync(Url, boot: "boot-2");
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
    }

    [Theory]
    [InlineData(true, null, "Which node")]
    [InlineData(true, "web-9", "No node 'web-9' has joined")]
    [InlineData(false, "no name!", "is no node name")]
    [InlineData(false, "web-1", "There is a node 'web-1' already")]
    public async Task TokenThatMakesNoSense_IsRefusedWithWhatToDo(bool forExisting, string? node, string why)
    {
        await JoinedAsync("web-1");

        var made = await Hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(node, forExisting, JoinTokens.DefaultLifetime), Admin, Stop);

        Assert.Null(made.Token);
        Assert.Contains(why, made.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_IsStoredHashedAndAuditedWithoutItsSecret()
    {
        var token = JoinToken.Parse(await TokenAsync())!;

        await using var db = Hub.OpenDatabase();
        var row = Assert.Single(db.JoinTokens);
        Assert.Equal(token.Hash, row.Hash);
        Assert.DoesNotContain(token.Secret, System.Text.Json.JsonSerializer.Serialize(row), StringComparison.Ordinal);
        Assert.DoesNotContain(token.Secret, System.Text.Json.JsonSerializer.Serialize(await AuditAsync("join-token-created")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no request")]
    [InlineData("a curve of 384 bits")]
    [InlineData("another signature")]
    [InlineData("rsa")]
    public async Task RequestThatIsNone_IsRefusedAndTheTokenStaysGood(string what)
    {
        var token = await TokenAsync();
        using var wide = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        var good = NewNode().Request;
        good[^1] ^= 1;
        byte[] request = what switch
        {
            "no request" => [1, 2, 3],
            "a curve of 384 bits" => TestNode.RequestFor(wide),
            "rsa" => new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest(),
            _ => good,
        };
        using var channel = NewNode().Channel(Url);

        var fault = await Assert.ThrowsAsync<RpcException>(async () => await new Enrollment.EnrollmentClient(channel).JoinAsync(
            new JoinRequest { Token = token, Node = "web-1", CertificateRequest = ByteString.CopyFrom(request) }, cancellationToken: Stop));

        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        await NewNode().JoinAsync(Url, token, "web-1");
    }

    /// <summary>Reading a request and checking its signature is work that a stranger does not make the hub do.</summary>
    [Fact]
    public async Task RequestThatIsNone_WithoutAGoodToken_IsNotReadAndCountsAsAWrongToken()
    {
        using var channel = NewNode().Channel(Url);

        var fault = await Assert.ThrowsAsync<RpcException>(async () => await new Enrollment.EnrollmentClient(channel).JoinAsync(
            new JoinRequest { Token = JoinToken.New(null).ToString(), Node = "web-1", CertificateRequest = ByteString.CopyFrom(1, 2, 3) }, cancellationToken: Stop));

        Assert.Equal(StatusCode.Unauthenticated, fault.StatusCode);
        Assert.Contains("join token is unknown", Assert.Single(await AuditAsync("node-joined")).Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Joining_IsAnEventAndAnAuditEntryThatNamesTheTokensMaker()
    {
        await JoinedAsync("web-1");

        Assert.Contains("web-1 joined from 127.0.0.1", Assert.Single(await EventsAsync(EventKinds.NodeJoined)).Text, StringComparison.Ordinal);
        var audited = Assert.Single(await AuditAsync("node-joined"));
        Assert.Contains("of admin", audited.Actor, StringComparison.Ordinal);
        Assert.True((await Hub.History.VerifyAuditAsync(Stop)).Intact);
    }
}
