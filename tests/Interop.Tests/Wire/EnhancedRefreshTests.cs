using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Wire;

/// <summary>Enhanced route refresh (RFC 7313): the answer has a marked beginning and end, after which the asker drops what did not come again.</summary>
public sealed class EnhancedRefreshTests : DataCenterTest
{
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task AskedForEverythingAgain_AnswerIsMarked_AndTheDaemonKeepsEveryRoute(RouteServerKind kind)
    {
        var center = await StartOneAsync(kind);
        var server = center.RouteServers[0];
        var capture = await Capture.StartAsync(center, Cancellation);
        Agent.Start(center, "a", "--primary", "--enhanced-route-refresh");
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var session = await server.SessionAsync("a", Cancellation);

        await server.RefreshAsync("a", Cancellation);

        // 1 and 2: beginning and end, for each of two families.
        var marks = $"bgp.route_refresh.subtype > 0 && ipv6.src == {Addresses.Node("a")}";
        // FRR may ask once more meanwhile: of an answer that has just begun the end is waited for.
        var seen = await Eventually.SeeAsync(
            "two ends of an answer, and none that is still to come", MarksAsync, subtypes => subtypes.Count(s => s == "2") >= 2 && subtypes.Count(s => s == "2") == subtypes.Count(s => s == "1"), Cancellation);
        Assert.Equal("1", seen[0]);
        Assert.Equal("2", seen[^1]);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        Assert.Equal(session, await server.SessionAsync("a", Cancellation));
        Assert.Equal(0, await center.WithdrawalsAsync("a", Cancellation));
        Assert.Empty(await capture.ComplaintsAsync(Cancellation));

        async Task<List<string>> MarksAsync(CancellationToken c) =>
            [.. (await capture.FieldsAsync(marks, ["bgp.route_refresh.subtype"], c)).SelectMany(packet => packet[0]).Where(subtype => subtype != "0")];
    }
}
