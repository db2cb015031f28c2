using System.Text.Json;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Discovery;

/// <summary>What doctor says on a node where all is well, and where one thing after the other is not. The machine's clock is its own business.</summary>
public sealed class DoctorTests : DataCenterTest
{
    private static readonly string[] _path = ["metadata", "data-center", "address", "ipv6-source", "route", "mtu", "tcp", "share"];

    private static string Node => Addresses.NodeNetwork("a");

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task AllIsWell_BeforeTheAgentRuns_TheRouteServersGreetUs(RouteServerKind kind)
    {
        var center = await StartAsync(kind);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);

        var found = await ExamineAsync();

        Assert.All(_path, check => Assert.Equal("passed", found[check].State));
        Assert.Contains("speaks BGP with this machine", found["share"].Text, StringComparison.Ordinal);
        Assert.Equal("unknown", found["agent"].State);
    }

    [Fact]
    public async Task AllIsWell_WithTheAgent_ItsSessionsAreLeftInPeace()
    {
        var center = await StartAsync(RouteServerKind.Frr);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);
        Agent.StartAlone(center, "a", "--primary");
        var sessions = await center.EstablishedAsync("a", Cancellation);
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);

        var found = await ExamineAsync();

        Assert.All([.. _path, "agent"], check => Assert.Equal("passed", found[check].State));
        Assert.Contains("4 of 4 sessions are established", found["share"].Text, StringComparison.Ordinal);
        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
    }

    [Fact]
    public async Task NoAddress_IsFound_WithTheCommandThatAddsIt()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);
        await center.Sandbox.ScriptAsync($"ip -n {Node} addr del {Addresses.SharedIpv4} dev lo", Cancellation);

        var found = await ExamineAsync();

        OnlyFails(found, "address");
        Assert.Contains($"ip addr add {Addresses.SharedIpv4} dev lo", found["address"].Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoRoute_IsFound()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);
        await center.Sandbox.ScriptAsync($"ip -n {Node} -6 route del default", Cancellation);

        var found = await ExamineAsync();

        OnlyFails(found, "route", "tcp");
        Assert.Equal("unknown", found["share"].State);
    }

    [Fact]
    public async Task NobodyListens_IsFound()
    {
        var center = await StartAsync(RouteServerKind.Bird);
        await using var service = await MetadataService.StartAsync(center, "a", Addresses.Node("a"), Cancellation);
        foreach (var server in center.RouteServers)
        {
            await server.Process.KillAsync(Cancellation);
        }

        var found = await ExamineAsync();

        OnlyFails(found, "tcp", "share");
        Assert.Contains("connection refused", found["tcp"].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    [InlineData(RouteServerKind.GoBgp)]
    public async Task RouteServersDoNotKnowTheNode_TheShareIsSuspected(RouteServerKind kind)
    {
        var center = await StartAsync(kind);
        const string unknown = "2600:3c0f:18:1::c";
        await center.Sandbox.ScriptAsync(
            $"""
            ip -n {Node} -6 addr add {unknown}/64 dev eth0 nodad
            ip -n {Node} -6 addr del {Addresses.Node("a")}/64 dev eth0
            """,
            Cancellation);
        await using var service = await MetadataService.StartAsync(center, "a", unknown, Cancellation);

        var found = await ExamineAsync();

        OnlyFails(found, "share");
        Assert.Contains("probably not registered", found["share"].Text, StringComparison.Ordinal);
    }

    // Of what the data center decides.
    private static void OnlyFails(IReadOnlyDictionary<string, Found> found, params string[] checks) =>
        Assert.Equal(checks.Order(StringComparer.Ordinal), _path.Where(check => found[check].State == "failed").Order(StringComparer.Ordinal));

    private async Task<IReadOnlyDictionary<string, Found>> ExamineAsync()
    {
        using var json = JsonDocument.Parse(await Agent.ExamineAsync(Center, "a"));
        return json.RootElement.GetProperty("findings").EnumerateArray()
            .GroupBy(finding => finding.GetProperty("check").GetString()!)
            .ToDictionary(group => group.Key, group => new Found(
                group.First().GetProperty("state").GetString()!, group.First().GetProperty("text").GetString()!, group.First().GetProperty("advice").GetString()));
    }

    private sealed record Found(string State, string Text, string? Advice);
}
