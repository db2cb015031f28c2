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
        var accepted = hub.Journal.Where(told => told.Entry.Kind == "intent-accepted").Select(told => told.Entry.OperationId).ToHashSet();
        Assert.Contains($"test-{hub.Obeyed}", accepted);
        Assert.All(hub.Journal.GroupBy(told => told.Boot), boot => Assert.Equal("started", boot.First().Entry.Kind));
    }

    private static bool Drained(ulong revision) => revision % 2 == 1;

    private static readonly Dictionary<string, Role> Roles = Addresses.Shared.ToDictionary(prefix => prefix, _ => Role.Secondary);
}
