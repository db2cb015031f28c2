using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Robustness;

/// <summary>kill -9 at any moment: what was drained stays drained, and the history has no hole.</summary>
public sealed class KillTests : DataCenterTest
{
    private const int Kills = 8;

    // One after the other they keep the agent busy for longer than a kill takes to arrive, so it falls into any of their steps.
    private const int IntentsAtOnce = 60;

    [Fact]
    public async Task KilledInTheMiddleOfIntents_ObeysNoneOlderThanItSaid_AndLosesNoEntryOfItsJournal()
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        var server = center.RouteServers[0];
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        var sent = 0ul;
        List<ulong> kept = [];
        for (var kill = 1; kill <= Kills; kill++)
        {
            await hub.HelloAsync(kill, Cancellation);
            await center.EstablishedAsync("a", Cancellation);
            for (var i = 0; i < IntentsAtOnce; i++)
            {
                await hub.SendAsync(++sent, Drained(sent), Roles, Cancellation);
            }

            // Half of the kills leave a drain behind for sure, whichever intents before it were obeyed.
            if (kill % 2 == 0)
            {
                sent += Drained(sent) ? 2ul : 1ul;
                await hub.SendAsync(sent, drained: true, Roles, Cancellation);
                await Eventually.SeeAsync("the last intent obeyed", _ => Task.FromResult(hub.Obeyed), obeyed => obeyed == sent, Cancellation);
            }

            await agent.KillAsync(Cancellation);
            var said = hub.Obeyed;
            await Eventually.SeeAsync("the end of the session", c => server.SessionAsync("a", c), session => !session.Established, Cancellation);
            var updates = (await server.TrafficAsync("a", Cancellation)).Updates;

            agent.StartAgain();

            var obeys = (await hub.HelloAsync(kill + 1, Cancellation)).IntentRevision;
            Assert.InRange(obeys, said, sent);
            kept.Add(obeys);
            await center.EstablishedAsync("a", Cancellation);
            var wanted = obeys == 0 ? Expected.All(Addresses.Primary) : Drained(obeys) ? Expected.Nothing : Expected.All(Addresses.Secondary);
            await center.SeeRoutesAsync("a", wanted, Cancellation);
            if (Drained(obeys))
            {
                await hub.ReportAsync("everything drained on an established session", r => r.Drained && r.IntentRevision == obeys && r.Sessions.All(s => s.State == SessionState.Established), Cancellation);
                Assert.Equal(updates, (await server.TrafficAsync("a", Cancellation)).Updates);
            }

            sent = Math.Max(sent, obeys);
        }

        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
        hub.JournalHasNoGap();
        var accepted = hub.Journal.Where(told => told.Entry.Kind == "intent-accepted").Select(told => told.Entry.OperationId).ToList();
        Assert.Contains($"test-{hub.Obeyed}", accepted);

        // Also of what was on the disk when the kill came, and in no journal yet.
        Assert.All(kept.Where(revision => revision > 0), revision => Assert.Single(accepted, name => name == $"test-{revision}"));
        Assert.All(hub.Journal.GroupBy(told => told.Boot), boot => Assert.Equal("started", boot.First().Entry.Kind));
    }

    [Fact]
    public async Task KilledBetweenAnOrderOnTheDiskAndItsEntry_TheHubHearsOfItOnce_WithItsTimeAndItsActor()
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        var journal = $"{Agent.StateOf("a")}/journal";
        await center.Sandbox.ScriptAsync($"mkdir -p {journal} && mount -t tmpfs -o size=64k none {journal}", Cancellation);
        var agent = Agent.Start(center, "a", "--primary", "--hub", ScriptedHub.Url);
        await agent.SayAsync("3 prefixes announced as primary", Cancellation);

        // The orders have a disk with room and the journal has none: the moment between the two lasts as long as the test wants.
        await center.Sandbox.ScriptAsync($"dd if=/dev/zero of={journal}/filler bs=4096 2>/dev/null || true", Cancellation);
        for (var order = 0; !(await agent.LogAsync(Cancellation)).Contains("The journal cannot be written", StringComparison.Ordinal); order++)
        {
            Assert.InRange(order, 0, 30);
            await agent.OrderAsync(["role", order % 2 == 0 ? "secondary" : "primary", "--reason", $"filling {order}"], Cancellation);
        }

        var before = DateTimeOffset.UtcNow;
        await agent.OrderAsync(["drain", "--reason", "kernel update"], Cancellation);
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);
        await agent.KillAsync(Cancellation);
        await center.Sandbox.ScriptAsync($"rm {journal}/filler", Cancellation);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);

        agent.StartAgain();

        await hub.HelloAsync(1, Cancellation);
        await Eventually.SeeAsync("the start in the journal of the hub", _ => Task.FromResult(hub.Journal), told => told.Count(entry => entry.Entry.Kind == "started") == 2, Cancellation);
        var (boot, entry) = Assert.Single(hub.Journal, told => told.Entry.Text.Contains("ordered to drain this node (\"kernel update\")", StringComparison.Ordinal));
        Assert.Equal(hub.Journal[0].Boot, boot);
        Assert.Equal(("local-command", "root (uid 0)"), (entry.Kind, entry.Actor));
        Assert.InRange(entry.AtUnixMs, before.ToUnixTimeMilliseconds(), before.AddMinutes(2).ToUnixTimeMilliseconds());
        await center.SeeRoutesAsync("a", Expected.Nothing, Cancellation);

        // And not again with the next start.
        await agent.KillAsync(Cancellation);
        agent.StartAgain();
        await Eventually.SeeAsync("the next start in the journal of the hub", _ => Task.FromResult(hub.Journal), told => told.Count(seen => seen.Entry.Kind == "started") == 3, Cancellation);
        Assert.Single(hub.Journal, told => told.Entry.Text.Contains("kernel update", StringComparison.Ordinal) && told.Entry.Kind == "local-command");
        Assert.Equal(0, await agent.TerminateAsync(Cancellation));
    }

    private static bool Drained(ulong revision) => revision % 2 == 1;

    private static readonly Dictionary<string, Role> Roles = Addresses.Shared.ToDictionary(prefix => prefix, _ => Role.Secondary);
}
