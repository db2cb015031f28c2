using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Operations;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>A third machine that reports the address of a pair, from its first report to what an operator says of it, on a real hub with a real database.</summary>
[Trait("Kind", "Hub")]
public sealed class PairAdmissionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NodeThatReportsAPairsAddress_IsNoMemberAndNoRuleReliesOnIt()
    {
        await using var rig = await OperationRig.StartAsync();
        await using var stranger = await StrangerAsync(rig);
        await rig.B.DisposeAsync();
        await rig.Hub.UntilAsync(s => s.FindNode("web-2")!.ConnectedSince is null);

        var drained = await rig.Hub.Operations.SubmitAsync(OperationRig.OnNode(OperationType.Drain, "web-1"), OperationRig.Alice, Stop);

        Assert.Contains(Assert.IsType<SubmitResult.Refused>(drained).Preview.Rules, r => r is { RuleId: "SR-01", Blocks: true });
        Assert.Equal(["web-1", "web-2"], rig.Pair.Members.Select(m => m.Node.Name));
        Assert.Equal("web-3", Assert.Single(await rig.EventsAsync(new HistoryFilter { Kind = EventKinds.PairClaimed })).Node);
    }

    [Fact]
    public async Task HubThatStartsAgain_KnowsWhoWasFirstWhoeverReportsFirst()
    {
        await using var rig = await OperationRig.StartAsync();
        var stranger = await StrangerAsync(rig);
        await rig.Hub.Writer.FlushAsync(Stop);
        await stranger.DisposeAsync();
        await rig.RestartHubAsync();

        stranger = await StrangerAsync(rig);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", Role.Primary);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", Role.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("web") is { State: PairState.Healthy } pair && pair.Members.All(m => m.Node.IsFresh));

        Assert.Equal(["web-1", "web-2"], rig.Pair.Members.Select(m => m.Node.Name));
        Assert.Equal(["web-3"], rig.Pair.Claimants.Select(c => c.Node));
        await stranger.DisposeAsync();
    }

    [Fact]
    public async Task LetInInPlaceOfAnother_IsAuditedAndHoldsOverARestart()
    {
        await using var rig = await OperationRig.StartAsync();
        var stranger = await StrangerAsync(rig);
        var revision = rig.Pair.Revision;
        var announces = await rig.Hub.Get<PairAdmission>().LetInAsync("web", "web-3", "web-2", "web-2 was sold", OperationRig.Alice, Stop);
        Assert.Contains("web-2 announces 203.0.113.10/32 now", Assert.IsType<NodeChange.Refused>(announces).Why, StringComparison.Ordinal);
        await rig.B.DisposeAsync();
        await rig.Hub.UntilAsync(s => !s.FindNode("web-2")!.IsFresh);

        var done = await rig.Hub.Get<PairAdmission>().LetInAsync("web", "web-3", "web-2", "web-2 was sold", OperationRig.Alice, Stop);

        Assert.IsType<NodeChange.Done>(done);
        Assert.Equal(["web-1", "web-3"], rig.Pair.Members.Select(m => m.Node.Name));
        Assert.Equal(("web-2", revision + 1), (string.Join(" ", rig.Pair.Claimants.Select(c => c.Node)), rig.Pair.Revision));
        var entry = Assert.Single(await rig.AuditAsync(), a => a is { Action: "pair-member-let-in", Outcome: "accepted" });
        Assert.Equal(("alice", "web-2 was sold", "accepted", """{"members":["web-1","web-2"]}""", """{"members":["web-1","web-3"]}"""), (entry.Actor, entry.Reason, entry.Outcome, entry.Before, entry.After));
        Assert.Single(await rig.EventsAsync(new HistoryFilter { Kind = EventKinds.PairMemberLetIn }));
        await stranger.DisposeAsync();
        await rig.RestartHubAsync();
        Assert.Equal(["web-1", "web-3"], rig.Hub.Fleet.Current.FindPair("web")!.Members.Select(m => m.Node.Name));
    }

    [Theory]
    [InlineData("web", "web-2", null, "out of order", "is of the pair web already")]
    [InlineData("web", "db-1", null, "out of order", "reports no address of web")]
    [InlineData("web", "web-3", "db-1", "out of order", "db-1 is no node of web; it has web-1 and web-2")]
    [InlineData("web", "web-3", null, "  x ", "Say why")]
    public async Task LetIn_OfWhomItMakesNoSense_IsRefusedAndAudited(string pair, string node, string? inPlaceOf, string reason, string why)
    {
        await using var rig = await OperationRig.StartAsync();
        await using var stranger = await StrangerAsync(rig);
        await using var another = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "db-1", Role.Primary, prefix: "203.0.113.77/32");
        await rig.Hub.UntilAsync(s => s.FindNode("db-1") is { IsFresh: true });

        var refused = await rig.Hub.Get<PairAdmission>().LetInAsync(pair, node, inPlaceOf, reason, OperationRig.Alice, Stop);

        Assert.Contains(why, Assert.IsType<NodeChange.Refused>(refused).Why, StringComparison.Ordinal);
        Assert.Equal(["web-1", "web-2"], rig.Pair.Members.Select(m => m.Node.Name));
        Assert.StartsWith("refused: ", Assert.Single(await rig.AuditAsync(), a => a.Action == "pair-member-let-in").Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LetIn_ToAPairThatIsNot_OrOfANodeThatIsNot_IsNotFound()
    {
        await using var rig = await OperationRig.StartAsync();

        Assert.IsType<NodeChange.NotFound>(await rig.Hub.Get<PairAdmission>().LetInAsync("shop", "web-1", null, "out of order", OperationRig.Alice, Stop));
        Assert.IsType<NodeChange.NotFound>(await rig.Hub.Get<PairAdmission>().LetInAsync("web", "web-9", null, "out of order", OperationRig.Alice, Stop));
    }

    private static async Task<FakeAgent> StrangerAsync(OperationRig rig)
    {
        var stranger = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-3", Role.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("web")!.Claimants.Any(c => c.Node == "web-3"));
        return stranger;
    }
}
