using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoRole = FailoverHub.Protos.V1.Role;
using Role = FailoverHub.Web.Fleet.Role;

namespace FailoverHub.Web.Tests.Operations.Bulk;

/// <summary>A data center is drained, one pair after the other; the first that fails stops it.</summary>
[Trait("Kind", "Hub")]
public sealed class BulkDrainTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OperationRequest Drain(params string[] overrides) =>
        new() { Type = OperationType.BulkDrain, Pair = "*", DataCenter = "18", Role = Role.Secondary, Reason = "new hypervisors", OverrideRules = [.. overrides] };

    [Fact]
    public async Task EachPair_IsDrainedAfterTheOneBefore()
    {
        await using var rig = await StartAsync();
        await using var fleet = await TwoMorePairsAsync(rig);

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Drain()));

        Assert.Equal((OperationStatus.Succeeded, "2 of 2 nodes were drained."), (ended.Status, ended.Outcome));
        Assert.Equal([StepStatus.Succeeded, StepStatus.Succeeded], ended.Steps.Select(s => s.Status));
        Assert.True(ended.Steps[1].StartedAt >= ended.Steps[0].FinishedAt);
        Assert.Equal(["app-2", "db-2"], rig.Hub.Fleet.Current.Nodes.Where(n => n.Drained).Select(n => n.Name));
        Assert.Equal(["drain", "drain", "bulk-drain"], (await rig.AuditAsync()).Select(a => a.Action));
    }

    [Fact]
    public async Task FirstThatFails_StopsIt()
    {
        await using var rig = await StartAsync();
        await using var fleet = await TwoMorePairsAsync(rig);
        fleet.Agents[1].Obedience = Obedience.Rejects;

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Drain()));

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.StartsWith("Stopped at app-2: ", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal([StepStatus.Failed, StepStatus.Skipped], ended.Steps.Select(s => s.Status));
        Assert.Empty(fleet.Agents[3].Intents);
    }

    [Fact]
    public async Task Cancelled_NothingMoreIsDrained()
    {
        await using var rig = await StartAsync();
        await using var fleet = await TwoMorePairsAsync(rig);
        var id = new TaskCompletionSource<string>();
        fleet.Agents[1].OnIntent = async _ => Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(await id.Task, "enough", Alice, Cancellation));

        id.SetResult(await rig.AcceptedAsync(Drain()));
        var ended = await rig.EndedAsync(await id.Task);

        Assert.Equal((OperationStatus.Cancelled, "Cancelled by alice. 1 of 2 nodes were drained."), (ended.Status, ended.Outcome));
        Assert.Empty(fleet.Agents[3].Intents);
    }

    [Fact]
    public async Task MoreThanTheLimit_AsksForAnOverride()
    {
        await using var rig = await StartAsync(services => services.AddSingleton(new OperationLimits { BulkMost = 1 }));
        await using var fleet = await TwoMorePairsAsync(rig);

        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Drain(), Alice, Cancellation));

        var rule = Assert.Single(refused.Preview.Rules, r => r.Blocks);
        Assert.Equal(("SR-13", true), (rule.RuleId, rule.CanOverride));
        Assert.True(rig.Hub.Operations.Preview(Drain("SR-13"), out _)!.Allowed);
    }

    [Fact]
    public async Task WhereTwoPeopleAreWanted_OneApprovalIsForAllOfIt()
    {
        await using var rig = await StartAsync(services => services.AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.All }));
        await using var fleet = await TwoMorePairsAsync(rig);

        var id = await rig.AcceptedAsync(Drain());
        Assert.Equal(OperationStatus.PendingApproval, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        Assert.Empty(fleet.Agents[1].Intents);
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "agreed", People.Bob, Cancellation));

        var ended = await rig.EndedAsync(id);
        Assert.Equal((OperationStatus.Succeeded, "bob", "2 of 2 nodes were drained."), (ended.Status, ended.ApprovedBy, ended.Outcome));
        Assert.All((await rig.Hub.Operations.RecentAsync(OperationFilter.All, 10, Cancellation)).Where(o => o.Type == OperationType.Drain), o => Assert.Equal("bob", o.ApprovedBy));
    }

    [Fact]
    public async Task HubEndsInTheMiddle_IsReportedAndNothingMoreIsDrained()
    {
        await using var rig = await StartAsync();
        await using var fleet = await TwoMorePairsAsync(rig);
        fleet.Agents[1].Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(Drain());
        await fleet.Agents[1].ReceiveIntentAsync();

        await rig.RestartHubAsync();

        var ended = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("0 of 2 nodes had been drained", ended.Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataCenterWithoutSuchNodes_MakesNoSense()
    {
        await using var rig = await StartAsync();

        Assert.Equal(["dataCenter"], Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(Drain(), Alice, Cancellation)).Problem.Keys);
    }

    private static OperationRequest Later(OperationRig rig, double seconds, double? windowSeconds = null) => Drain() with
    {
        StartAt = rig.Time.GetUtcNow().AddSeconds(seconds),
        WindowEndsAt = windowSeconds is { } window ? rig.Time.GetUtcNow().AddSeconds(seconds + window) : null,
    };

    // Time stands still as soon as it has begun.
    private static async Task<OperationView> BegunAndEndedAsync(OperationRig rig, string id, Agents18 fleet)
    {
        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, [rig.A, rig.B, .. fleet.Agents]);
        return await rig.EndedAsync(id);
    }

    [Fact]
    public async Task AtATime_ItWaitsAndBeginsThen_AboutTheNodesThatHaveTheRoleThen()
    {
        await using var rig = await StartAsync();
        await using var fleet = await TwoMorePairsAsync(rig);
        var id = await rig.AcceptedAsync(Later(rig, 5));
        var waiting = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal((OperationStatus.Queued, rig.Time.GetUtcNow().AddSeconds(5), rig.Time.GetUtcNow().AddSeconds(905)), (waiting.Status, waiting.ScheduledFor, waiting.WindowEndsAt));
        Assert.Equal(["Drain app-2 (pair app)", "Drain db-2 (pair db)"], waiting.Steps.Select(s => s.Title));

        // By then app is the other way round.
        await rig.EndedAsync(await rig.AcceptedAsync(Switchover("app-2") with { Pair = "app" }));
        Assert.Equal(OperationStatus.Queued, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        var ended = await BegunAndEndedAsync(rig, id, fleet);

        Assert.Equal((OperationStatus.Succeeded, "2 of 2 nodes were drained.", waiting.ScheduledFor), (ended.Status, ended.Outcome, ended.ScheduledFor));
        Assert.Equal(["app-1", "db-2"], rig.Hub.Fleet.Current.Nodes.Where(n => n.Drained).Select(n => n.Name));
        var audit = (await rig.AuditAsync()).Where(a => a.Action == "bulk-drain").ToList();
        Assert.Equal("accepted, as scheduled", audit[0].Outcome);
        Assert.StartsWith("accepted, for 2026-05-04 12:00:", audit[1].Outcome, StringComparison.Ordinal);
        Assert.All(audit, a => Assert.Equal(("alice", "data center 18", "new hypervisors", id), (a.Actor, a.Target, a.Reason, a.CorrelationId)));
    }

    [Fact]
    public async Task CancelledWhileItWaits_NothingIsDrained()
    {
        await using var rig = await StartAsync();
        await using var fleet = await TwoMorePairsAsync(rig);
        var id = await rig.AcceptedAsync(Later(rig, 5));

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "postponed", Alice, Cancellation));
        rig.Time.Advance(TimeSpan.FromSeconds(10));

        var ended = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal((OperationStatus.Cancelled, "Cancelled by alice. Nothing was sent."), (ended.Status, ended.Outcome));
        Assert.Equal(("cancel", "data center 18", "accepted"), (await rig.AuditAsync())[0] is var entry ? (entry.Action, entry.Target, entry.Outcome) : default);
        Assert.All(fleet.Agents, agent => Assert.Empty(agent.Intents));
    }

    /// <summary>A hub that has just started has heard nobody: it waits for the data center instead of finding nothing to drain there.</summary>
    [Fact]
    public async Task HubIsStartedAnew_ItIsDrainedAtItsTimeAllTheSame()
    {
        await using var rig = await StartAsync();
        string id;
        await using (await TwoMorePairsAsync(rig))
        {
            id = await rig.AcceptedAsync(Later(rig, 2, windowSeconds: 60));
            await rig.Hub.Writer.FlushAsync(Cancellation);
        }

        await rig.RestartHubAsync();
        await rig.TickUntilAsync(() => rig.Time.GetUtcNow() >= new DateTimeOffset(2026, 5, 4, 12, 0, 4, TimeSpan.Zero));
        Assert.Equal(OperationStatus.Queued, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        await using var fleet = await TwoMorePairsAsync(rig, alone: true);
        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, [.. fleet.Agents]);
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Succeeded, "2 of 2 nodes were drained."), (ended.Status, ended.Outcome));
    }

    [Fact]
    public async Task RuleThatStandsAgainstItThen_RefusesIt_AndSoDoesItsWindow()
    {
        await using var rig = await StartAsync(services => services.AddSingleton(new OperationLimits { BulkMost = 1 }));
        await using var fleet = await TwoMorePairsAsync(rig);
        var id = await rig.AcceptedAsync(Later(rig, 3));

        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, [rig.A, rig.B, .. fleet.Agents]);

        Assert.Equal(OperationStatus.Refused, ended.Status);
        Assert.Contains("SR-13 BulkLimit", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal(["startAt"], Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(Later(rig, -1), Alice, Cancellation)).Problem.Keys);
        Assert.Equal(["windowEndsAt"], Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(Later(rig, 5, windowSeconds: 90_000), Alice, Cancellation)).Problem.Keys);
        Assert.Null(rig.Hub.Operations.Preview(Later(rig, -1), out _));
    }

    [Fact]
    public async Task WhereTwoPeopleAreWanted_ItWaitsForBothTheOtherOneAndItsTime()
    {
        await using var rig = await StartAsync(services => services.AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.All }));
        await using var fleet = await TwoMorePairsAsync(rig);

        var id = await rig.AcceptedAsync(Later(rig, 5));
        Assert.Equal(OperationStatus.PendingApproval, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "agreed", People.Bob, Cancellation));
        Assert.Equal(OperationStatus.Queued, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        var ended = await BegunAndEndedAsync(rig, id, fleet);

        Assert.Equal((OperationStatus.Succeeded, "bob"), (ended.Status, ended.ApprovedBy));
    }

    private static async Task<Agents18> TwoMorePairsAsync(OperationRig rig, bool alone = false)
    {
        var agents = new List<FakeAgent>();
        foreach (var (name, address) in new[] { ("app", "203.0.113.20/32"), ("db", "203.0.113.30/32") })
        {
            agents.Add(await ConnectAsync($"{name}-1", ProtoRole.Primary, address));
            agents.Add(await ConnectAsync($"{name}-2", ProtoRole.Secondary, address));
        }

        await rig.Hub.UntilAsync(s => s.Pairs.Count(p => p.State == PairState.Healthy) == (alone ? 2 : 3));
        return new Agents18(agents);

        async Task<FakeAgent> ConnectAsync(string node, ProtoRole role, string address)
        {
            var agent = await FakeAgent.ConnectAsync(rig.Hub.AgentUrl, node, FakeAgent.State(role, address), dataCenter: "18");
            await agent.ReportAsync();
            return agent;
        }
    }

    /// <summary>Nodes of data center 18: primary and secondary of app, then of db.</summary>
    private sealed record Agents18(IReadOnlyList<FakeAgent> Agents) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var agent in Agents)
            {
                await agent.DisposeAsync();
            }
        }
    }
}
