using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Joining;
using FailoverHub.Protos.V1;
using Grpc.Core;

namespace FailoverHub.Agent.Tests.Identity;

/// <summary>Joining against a hub with real TLS. What goes wrong leaves nothing behind.</summary>
public sealed class JoinCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Joined_KeyAndCertificateAreKept_AndTheHubHasWelcomedThisNode()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });

        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, _authority.Token("one")));

        var asked = Assert.Single(hub.Joins.Seen);
        Assert.Equal((TestAuthority.Secret("one"), "web-1", AgentCommandLine.Version), (asked.Token, asked.Node, asked.AgentVersion));
        var kept = Kept();
        Assert.Equal((hub.Address, "web-1", TlsHub.NodeId, new HubTrust.Pinned(_authority.Der)), (kept!.Hub, kept.Node, kept.NodeId, kept.Trust));
        var stream = await hub.StreamAsync();
        Assert.Equal(kept.Fingerprint, stream.Certificate);
        Assert.Equal("web-1", (await stream.Stream.Received.FirstAsync<AgentMessage>()).Hello.Node);
        Assert.Contains("Joined", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains($"run --state {_directory.Root}", _output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(TestAuthority.Secret("one"), $"{_output}{_error}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task TokenOfAnotherHub_IsNotShownToThisOne()
    {
        using var other = new TestAuthority();
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });

        Assert.Equal(JoinExit.NotTheHub, await JoinAsync(hub, other.Token("one")));

        await NothingHappenedAsync(hub, "another fingerprint");
    }

    [Fact]
    public async Task SomebodyInBetweenWithAnAuthorityOfTheSameName_IsNotShownTheToken()
    {
        // He hands on what the hub says of its authority, and has a certificate of another one with the same name.
        using var his = new TestAuthority();
        using var server = his.Server();
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Server = server });

        Assert.Equal(JoinExit.NotTheHub, await JoinAsync(hub, _authority.Token("one")));

        await NothingHappenedAsync(hub, "not signed by the hub's own authority");
    }

    [Fact]
    public async Task ANodeThatPosesAsTheHub_IsNotShownTheToken()
    {
        using var server = _authority.Server(use: TestAuthority.ClientUse);
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Server = server });

        Assert.Equal(JoinExit.NotTheHub, await JoinAsync(hub, _authority.Token("one")));

        await NothingHappenedAsync(hub, "no certificate of a server");
    }

    [Fact]
    public async Task HubOfAnotherName_IsTheHubAllTheSame_WhenItIsOfThePinnedAuthority()
    {
        using var server = _authority.Server("somewhere.else.example");
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Server = server });

        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, _authority.Token("one")));
    }

    [Fact]
    public async Task ClockBehindTheHub_IsSaidWithBothClocks_AndTheTokenIsGoodStill()
    {
        using var server = _authority.Server(begins: TimeSpan.FromDays(2));
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Server = server });

        Assert.Equal(JoinExit.NotTheHub, await JoinAsync(hub, _authority.Token("one")));

        await NothingHappenedAsync(hub, "the clock is off");
    }

    [Fact]
    public async Task CertificateThatBeginsLater_IsKept_WithAWarningAboutTheClock()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Begins = TimeSpan.FromDays(1) });

        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, _authority.Token("one")));

        Assert.NotNull(Kept());
        Assert.Contains("the clock is off", _output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StatusCode.Unauthenticated, "The join token is unknown.", JoinExit.TokenRefused, "make a new one")]
    [InlineData(StatusCode.AlreadyExists, "web-1 is another node.", JoinExit.NameNotGiven, "--node NAME")]
    [InlineData(StatusCode.InvalidArgument, "No such name.", JoinExit.NameNotGiven, "--node NAME")]
    [InlineData(StatusCode.ResourceExhausted, "Too many wrong tokens.", JoinExit.TokenRefused, "Wait")]
    [InlineData(StatusCode.Unavailable, "The audit cannot be written.", JoinExit.NotReachable, "The audit cannot be written")]
    [InlineData(StatusCode.Internal, "Broken.", JoinExit.Failed, "hub's log")]
    public async Task WhatTheHubRefuses_IsSaidInItsWords_WithWhatToDo(StatusCode code, string words, int exit, string advice)
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, JoinRefused = new Status(code, words) });

        Assert.Equal(exit, await JoinAsync(hub, _authority.Token("one")));

        Assert.Contains(words.TrimEnd('.'), _error.ToString(), StringComparison.Ordinal);
        Assert.Contains(advice, _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory.Root));
    }

    [Fact]
    public async Task NobodyAnswers_IsSaid_AndNothingIsLeftBehind()
    {
        using var port = new ReservedPort();

        Assert.Equal(JoinExit.NotReachable, await JoinAsync(new Uri($"https://127.0.0.1:{port.Number}"), _authority.Token("one")));

        Assert.Contains("no hub answers", _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory.Root));
    }

    [Fact]
    public async Task AHubWithoutTls_IsNoHubThatCanBeJoined()
    {
        await using var hub = await Hub.ScriptedHub.StartAsync();

        Assert.Equal(JoinExit.NotReachable, await JoinAsync(new UriBuilder(hub.Address) { Scheme = "https" }.Uri, _authority.Token("one")));

        Assert.Empty(Directory.GetFiles(_directory.Root));
    }

    [Fact]
    public async Task StateThatCannotBeWritten_IsSaidBeforeTheTokenIsSpent()
    {
        File.WriteAllText(_directory.At("file"), "");
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });

        Assert.Equal(JoinExit.Failed, await RunAsync(Options(hub.Address, _authority.Token("one")) with { StateDirectory = _directory.At("file/state") }));

        Assert.Empty(hub.Joins.Seen);
        Assert.Contains("The token is not used up", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CertificateOfAnotherKey_IsNotTaken_AndWhatWasThereStays()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, _authority.Token("one")));
        var before = Kept()!.Fingerprint;

        hub.Script.IssuesForAnotherKey = true;
        Assert.Equal(JoinExit.Failed, await JoinAsync(hub, _authority.Token("two")));

        Assert.Equal(before, Kept()!.Fingerprint);
        Assert.Contains("cannot be used", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task JoinedAgain_ReplacesTheCertificate_UnderTheNameThatTheNodeHad()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        Assert.Equal(JoinExit.Joined, await JoinAsync(hub, _authority.Token("one")));
        var before = Kept()!.Fingerprint;

        Assert.Equal(JoinExit.Joined, await RunAsync(Options(hub.Address, _authority.Token("two")) with { Node = null }));

        Assert.Equal("web-1", hub.Joins.Seen[1].Node);
        Assert.NotEqual(before, Kept()!.Fingerprint);
        Assert.Equal([IdentityStore.FileName], Directory.GetFiles(_directory.Root).Select(Path.GetFileName));
    }

    [Fact]
    public async Task NoNameGiven_IsTheHosts()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });

        Assert.Equal(JoinExit.Joined, await RunAsync(Options(hub.Address, _authority.Token("one")) with { Node = null }));

        Assert.Equal("this-host", hub.Joins.Seen[0].Node);
    }

    [Fact]
    public async Task JoinedButNotWelcomed_IsKept_AndSaid()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, CertificateRefused = new RpcException(new Status(StatusCode.Unauthenticated, "Not you.")) });

        Assert.Equal(JoinExit.NotConnected, await JoinAsync(hub, _authority.Token("one")));

        Assert.NotNull(Kept());
        Assert.Contains("Not you", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OperatorsOwnCertificate_IsRecognisedByItsAuthorityAndItsName()
    {
        using var operators = new TestAuthority();
        using var server = operators.Server();
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Server = server });
        var trust = Authorities(operators);

        Assert.Equal(JoinExit.Joined, await RunAsync(Options(hub.Address, TestAuthority.Secret("one")) with { Trust = trust }));

        Assert.Equal(trust, Kept()!.Trust);
    }

    [Fact]
    public async Task OperatorsOwnCertificate_OfAnotherName_IsNotTaken()
    {
        using var operators = new TestAuthority();
        using var server = operators.Server("another.example");
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Server = server });

        Assert.Equal(JoinExit.NotTheHub, await RunAsync(Options(hub.Address, TestAuthority.Secret("one")) with { Trust = Authorities(operators) }));

        await NothingHappenedAsync(hub, "another.example");
    }

    [Fact]
    public async Task CertificateOfNobodyKnown_WithATokenThatNamesNone_IsNotTaken()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });

        Assert.Equal(JoinExit.NotTheHub, await JoinAsync(hub, TestAuthority.Secret("one")));

        await NothingHappenedAsync(hub, "--hub-ca FILE");
    }

    private static HubTrust Authorities(TestAuthority authority)
    {
        using var file = new TemporaryDirectory();
        File.WriteAllText(file.At("ca.pem"), authority.Certificate.ExportCertificatePem());
        return HubOptionsReader.Trust(file.At("ca.pem")).Trust!;
    }

    private async Task NothingHappenedAsync(TlsHub hub, string words)
    {
        await _error.FlushAsync(TestContext.Current.CancellationToken);
        Assert.Contains(words, _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(hub.Joins.Seen);
        Assert.Empty(Directory.GetFiles(_directory.Root));
    }

    private HubIdentity? Kept() => new IdentityStore(_directory.Root).Load().Identity;

    private JoinOptions Options(Uri hub, string token) => new()
    {
        Hub = hub,
        Token = JoinToken.Parse(token).Token!,
        Node = "web-1",
        HostName = "this-host",
        StateDirectory = _directory.Root,
        ControlSocket = _directory.At("control.sock"),
    };

    private Task<int> JoinAsync(TlsHub hub, string token) => JoinAsync(hub.Address, token);

    private Task<int> JoinAsync(Uri hub, string token) => RunAsync(Options(hub, token));

    private Task<int> RunAsync(JoinOptions options) => new JoinCommand(options, TimeProvider.System, _output, _error).RunAsync(TestContext.Current.CancellationToken);
}
