using System.Globalization;
using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>
/// What the hub says that a move cost, beside what the test's own prober saw that asks every 10 ms: within 20 ms where an operation moved the address, within the range that the
/// figure itself states where it fell silent by itself.
/// </summary>
public sealed class OutageFigureTests : HubAtTheClientTest
{
    private static readonly TimeSpan Promised = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Switchover_ToANodeThatIsMuteAtFirst_AndADrainWithoutAStandby_CostWhatTheClientSaw()
    {
        var (hub, _) = await StartAsync();

        var id = await MuteWhileAsync("b", () => hub.OperateAsync("pairs/web", """{"type":"switchover","reason":"a test"}""", Cancellation), lost: 40);
        await EndsAsync(hub, id);
        await MeasuredAsync(hub, outage => (string?)outage["operationId"] == id, "switchover");

        // Nobody is left: from the drain until somebody announces again.
        StartPings();
        await EndsAsync(hub, await hub.OperateAsync("nodes/web-a", """{"type":"drain","reason":"a test"}""", Cancellation));
        var since = Now;
        var drain = await hub.OperateAsync("nodes/web-b", """{"type":"drain","reason":"a test","overrideRules":["SR-01"]}""", Cancellation);
        await SeeLossAsync(since, 60);
        await EndsAsync(hub, drain);
        await hub.OperateAsync("nodes/web-b", """{"type":"undrain","reason":"a test"}""", Cancellation);
        await MeasuredAsync(hub, outage => (string?)outage["operationId"] == drain, "drain");
    }

    [Fact]
    public async Task Drill_BothItsMoves_CostWhatTheClientSaw()
    {
        var (hub, _) = await StartAsync();

        var drill = await MuteWhileAsync("b", () => hub.OperateAsync("pairs/web", """{"type":"drill","reason":"a test"}""", Cancellation), lost: 30);
        await Eventually.SeeAsync("it measures there", c => hub.OperationAsync(drill, c), operation => (string?)operation["steps"]![2]!["status"] != "Pending", Cancellation);
        var there = await StopPingsAsync();
        Assert.Equal(drill, (string?)(await hub.PairAsync(Cancellation))!["operation"]);

        StartPings();
        await MuteWhileAsync("a", () => Task.FromResult(drill), lost: 50);
        await EndsAsync(hub, drill);
        var back = await StopPingsAsync();
        var report = await Eventually.SeeAsync(
            "both its moves measured",
            c => hub.DrillReportAsync(drill, c),
            report => report["failover"]!["outages"]!.AsArray().Count == Prefixes.Length && report["failback"]!["outages"]!.AsArray().Count == Prefixes.Length,
            Cancellation);

        Assert.True((bool)report["passed"]!, report.ToJsonString());
        Compare("there", there, [.. report["failover"]!["outages"]!.AsArray().Select(outage => outage!)], planned: true);
        Compare("back", back, [.. report["failback"]!["outages"]!.AsArray().Select(outage => outage!)], planned: true);
    }

    [Fact]
    public async Task LinkCutWithoutAWord_CostWithinTheRangeThatTheHubStates()
    {
        var (hub, _) = await StartAsync();

        await Center.CutAsync("a", Cancellation);
        await SeeAtAsync("b");
        await MeasuredAsync(hub, outage => (string?)outage["kind"] == "failover", "failover after a cut link");
    }

    /// <summary>The other node gets the traffic at once and is mute for a while: else so little is lost that nothing could be compared.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AgentThatIsKilledOrStopped_CostWithinTheRangeThatTheHubStates(bool killed)
    {
        var (hub, agent) = await StartAsync();

        await MuteAsync("b");
        var since = Now;
        if (killed)
        {
            await agent.KillAsync(Cancellation);
        }
        else
        {
            await agent.TerminateAsync(Cancellation);
        }

        await SeeLossAsync(since, 60);
        await UnmuteAsync("b");
        await SeeAtAsync("b");
        await MeasuredAsync(hub, outage => (string?)outage["kind"] == "failover", killed ? "failover after a kill" : "failover after a stop");
    }

