using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Transport;

/// <summary>TCP MD5 (RFC 2385): whoever has the key has a session, and nobody else.</summary>
public sealed class AuthenticationTests : DataCenterTest
{
    private const string KeyFile = "/run/md5.key";

    private static readonly RouteServerOptions Signed = new() { Password = "correct-horse-7" };

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task SameKey_SessionIsSignedAndCarriesEveryRoute(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, Signed);
        var capture = await Capture.StartAsync(center, Cancellation);
        await center.Sandbox.WriteSecretAsync(KeyFile, "correct-horse-7\n", Cancellation);

        var agent = Agent.Start(center, "a", "--primary", "--md5-key-file", KeyFile);

        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        var fromUs = $"ipv6.src == {Addresses.Node("a")}";
        await capture.StopAfterAsync($"bgp.type == 3 && {fromUs}", 1, Cancellation);
        Assert.Empty(await capture.PacketsAsync($"{fromUs} && !tcp.options.md5", Cancellation));
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task AnotherKey_NoSession_AndLogAndStatusNameTheKeyWithoutShowingIt(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, Signed);
        await center.Sandbox.WriteSecretAsync(KeyFile, "wrong-horse-8\n", Cancellation);

        var agent = Agent.Start(center, "a", "--primary", "--md5-key-file", KeyFile);

        await agent.SayAsync("TCP MD5 is configured: a neighbor with another key or with none gives no answer", Cancellation);
        var status = await agent.StatusAsync(Cancellation);
        Assert.Contains("compare the keys", status, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-horse-8", status + await agent.LogAsync(Cancellation), StringComparison.Ordinal);
        Assert.False((await center.RouteServers[0].SessionAsync("a", Cancellation)).Established);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task NoKeyWhereTheServerWantsOne_NoSession(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind, Signed);

        var agent = Agent.Start(center, "a", "--primary");

        await agent.SayAsync("no answer within", Cancellation);
        Assert.False((await center.RouteServers[0].SessionAsync("a", Cancellation)).Established);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
    }
}
