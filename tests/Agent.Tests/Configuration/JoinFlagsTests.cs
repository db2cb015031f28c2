using FailoverHub.Agent.Answering;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Vantage;
using FailoverHub.Agent.Joining;
using FailoverHub.Agent.Tests.Identity;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Agent.Tests.Configuration;

/// <summary>The command line of a join, and what a join does to the command line of 'run'.</summary>
public sealed class JoinFlagsTests : IDisposable
{
    private static readonly string _token = TestAuthority.Secret("one");

    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void AllFlags_AreUnderstood()
    {
        var options = Accept($"join --hub https://hub.example:5443 --token {_token} --node web-1 --state /var/tmp/x");

        Assert.Equal((new Uri("https://hub.example:5443"), _token, "web-1", "/var/tmp/x", "/var/tmp/x/control.sock"), (options.Hub, options.Token.Secret, options.Node, options.StateDirectory, options.ControlSocket));
        Assert.Null(options.Trust);
    }

    [Fact]
    public void Token_IsReadFromStandardInput_FromAFile_OrFromTheEnvironment()
    {
        File.WriteAllText(_directory.At("token"), _token + "\n");

        Assert.Equal(_token, Accept("join --hub https://hub.example --token -", line: _token).Token.Secret);
        Assert.Equal(_token, Accept($"join --hub https://hub.example --token-file {_directory.At("token")}").Token.Secret);
        Assert.Equal(_token, Accept("join --hub https://hub.example", variables: (JoinFlags.TokenVariable, _token)).Token.Secret);
    }

    [Fact]
    public void HubAndNode_AreThoseOfTheFile_WhenTheyAreNotTyped()
    {
        File.WriteAllText(_directory.At("agent.json"), """{ "hub": "https://hub.example:5443", "node": "web-7" }""");

        var options = Accept($"join --token {_token} --config {_directory.At("agent.json")}");

        Assert.Equal((new Uri("https://hub.example:5443"), "web-7"), (options.Hub, options.Node));
    }

    [Fact]
    public void JoinedBefore_TheHubNeedNotBeSaidAgain()
    {
        Joined(new Uri("https://hub.example:5443"));

        Assert.Equal(new Uri("https://hub.example:5443"), Accept($"join --token {_token} --state {_directory.Root}").Hub);
    }

    [Theory]
    [InlineData("join --hub https://hub.example", "--token: not given")]
    [InlineData("join --token TOKEN", "--hub: not given")]
    [InlineData("join --hub http://127.0.0.1:5081 --token TOKEN", "give its https address")]
    [InlineData("join --hub nonsense --token TOKEN", "give its https address")]
    [InlineData("join --hub https://hub.example --token nonsense", "does not begin with fhj_")]
    [InlineData("join --hub https://hub.example --token -", "--token: not given")]
    [InlineData("join --hub https://hub.example --token-file /nowhere/token", "--token-file: '/nowhere/token' cannot be read")]
    [InlineData("join --hub https://hub.example --token TOKEN --token-file /nowhere/token", "both given")]
    [InlineData("join --hub https://hub.example --token TOKEN --node n*de", "--node: 'n*de'")]
    [InlineData("join --hub https://hub.example --token TOKEN --hub-ca /nowhere/ca.pem", "--hub-ca: '/nowhere/ca.pem' cannot be read")]
    [InlineData("join --hub https://hub.example --token TOKEN now", "Unrecognized")]
    public void WhatIsWrong_IsSaid_AndTheTokenIsNot(string line, string words)
    {
        var (request, error) = Read(line.Replace("TOKEN", _token, StringComparison.Ordinal), null);

        Assert.Equal(new CommandLineRequest.Exit(2), request);
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.DoesNotContain(_token, error, StringComparison.Ordinal);
    }

    [Fact]
    public void JoinedNode_RunsWithItsHub_WithoutAFlag()
    {
        var identity = Joined(new Uri("https://hub.example:5443"));

        var options = Run($"-dcid 18 --state {_directory.Root}");

        Assert.Equal(identity.Hub, options.Hub);
        Assert.False(options.NeedsStoredIntent);
        using var answers = new IdentityAnswers(0, _ => false, TimeProvider.System, NullLogger<IdentityAnswers>.Instance);
        using var names = new NameLookup(_ => []);
        var vantage = new VantagePoint(new TargetAsking(_ => default, _ => (null, ""), names, TimeProvider.System, NullLogger<TargetAsking>.Instance), Random.Shared.NextDouble, TimeProvider.System, NullLogger<VantagePoint>.Instance);
        var link = AgentSettings.HubLink(options, _ => default!, () => [], answers, vantage)!;
        Assert.Equal(("node-a", identity.Fingerprint, identity.Trust), (link.Node, link.Member!.Identity.Fingerprint, link.Trust));
        Assert.Same(vantage, link.Vantage);
        Assert.Null(AgentSettings.HubLink(Run($"-dcid 18 --state {_directory.Root} --probing off"), _ => default!, () => [], answers, vantage)!.Vantage);
    }

