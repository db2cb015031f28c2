using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Operations.Freezes;
using Microsoft.EntityFrameworkCore;
using ProtoFailback = FailoverHub.Protos.V1.FailbackPolicy;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>What operations keep of a node by its name follows it to another name, and is gone with it.</summary>
[Trait("Kind", "Hub")]
public sealed class RenamedNodeTests : TlsHubTest
{
    private static readonly Actor Machine = Admin with { Behind = new Requester.Machine() };

    private NodeChanges Changes => Hub.Get<NodeChanges>();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RenamedInAFreeze_KeepsAfterwardsWhatItKeptBefore(bool restarted)
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var first = await ConnectAsync(one, ProtoRole.Primary);
        var second = await ConnectAsync(two, ProtoRole.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        await AcceptedAsync(FreezeTests.Freeze());
        await PolicyAsync(FailbackPolicy.Manual);

        Assert.IsType<NodeChange.Done>(await Changes.RenameAsync("web-1", "lon-a", "new naming scheme", Admin, Stop));
        if (restarted)
        {
            await second.DisposeAsync();
            await RestartAsync();
            second = await ConnectAsync(two, ProtoRole.Secondary, second.Intents.Last().Revision, ProtoFailback.Manual);
        }

        await using var last = second;
        await using var again = await ConnectAsync(one, ProtoRole.Primary, first.Intents.Last().Revision, ProtoFailback.Manual);
        await Hub.UntilAsync(s => s.FindNode("lon-a") is { IsFresh: true });
        await AcceptedAsync(FreezeTests.Unfreeze());

        await PolicyAsync(FailbackPolicy.AfterStable);
        Assert.Equal(ProtoFailback.AfterStable, again.Intents.Last().Prefixes.Single().FailbackPolicy);
    }