    private async Task<(RealHub Hub, Agent Active)> StartAsync()
    {
        await StartFabricAsync();
        var hub = await StartHubAtTheClientAsync();
        var active = await JoinAsync(hub, "a", "--primary");
        await JoinAsync(hub, "b", "--secondary");
        await SteadyAtAAsync();
        await Eventually.SeeAsync("the pair as it should be", c => hub.PairAsync(c), pair => (string?)pair?["state"] == "Healthy" && (string?)pair["name"] == "web", Cancellation);
        return (hub, active);
    }

    /// <summary>The node that gets the traffic does not answer until each address has lost so many pings.</summary>
    private async Task<string> MuteWhileAsync(string node, Func<Task<string>> begin, int lost)
    {
        await MuteAsync(node);
        var since = Now;
        var id = await begin();
        await SeeLossAsync(since, lost);
        await UnmuteAsync(node);
        await SeeAtAsync(node);
        return id;
    }

    private static async Task EndsAsync(RealHub hub, string id)
    {
        var ended = await Eventually.SeeAsync("the end of the operation", c => hub.OperationAsync(id, c), operation => (bool)operation["finished"]!, Cancellation);
        Assert.True((string?)ended["status"] == "Succeeded", ended.ToJsonString());
    }

    private async Task MeasuredAsync(RealHub hub, Func<JsonNode, bool> which, string what)
    {
        var figures = await Eventually.SeeAsync(
            $"the figures of the {what}", async c => (await hub.OutagesAsync("web", c)).Where(which).ToList(), outages => outages.Count == Prefixes.Length, Cancellation);
        Compare(what, await StopPingsAsync(), figures, planned: figures.TrueForAll(outage => outage["operationId"] is not null));
    }

    /// <summary>
    /// Both are known from one probe to the next: from the first to the last that was lost, and from the answer before to the one after. On a machine that has other things
    /// to do a probe may be sent late; by so much as these two are further apart than two periods nobody can know better.
    /// </summary>
    private static void Compare(string what, PingLog pings, IReadOnlyList<JsonNode> figures, bool planned)
    {
        foreach (var (prefix, place) in Prefixes.Select((prefix, place) => (prefix, place)))
        {
            var figure = Assert.Single(figures, outage => (string?)outage["prefix"] == prefix);
            var (shortest, longest) = (Milliseconds(figure, "shortestMs"), Milliseconds(figure, "longestMs"));
            var seen = pings.OutageOf(place);
            var late = Late(shortest, longest) + Late(seen.Shortest, seen.Longest);
            var said = string.Create(
                CultureInfo.InvariantCulture,
                $"{what}, {prefix}: the client saw {seen.Shortest.TotalMilliseconds:0} to {seen.Longest.TotalMilliseconds:0} ms, the hub {shortest.TotalMilliseconds:0} to {longest.TotalMilliseconds:0} ms, probed each {Milliseconds(figure, "resolutionMs").TotalMilliseconds:0} ms; sent late by {late.TotalMilliseconds:0} ms");
            TestContext.Current.TestOutputHelper?.WriteLine(said);
            Assert.True(seen.Shortest > TimeSpan.Zero, said);

            // What happened is in both ranges.
            Assert.True(shortest <= seen.Longest + Promised && seen.Shortest <= longest + Promised, said);
            if (planned)
            {
                Assert.True((longest - seen.Longest).Duration() <= Promised + late, said);
            }
        }
    }

    private static TimeSpan Late(TimeSpan shortest, TimeSpan longest) => longest - shortest > Promised ? longest - shortest - Promised : TimeSpan.Zero;

    private static TimeSpan Milliseconds(JsonNode figure, string name) => TimeSpan.FromMilliseconds((double)figure[name]!);
}