    [Theory]
    [InlineData("--hub https://other.example:5443", "https://other.example:5443/", true)]
    [InlineData("--hub http://127.0.0.1:5081", "http://127.0.0.1:5081/", false)]
    [InlineData("--hub off -primary", null, false)]
    public void WhatIsTyped_GoesBeforeWhatWasJoined(string flags, string? hub, bool member)
    {
        Joined(new Uri("https://hub.example:5443"));

        var options = Run($"-dcid 18 {flags} --state {_directory.Root}");

        Assert.Equal(hub, options.Hub?.ToString());
        Assert.Equal(member, AgentSettings.MemberOf(options) is not null);
    }

    [Fact]
    public void IdentityThatOthersMayRead_KeepsNoNodeFromAnnouncing()
    {
        Joined(new Uri("https://hub.example:5443"));
        File.SetUnixFileMode(_directory.At(IdentityStore.FileName), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var options = Run($"-dcid 18 -primary --state {_directory.Root}");

        Assert.Null(options.Hub);
        Assert.Contains("chmod 600", options.JoinProblem, StringComparison.Ordinal);
        Assert.Contains(options.Warnings, warning => warning.Contains("chmod 600", StringComparison.Ordinal));
    }

    [Fact]
    public void HubCa_OfAFile_OfTheSystem_AndOfNothing()
    {
        File.WriteAllText(_directory.At("ca.pem"), _authority.Certificate.ExportCertificatePem());
        File.WriteAllText(_directory.At("empty.pem"), "nothing");

        Assert.Equal(new HubTrust.Given([_authority.Der]), Run($"-dcid 18 --hub https://hub.example --hub-ca {_directory.At("ca.pem")}").HubTrust);
        Assert.Equal(new HubTrust.OfTheSystem(), Run("-dcid 18 --hub https://hub.example --hub-ca system").HubTrust);
        Assert.Contains("no certificate in it", Read($"run -dcid 18 --hub https://hub.example --hub-ca {_directory.At("empty.pem")}", null).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_SaysAsWhomTheNodeSpeaks_AndThatOneHasNotJoined()
    {
        Joined(new Uri("https://hub.example:5443"));

        Assert.Contains("https://hub.example:5443/ as node-a, with a certificate until", Check($"check -dcid 18 --state {_directory.Root}"), StringComparison.Ordinal);
        Assert.Contains("WITHOUT A CERTIFICATE", Check($"check -dcid 18 --hub https://hub.example --state {_directory.At("other")}"), StringComparison.Ordinal);
    }

    private HubIdentity Joined(Uri hub)
    {
        var identity = _authority.Identity(hub, TimeSpan.FromDays(1), TimeSpan.FromDays(30));
        Assert.Null(new IdentityStore(_directory.Root).Save(identity));
        return identity;
    }

    private static AgentOptions Run(string line) => Assert.IsType<CommandLineRequest.Run>(Read("run " + line, null).Request).Options;

    private static string Check(string line)
    {
        using var output = new StringWriter();
        Assert.Equal(new CommandLineRequest.Exit(0), new AgentCommandLine().Read(line.Split(' '), "host-1", output, TextWriter.Null));
        return output.ToString();
    }

    private static JoinOptions Accept(string words, string? line = null, params (string Name, string Value)[] variables)
    {
        var (request, error) = Read(words, line, variables);
        Assert.Equal("", error);
        return Assert.IsType<CommandLineRequest.Join>(request).Options;
    }

    private static (CommandLineRequest Request, string Error) Read(string words, string? line, params (string Name, string Value)[] variables)
    {
        using var error = new StringWriter();
        var surroundings = new AgentSurroundings("host-1", [.. variables.Select(variable => KeyValuePair.Create(variable.Name, variable.Value))], "/nowhere/agent.json") { ReadLine = () => line };
        return (new AgentCommandLine().Read(words.Split(' '), surroundings, TextWriter.Null, error), error.ToString());
    }
}
