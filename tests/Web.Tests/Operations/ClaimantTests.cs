using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Agents;
using static FailoverHub.Web.Tests.Fleet.Fleets;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoRole = FailoverHub.Protos.V1.Role;
using Role = FailoverHub.Web.Fleet.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>A node that only says that it has a pair's address can be told to stand back, and nothing else.</summary>
[Trait("Kind", "Hub")]
public sealed class ClaimantTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static OperationRequest Demote(string node) => OnNode(OperationType.SetRole, node) with { Role = Role.Secondary };

    [Fact]
    public async Task ClaimantThatIsPrimary_IsDrained_AndThePairIsHealthyAgain()
    {
        await using var rig = await StartAsync();
        await using var stranger = await StrangerAsync(rig);
        Assert.Equal((PairState.DualPrimary, null), (rig.Pair.State, rig.Pair.ActiveNode));

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-3")));

        Assert.Equal((OperationStatus.Succeeded, "Drain web-3, which is no node of web", "web"), (ended.Status, ended.Title, ended.PairName));
        Assert.True(stranger.Intents.Single().Drained);
        await rig.Hub.UntilAsync(s => s.FindPair("web") is { State: PairState.Healthy, ActiveNode: "web-1" });
        Assert.Equal(["web-3"], rig.Pair.Claimants.Select(c => c.Node));
        Assert.Empty(rig.A.Intents);
        Assert.Empty(rig.B.Intents);
        Assert.Equal(("alice", "drain", "node web-3 of pair web"), (await rig.AuditAsync()).Where(a => a.Outcome == "accepted").Select(a => (a.Actor, a.Action, a.Target)).Single());
    }

    [Fact]
    public async Task ClaimantThatIsPrimary_IsMadeSecondary()
    {
        await using var rig = await StartAsync();
        await using var stranger = await StrangerAsync(rig);

        var ended = await rig.EndedAsync(await rig.AcceptedAsync(Demote("web-3")));

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Equal(ProtoRole.Secondary, stranger.Intents.Single().Prefixes.Single().Role);
        await rig.Hub.UntilAsync(s => s.FindPair("web") is { State: PairState.Healthy, ActiveNode: "web-1" });
    }

    /// <summary>Whatever would have it announce, or announce better: that is for a node that somebody has let in.</summary>
    [Theory]
    [InlineData(OperationType.SetRole)]
    [InlineData(OperationType.Undrain)]
    [InlineData(OperationType.Switchover)]
    [InlineData(OperationType.ForcePromote)]
    [InlineData(OperationType.ResetSession)]
    public async Task NothingElse_CanBeAskedOfIt(OperationType type)
    {
        await using var rig = await StartAsync();
        await using var stranger = await StrangerAsync(rig);
        var request = type is OperationType.Switchover or OperationType.ForcePromote
            ? new OperationRequest { Type = type, Pair = "web", Target = "web-3", Reason = "kernel update" }
            : OnNode(type, "web-3") with { Role = Role.Primary, Neighbor = "127.34.0.1:1790" };

        var refused = Assert.IsType<SubmitResult.Invalid>(await rig.Hub.Operations.SubmitAsync(request, Alice, Stop));

        Assert.Contains("Let it into the pair first", Assert.Single(refused.Problem).Value, StringComparison.Ordinal);
        Assert.Empty(stranger.Intents);
        Assert.StartsWith("refused, invalid: ", (await rig.AuditAsync())[0].Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DrainOfAClaimant_HasNoEndOfItsOwn()
    {
        await using var rig = await StartAsync();
        await using var stranger = await StrangerAsync(rig);

        var refused = await rig.Hub.Operations.SubmitAsync(OnNode(OperationType.Drain, "web-3") with { ExpiresIn = TimeSpan.FromHours(1) }, Alice, Stop);

        Assert.Equal(["expiresInSeconds"], Assert.IsType<SubmitResult.Invalid>(refused).Problem.Keys);
    }

    /// <summary>It would announce again, as primary: nobody has asked for that.</summary>
    [Fact]
    public async Task ClaimantThatDoesNotObey_IsNotToldToBeWhatItWas()
    {
        await using var rig = await StartAsync();
        await using var stranger = await StrangerAsync(rig);
        stranger.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-3"));
        await stranger.ReceiveIntentAsync();

        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B, stranger);

        Assert.Equal(OperationStatus.TimedOut, ended.Status);
        Assert.Contains("web-3 was not made again what it was, because web-3 is no node of the pair", ended.Outcome, StringComparison.Ordinal);
        Assert.Single(stranger.Intents);
    }

    /// <summary>It dials again while its drain is under way, and is told again: the operation still waits for it.</summary>
    [Fact]
    public async Task ClaimantThatDialsAgain_IsToldAgain()
    {
        await using var rig = await StartAsync();
        var deaf = await StrangerAsync(rig);
        deaf.Obedience = Obedience.IsDeaf;
        var id = await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-3"));
        await deaf.ReceiveIntentAsync();
        await deaf.DisposeAsync();

        await using var again = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-3", ProtoRole.Primary, boot: "boot-1");
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.True(again.Intents.Last().Drained);
    }

    [Fact]
    public void NobodyOfThePairAnnounces_TheClaimantIsDrainedOnlyAgainstTheRule()
    {
        var facts = Facts(Pair("web-1", "web-2"), Node("web-1", Role.Primary).Gone(), Node("web-2", Role.Secondary).Gone(), Node("web-3", Role.Primary));

        var target = SafetyRulesTests.Target(facts, SafetyRulesTests.Drain("web-3"));
        var rule = SafetyRules.Check(target, SafetyRulesTests.Known).Single(r => r.RuleId == "SR-01");

        Assert.Equal((false, true), (rule.Passed, rule.CanOverride));
        Assert.Contains("unreachable until another node announces it", OperationPlanner.Plan(target).TrafficEffect, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Role.Primary, "web-3 announces nothing any more; it is no node of web. Traffic for 203.0.113.10 that comes to it goes to web-1 then")]
    [InlineData(Role.Secondary, "web-3 announces nothing any more; it is no node of web, whose traffic stays on web-1.")]
    public void Preview_SaysWhatBecomesOfTraffic(Role role, string effect)
    {
        var facts = Facts(Pair("web-1", "web-2"), Node("web-1", Role.Primary), Node("web-2", Role.Secondary), Node("web-3", role));

        Assert.StartsWith(effect, OperationPlanner.Plan(SafetyRulesTests.Target(facts, SafetyRulesTests.Drain("web-3"))).TrafficEffect, StringComparison.Ordinal);
    }

    /// <summary>A node of another pair: its own pair's drain is that pair's; the claimed address alone is made secondary here.</summary>
    [Fact]
    public void ClaimantWithAPairOfItsOwn_IsMadeSecondaryForWhatItClaims_AndDrainedInItsOwnPair()
    {
        var own = System.Net.IPNetwork.Parse("203.0.113.77/32");
        var db = Pair("db-1", "db-2") with { Id = "p2", Name = "db", Prefixes = [own] };
        var facts = Facts(Pair("web-1", "web-2"), Node("web-1", Role.Primary), Node("web-2", Role.Secondary),
            Node("db-1", Report(View(Role.Primary, Role.Primary, prefix: own), View(Role.Primary, Role.Primary))), Node("db-2", Report(View(Role.Secondary, Role.Secondary, prefix: own))));
        facts = facts with { Pairs = facts.Pairs.Add("p2", db) };

        var demote = SafetyRulesTests.Target(facts, SafetyRulesTests.SetRole("db-1", Role.Secondary) with { Prefix = Prefix });
        var drain = SafetyRulesTests.Target(facts, SafetyRulesTests.Drain("db-1"));

        Assert.Equal(("web", true), (demote.Pair.Name, demote.OfClaimant));
        Assert.Equal(("db", false), (drain.Pair.Name, drain.OfClaimant));
        var wanted = OperationPlanner.Plan(demote).Steps.Single().Wanted;
        Assert.Equal((Role.Primary, Role.Secondary), (wanted.RoleOf(own), wanted.RoleOf(Prefix)));
    }

    [Fact]
    public void ClaimantThatIsLetInMeanwhile_IsAMemberToTheOperationToo()
    {
        var facts = Facts(Pair("web-1", "web-2"), Node("web-1", Role.Primary), Node("web-2", Role.Secondary), Node("web-3", Role.Primary));
        var target = SafetyRulesTests.Target(facts, SafetyRulesTests.Drain("web-3"));

        var then = target.In(FleetProjection.Project(facts with { Pairs = facts.Pairs.SetItem("p1", Pair("web-1", "web-2", "web-3")) }, Now, 2));

        Assert.True(target.OfClaimant);
        Assert.False(then!.OfClaimant);
    }

    /// <summary>It obeyed its drain and lost what it had: it is told again, for the pair does not need it.</summary>
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, "nobody else surely announces 203.0.113.10/32 now")]
    public void DrainThatAClaimantLost_IsToldAgainWhileThePairAnnounces(bool announces, string? against)
    {
        var first = Node("web-1", Role.Primary);
        var facts = Facts(Pair("web-1", "web-2"), announces ? first : first.Gone(), Node("web-2", Role.Secondary).Gone(), Node("web-3", Role.Primary));
        var intent = new IntentFacts { Revision = 1, Drained = true, Roles = IntentFacts.RolesFrom([(Prefix, Role.Primary)]) };

        Assert.Equal(against, FleetProjection.AgainstReturningTo(facts, facts.Nodes["web-3"], intent, Now));
    }

    private static async Task<FakeAgent> StrangerAsync(OperationRig rig)
    {
        var stranger = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-3", ProtoRole.Primary);
        await rig.Hub.UntilAsync(s => s.FindPair("web")!.State == PairState.DualPrimary);
        return stranger;
    }
}
