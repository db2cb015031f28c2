using System.Net;
using FailoverHub.Web.Access.Proxies;
using FailoverHub.Web.Configuration;
using Microsoft.Extensions.Configuration;

namespace FailoverHub.Web.Tests.Access.Proxies;

/// <summary>Which peers are believed, as it is written in settings.</summary>
public sealed class TrustedProxySettingTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("127.0.0.1", "127.0.0.1/32")]
    [InlineData("127.0.0.1, 10.0.0.0/24 ;::1", "127.0.0.1/32 10.0.0.0/24 ::1/128")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1/32")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("10.0.0.5/24", "10.0.0.0/24")]
    public void AddressesAndNetworks_AreTaken(string? text, string taken)
    {
        HubOptionsResult result = HubOptions.Parse(new HubSettings { TrustedProxies = text });

        Assert.Empty(result.Problems);
        Assert.Equal(taken, string.Join(' ', result.Options!.TrustedProxies));
    }

    [Theory]
    [InlineData("0.0.0.0/0", "would trust everybody")]
    [InlineData("::/0", "would trust everybody")]
    [InlineData("10.0.0.0/33", "length is none")]
    [InlineData("proxy.example", "neither an address nor a network")]
    [InlineData("10", "neither an address nor a network")]
    [InlineData("*", "neither an address nor a network")]
    public void WhatIsNeitherOrEverybody_IsRefusedWithWhatToWrite(string text, string why)
    {
        string problem = Assert.Single(HubOptions.Parse(new HubSettings { TrustedProxies = text }).Problems);

        Assert.StartsWith("--trusted-proxy (FAILOVERHUB_TRUSTED_PROXIES): ", problem, StringComparison.Ordinal);
        Assert.Contains(why, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void TooMany_AreRefused() =>
        Assert.Contains("50 at most", Assert.Single(HubOptions.Parse(new HubSettings { TrustedProxies = string.Join(',', Enumerable.Repeat("192.0.2.1", 51)) }).Problems), StringComparison.Ordinal);

    [Fact]
    public void CommandLine_ComesBeforeTheEnvironmentAndThatBeforeTheFile()
    {
        IConfiguration file = new ConfigurationBuilder().AddInMemoryCollection([new("FailoverHub:TrustedProxies", "192.0.2.3")]).Build();
        string? Named(string? given, string? environment) =>
            HubSettings.Layer(new HubSettings { TrustedProxies = given }, name => name == "FAILOVERHUB_TRUSTED_PROXIES" ? environment : null, file).TrustedProxies;

        Assert.Equal(["192.0.2.1", "192.0.2.2", "192.0.2.3"], [Named("192.0.2.1", "192.0.2.2"), Named(null, "192.0.2.2"), Named(null, null)]);
    }

    [Fact]
    public async Task CommandLine_TakesSeveralAndNamesTheWrongOne()
    {
        using var error = new StringWriter();

        int code = await HubCommandLine.Build(TextWriter.Null, error).Parse(["run", "--trusted-proxy", "127.0.0.1", "--trusted-proxy", "nonsense", "--trusted-proxy", "0.0.0.0/0"]).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(1, code);
        Assert.Contains("'nonsense' is neither", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("'0.0.0.0/0' would trust everybody", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.7", true)]
    [InlineData("::ffff:10.0.0.7", true)]
    [InlineData("10.0.1.7", false)]
    [InlineData("::1", false)]
    public void Peer_IsTrustedHoweverItsSocketSpellsIt(string peer, bool trusted) =>
        Assert.Equal(trusted, ForwardedRequests.IsTrusted([IPNetwork.Parse("10.0.0.0/24")], IPAddress.Parse(peer)));
}