    [Fact]
    public async Task RemovedInAFreeze_LeavesNothingToAnotherMachineOfThatName()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var first = await ConnectAsync(one, ProtoRole.Primary);
        var second = await ConnectAsync(two, ProtoRole.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        await AcceptedAsync(FreezeTests.Freeze());
        await PolicyAsync(FailbackPolicy.Manual);
        await second.DisposeAsync();
        await Hub.UntilAsync(s => s.FindNode("web-2")?.ConnectedSince is null);

        Assert.IsType<NodeChange.Done>(await Changes.RemoveAsync("web-2", "sold", Admin, Stop));
        await AcceptedAsync(FreezeTests.Unfreeze());
        await Hub.UntilAsync(s => s.FindNode("web-1")!.Prefixes.All(p => p.Failback?.Policy == FailbackPolicy.AfterStable));
        await using var other = await ConnectAsync(await JoinedAsync("web-2"), ProtoRole.Secondary, policy: ProtoFailback.Manual);
        await Hub.UntilAsync(s => s.FindNode("web-2") is { IsFresh: true });

        // The next freeze and its end are told to both; the machine keeps the policy that it came with.
        await AcceptedAsync(FreezeTests.Freeze());
        await Hub.UntilAsync(s => s.FindNode("web-1")!.Prefixes.All(p => p.Failback?.Policy == FailbackPolicy.Manual));
        await AcceptedAsync(FreezeTests.Unfreeze());
        await Hub.UntilAsync(s => s.FindNode("web-1")!.Prefixes.All(p => p.Failback?.Policy == FailbackPolicy.AfterStable));
        Assert.Empty(other.Intents);
        await using var db = Hub.OpenDatabase();
        Assert.DoesNotContain("web-2", await db.HeldFailbacks.Select(h => h.Node).ToListAsync(Stop));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RenamedWhileItsDrainHasAnEnd_IsUndrainedUnderItsNewName(bool restarted)
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        var first = await ConnectAsync(one, ProtoRole.Primary);
        await using var second = await ConnectAsync(two, ProtoRole.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        await EndedAsync(new OperationRequest { Type = OperationType.Drain, Node = "web-2", ExpiresIn = TimeSpan.FromSeconds(60), Reason = "kernel update" });
        var undrain = await FollowUpAsync();

        Assert.IsType<NodeChange.Done>(await Changes.RenameAsync("web-2", "lon-b", "new naming scheme", Admin, Stop));
        if (restarted)
        {
            await first.DisposeAsync();
            await RestartAsync();
            first = await ConnectAsync(one, ProtoRole.Primary);
        }

        await using var last = first;
        await using var again = await ConnectAsync(two, ProtoRole.Secondary, second.Intents.Last().Revision, change: r =>
        {
            r.Drained = true;
            r.Prefixes[0].Announced = false;
            r.Prefixes[0].ReportedRole = ProtoRole.Unspecified;
            r.Prefixes[0].WithdrawnReason = Protos.V1.WithdrawnReason.Drained;
        });
        await Hub.UntilAsync(s => s.FindNode("lon-b") is { IsFresh: true, Drained: true });
        Assert.Equal(("lon-b", "Undrain lon-b"), await Hub.Operations.FindAsync(undrain.Id, Stop) is { } waiting ? (waiting.Node, waiting.Title) : default);
        await PassTimeAsync(undrain.Id, (last, "web-1"), (again, "lon-b"));

        Assert.Equal(OperationStatus.Succeeded, (await Hub.UntilAsync(undrain.Id, o => o.IsFinished)).Status);
        Assert.False(Hub.Fleet.Current.FindNode("lon-b")!.Drained);
    }

    [Fact]
    public async Task RemovedWhileSomethingWaitsForIt_ThatIsCancelledAndAuditedWithIt()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var first = await ConnectAsync(one, ProtoRole.Primary);
        var second = await ConnectAsync(two, ProtoRole.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        await EndedAsync(new OperationRequest { Type = OperationType.Drain, Node = "web-2", ExpiresIn = TimeSpan.FromSeconds(60), Reason = "kernel update" });
        var undrain = await FollowUpAsync();
        await second.DisposeAsync();
        await Hub.UntilAsync(s => s.FindNode("web-2")?.ConnectedSince is null);

        Assert.IsType<NodeChange.Done>(await Changes.RemoveAsync("web-2", "sold", Admin, Stop));

        Assert.Equal((OperationStatus.Cancelled, "web-2 was removed from the hub. Nothing was sent."), await Hub.Operations.FindAsync(undrain.Id, Stop) is { } now ? (now.Status, now.Outcome) : default);
        Assert.Equal(undrain.Id, Assert.Single(await AuditAsync("cancel")).CorrelationId);
        await RestartAsync();
        Assert.Equal(OperationStatus.Cancelled, (await Hub.Operations.FindAsync(undrain.Id, Stop))!.Status);
    }

    [Fact]
    public async Task Renaming_WhileItIsNotKnownWhatBecameOfAnOperationOnIt_IsRefused()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var first = await ConnectAsync(one, ProtoRole.Primary);
        var second = await ConnectAsync(two, ProtoRole.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        await DrainOfUnknownOutcomeAsync(second);

        Assert.Contains("'Drain web-2' is not known yet", Assert.IsType<NodeChange.Refused>(await Changes.RenameAsync("web-2", "lon-b", "new naming scheme", Admin, Stop)).Why, StringComparison.Ordinal);
        Assert.NotNull(Hub.Fleet.Current.FindNode("web-2"));
    }

    /// <summary>It never comes back to tell what became of it: that is settled with it, once, and nothing that another machine of that name reports changes it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RemovedWhileItIsNotKnownWhatBecameOfAnOperationOnIt_ThatIsSettledAndAuditedWithIt(bool restarted)
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var first = await ConnectAsync(one, ProtoRole.Primary);
        var second = await ConnectAsync(two, ProtoRole.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        var id = await DrainOfUnknownOutcomeAsync(second);
        if (restarted)
        {
            await RestartAsync();
            Assert.Equal(OperationStatus.OutcomeUnknown, (await Hub.Operations.FindAsync(id, Stop))!.Status);
        }

        Assert.IsType<NodeChange.Done>(await Changes.RemoveAsync("web-2", "sold", Admin, Stop));

        var settled = (await Hub.Operations.FindAsync(id, Stop))!;
        Assert.Equal((OperationStatus.Failed, Time.GetUtcNow()), (settled.Status, settled.FinishedAt));
        Assert.EndsWith("Before that could be told, web-2 was removed from the hub.", settled.Outcome, StringComparison.Ordinal);
        var entry = Assert.Single(await AuditAsync("settle"));
        Assert.Equal(("admin", "accepted", "web-2 was removed from the hub.", id), (entry.Actor, entry.Outcome, entry.Reason, entry.CorrelationId));

        // What another machine of that name reports would have told that it was drained.
        await using var other = await ConnectAsync(await JoinedAsync("web-2"), ProtoRole.Secondary, 9, change: r =>
        {
            r.Drained = true;
            r.Prefixes[0].Announced = false;
            r.Prefixes[0].ReportedRole = ProtoRole.Unspecified;
            r.Prefixes[0].WithdrawnReason = Protos.V1.WithdrawnReason.Drained;
        });
        await Hub.UntilAsync(s => s.FindNode("web-2") is { IsFresh: true, Drained: true });
        await RestartAsync();
        Assert.Equal((OperationStatus.Failed, settled.Outcome), await Hub.Operations.FindAsync(id, Stop) is { } now ? (now.Status, now.Outcome) : default);
        Assert.Single(await AuditAsync("settle"));
        Assert.Single(await EventsAsync(EventKinds.OperationFinished), e => e.OperationId == id && e.Text.Contains("was removed from the hub", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RenamedWhileABulkDrainOfItsDataCenterWaits_IsDrainedByItUnderItsNewName(bool restarted)
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        var first = await ConnectAsync(one, ProtoRole.Primary, dataCenter: "18");
        await using var second = await ConnectAsync(two, ProtoRole.Secondary, dataCenter: "18");
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        var bulk = await AcceptedAsync(BulkDrain() with { StartAt = Time.GetUtcNow().AddSeconds(30), WindowEndsAt = Time.GetUtcNow().AddSeconds(600) });
        Assert.Equal(["Drain web-2 (pair web)"], (await Hub.Operations.FindAsync(bulk, Stop))!.Steps.Select(s => s.Title));

        Assert.IsType<NodeChange.Done>(await Changes.RenameAsync("web-2", "lon-b", "new naming scheme", Admin, Stop));
        if (restarted)
        {
            await first.DisposeAsync();
            await RestartAsync();
            first = await ConnectAsync(one, ProtoRole.Primary, dataCenter: "18");
        }

        await using var last = first;
        await using var again = await ConnectAsync(two, ProtoRole.Secondary, dataCenter: "18");
        await Hub.UntilAsync(s => s.FindNode("lon-b") is { IsFresh: true });
        Assert.Equal("Drain lon-b (pair web)", Assert.Single((await Hub.Operations.FindAsync(bulk, Stop))!.Steps).Title);
        await PassTimeAsync(bulk, (last, "web-1"), (again, "lon-b"));

        Assert.Equal((OperationStatus.Succeeded, "1 of 1 nodes were drained."), await Hub.UntilAsync(bulk, o => o.IsFinished) is { } ended ? (ended.Status, ended.Outcome) : default);
        Assert.True(Hub.Fleet.Current.FindNode("lon-b")!.Drained);
    }

    /// <summary>From its beginning on a bulk drain goes by names: who is still to be drained keeps his, and stays.</summary>
    [Fact]
    public async Task RenamingAndRemovingWhatABulkDrainUnderWayHasStillToDrain_AreRefused()
    {
        string[] names = ["app-1", "app-2", "web-1", "web-2"];
        var nodes = new List<TestNode>();
        foreach (var name in names)
        {
            nodes.Add(await JoinedAsync(name));
        }

        await using var appOne = await ConnectAsync(nodes[0], ProtoRole.Primary, dataCenter: "18", prefix: "203.0.113.20/32");
        await using var appTwo = await ConnectAsync(nodes[1], ProtoRole.Secondary, dataCenter: "18", prefix: "203.0.113.20/32");
        await using var webOne = await ConnectAsync(nodes[2], ProtoRole.Primary, dataCenter: "18");
        await using var webTwo = await ConnectAsync(nodes[3], ProtoRole.Secondary, dataCenter: "18");
        await Hub.UntilAsync(s => s.Pairs.Count(p => p.State == PairState.Healthy) == 2);
        var meanwhile = new TaskCompletionSource<(NodeChange Still, NodeChange Removal)>();
        appTwo.OnIntent = async _ =>
        {
            var renamed = await Changes.RenameAsync("web-2", "lon-b", "new naming scheme", Admin, Stop);
            await webTwo.DisposeAsync();
            await Hub.UntilAsync(s => s.FindNode("web-2")?.ConnectedSince is null);
            meanwhile.TrySetResult((renamed, await Changes.RemoveAsync("web-2", "sold", Admin, Stop)));
        };

        var bulk = await AcceptedAsync(BulkDrain());
        var (rename, removal) = await meanwhile.Task.WaitAsync(TimeSpan.FromSeconds(60), Stop);

        Assert.All(new[] { rename, removal }, change => Assert.Contains("web-2 is one of the nodes that it still has to drain", Assert.IsType<NodeChange.Refused>(change).Why, StringComparison.Ordinal));
        Assert.StartsWith("Stopped at web-2", (await Hub.UntilAsync(bulk, o => o.IsFinished)).Outcome, StringComparison.Ordinal);
        Assert.IsType<NodeChange.Done>(await Changes.RemoveAsync("web-2", "sold", Admin, Stop));
    }

    private static OperationRequest BulkDrain() => new() { Type = OperationType.BulkDrain, Pair = "*", DataCenter = "18", Role = Role.Secondary, Reason = "new hypervisors" };

    // It is asked, does nothing, and is gone.
    private async Task<string> DrainOfUnknownOutcomeAsync(FakeAgent node)
    {
        node.Obedience = Obedience.IsDeaf;
        var id = await AcceptedAsync(new OperationRequest { Type = OperationType.Drain, Node = "web-2", Reason = "kernel update" });
        await node.ReceiveIntentAsync();
        await node.DisposeAsync();
        await Hub.UntilAsync(s => s.FindNode("web-2")?.ConnectedSince is null);
        for (var seconds = 0; (await Hub.Operations.FindAsync(id, Stop))!.Status is OperationStatus.Queued or OperationStatus.Running; seconds++)
        {
            Assert.True(seconds < 100_000, Hub.Describe());
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(OperationStatus.OutcomeUnknown, (await Hub.Operations.FindAsync(id, Stop))!.Status);
        return id;
    }

    // Second by second, each node heard in each, until it is no longer waited for its time.
    private async Task PassTimeAsync(string id, params (FakeAgent Agent, string Name)[] reporting)
    {
        for (var mark = 1u; (await Hub.Operations.FindAsync(id, Stop))!.Status == OperationStatus.Queued; mark++)
        {
            Assert.True(mark < 300, Hub.Describe());
            Time.Advance(TimeSpan.FromSeconds(1));
            foreach (var (agent, name) in reporting)
            {
                await agent.ReportAsync(r => r.Sessions[0].Flaps = mark);
                await Hub.UntilAsync(s => s.FindNode(name) is { Sessions: [{ } session, ..] } && session.Flaps == mark);
            }
        }
    }

    private async Task<FakeAgent> ConnectAsync(TestNode node, ProtoRole role, ulong revision = 0, ProtoFailback policy = ProtoFailback.AfterStable, Action<Protos.V1.NodeReport>? change = null, string dataCenter = "", string prefix = "203.0.113.10/32")
    {
        var state = FakeAgent.State(role, prefix, revision);
        state.Prefixes[0].FailbackPolicy = policy;
        state.Prefixes[0].StableSeconds = policy == ProtoFailback.AfterStable ? 60u : 0;
        change?.Invoke(state);
        var agent = await FakeAgent.ConnectAsync(node.Channel(Url), "whoever", state, revision: revision, dataCenter: dataCenter, keepsFailback: true);
        await agent.ReportAsync();
        return agent;
    }

    private async Task<string> AcceptedAsync(OperationRequest request) => Assert.IsType<SubmitResult.Accepted>(await Hub.Operations.SubmitAsync(request, Machine, Stop)).OperationId;

    private async Task EndedAsync(OperationRequest request)
    {
        var id = await AcceptedAsync(request);
        Assert.Equal(OperationStatus.Succeeded, (await Hub.UntilAsync(id, o => o.IsFinished)).Status);
    }

    private async Task<OperationView> FollowUpAsync() => Assert.Single(await Hub.Operations.RecentAsync(OperationFilter.All, 20, Stop), o => o.Type == OperationType.Undrain);

    private Task<FleetSnapshot> PolicyAsync(FailbackPolicy policy) => Hub.UntilAsync(s => s.Nodes.All(n => n.Prefixes.All(p => p.Failback?.Policy == policy)));
}
