using FailoverHub.Web.Configuration;
using FailoverHub.Web.Reachability;
using Microsoft.Extensions.Configuration;

namespace FailoverHub.Web.Tests.Configuration;

public sealed class HubOptionsTests
{
    [Fact]
    public void NothingGiven_EverythingHasItsDefault()
    {
        HubOptions options = Good(new HubSettings());

        Assert.Equal("http://127.0.0.1:5080", Assert.Single(options.Urls).ToString());
        Assert.Equal((true, null, 5443), (options.AgentUrl.IsHttps, options.AgentUrl.Address, options.AgentUrl.Port));
        Assert.Equal($"https://{Environment.MachineName.ToLowerInvariant()}:5443", options.Agents.PublicUrl);
        Assert.Null(options.Agents.Certificate);
        Assert.Equal(ProbeSetting.Icmp, options.Probe);
        Assert.Equal(HubOptions.DefaultDataDirectory(), options.DataDirectory);
    }

    [Fact]
    public void SeveralMistakes_AllAreNamedAtOnceWithTheirKeys()
    {
        HubOptionsResult result = HubOptions.Parse(new HubSettings(Urls: "localhost:80;http://host.example:1", AgentUrl: "http://0.0.0.0:5081", Data: " ", Probe: "tcp:0"));

        Assert.Null(result.Options);
        Assert.Equal(5, result.Problems.Length);
        Assert.Equal(2, result.Problems.Count(p => p.StartsWith("--urls (FAILOVERHUB_URLS): ", StringComparison.Ordinal)));
        Assert.Single(result.Problems, p => p.StartsWith("--agent-url (FAILOVERHUB_AGENT_URL): ", StringComparison.Ordinal));
        Assert.Single(result.Problems, p => p.StartsWith("--data (FAILOVERHUB_DATA): ", StringComparison.Ordinal));
        Assert.Single(result.Problems, p => p.StartsWith("--probe (FAILOVERHUB_PROBE): ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://0.0.0.0:5081", "without TLS there are no certificates")]
    [InlineData("http://*:5081", "without TLS there are no certificates")]
    [InlineData("http://192.0.2.1:5081", "without TLS there are no certificates")]
    [InlineData("https://*:5080", "cannot share a port")]
    [InlineData("http://127.0.0.1:5080", "cannot share a port")]
    [InlineData("127.0.0.1:5081", "is not a URL")]
    [InlineData("http://127.0.0.1:5081/agents", "more than a scheme")]
    public void AgentUrl_ThatWouldBeUnsafeOrImpossible_IsRefusedWithTheReason(string agentUrl, string why)
    {
        HubOptionsResult result = HubOptions.Parse(new HubSettings(AgentUrl: agentUrl));

        Assert.Null(result.Options);
        Assert.Contains(why, Assert.Single(result.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("https://hub.example", "https://hub.example/")]
    [InlineData("https://hub.example:8443/", "https://hub.example:8443/")]
    [InlineData("http://192.0.2.1:5080", "http://192.0.2.1:5080/")]
    public void PublicUrl_IsTheRootOfTheDashboard(string? text, string? url) => Assert.Equal(url, Good(new HubSettings { PublicUrl = text }).PublicUrl?.AbsoluteUri);

    [Theory]
    [InlineData("")]
    [InlineData("hub.example")]
    [InlineData("ftp://hub.example")]
    [InlineData("https://hub.example/hub")]
    [InlineData("https://hub.example/?a=b")]
    [InlineData("https://hub.example/#a")]
    [InlineData("https://name:password@hub.example/")]
    public void PublicUrl_ThatIsNone_IsRefusedWithItsKey(string text) =>
        Assert.StartsWith("--public-url (FAILOVERHUB_PUBLIC_URL): ", Assert.Single(HubOptions.Parse(new HubSettings { PublicUrl = text }).Problems), StringComparison.Ordinal);

    [Theory]
    [InlineData("https://[::1]:5443")]
    [InlineData("http://localhost:5081")]
    [InlineData("http://127.9.8.7:5081")]
    [InlineData("http://[::1]:5081")]
    public void AgentUrl_OnLoopback_IsAccepted(string agentUrl) => Assert.True(Good(new HubSettings(AgentUrl: agentUrl)).AgentUrl.IsLoopback);

    [Fact]
    public void Urls_OnEveryAddressWithTheAgentsPort_AreRefused() =>
        Assert.Contains("cannot share a port", Assert.Single(HubOptions.Parse(new HubSettings(Urls: "http://*:5443")).Problems), StringComparison.Ordinal);

    [Theory]
    [InlineData("hub.example,192.0.2.7", null, "https://hub.example:5443")]
    [InlineData("2001:db8::7", null, "https://[2001:db8::7]:5443")]
    [InlineData(null, "https://192.0.2.9:6000", "https://192.0.2.9:6000")]
    [InlineData(null, "http://127.0.0.1:5081", "http://127.0.0.1:5081")]
    public void WhatAgentsDial_IsTheFirstNameElseTheAddress(string? names, string? agentUrl, string expected) =>
        Assert.Equal(expected, Good(new HubSettings(AgentUrl: agentUrl) { AgentNames = names }).Agents.PublicUrl);

    [Theory]
    [InlineData("hub example!", null, null, null, "neither a host name nor an address")]
    [InlineData("*.example", null, null, null, "neither a host name nor an address")]
    [InlineData(null, "/etc/hub.pem", null, null, "one is given without the other")]
    [InlineData(null, null, "/etc/hub.key", null, "one is given without the other")]
    [InlineData(null, "/etc/hub.pem", "/etc/hub.key", "http://127.0.0.1:5081", "a certificate is of no use")]
    public void AgentsEndpoint_ThatCannotBe_IsRefusedWithWhatToDo(string? names, string? certificate, string? key, string? agentUrl, string why) =>
        Assert.All(
            HubOptions.Parse(new HubSettings(AgentUrl: agentUrl) { AgentNames = names, AgentCertificate = certificate, AgentKey = key }).Problems.DefaultIfEmpty(""),
            p => Assert.Contains(why, p, StringComparison.Ordinal));

    [Fact]
    public void OperatorsCertificate_IsTakenWithItsKey() =>
        Assert.Equal(new FailoverHub.Web.Identity.OperatorCertificate("/etc/hub.pem", "/etc/hub.key"), Good(new HubSettings { AgentCertificate = "/etc/hub.pem", AgentKey = "/etc/hub.key" }).Agents.Certificate);

    [Fact]
    public void Cooldown_IsANumberOfMovesWithinAMinute()
    {
        Assert.Equal(4, Good(new HubSettings()).MovesAMinute);
        Assert.Equal(0, Good(new HubSettings { Cooldown = "0" }).MovesAMinute);
        Assert.All(["-1", "many", "1001"], text => Assert.Contains(HubSettings.CooldownKey, Assert.Single(HubOptions.Parse(new HubSettings { Cooldown = text }).Problems), StringComparison.Ordinal));
    }

    [Fact]
    public void TwoPerson_IsOffUnlessItIsAskedFor()
    {
        Assert.Equal("Off", Good(new HubSettings()).TwoPerson.ToString());
        Assert.Equal("Moves", Good(new HubSettings { TwoPerson = "moves" }).TwoPerson.ToString());
        Assert.All(["2", "yes", ""], text => Assert.Contains(HubSettings.TwoPersonKey, Assert.Single(HubOptions.Parse(new HubSettings { TwoPerson = text }).Problems), StringComparison.Ordinal));
    }

    [Fact]
    public void Probe_TcpWithPort_IsTcp() => Assert.Equal(new ProbeSetting(ProbeMethod.Tcp, 8080), Good(new HubSettings(Probe: "TCP:8080")).Probe);

    [Fact]
    public void SameSettingInThreePlaces_TheCommandLineWinsThenTheEnvironmentThenTheFile()
    {
        IConfiguration file = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["FailoverHub:Probe"] = "tcp:3",
            ["FailoverHub:Data"] = "/file",
            ["FailoverHub:Urls"] = "http://127.0.0.3:1",
        }).Build();
        var environment = new Dictionary<string, string?> { ["FAILOVERHUB_PROBE"] = "tcp:2", ["FAILOVERHUB_DATA"] = "/environment" };

        HubSettings layered = HubSettings.Layer(new HubSettings(Probe: "tcp:1"), environment.GetValueOrDefault, file);

        Assert.Equal(new HubSettings(Urls: "http://127.0.0.3:1", AgentUrl: null, Data: "/environment", Probe: "tcp:1"), layered);
    }

    private static HubOptions Good(HubSettings settings)
    {
        HubOptionsResult result = HubOptions.Parse(settings);
        Assert.Empty(result.Problems);
        return result.Options!;
    }
}
