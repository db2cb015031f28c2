using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Fleet.Fleets;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations.Waiting;

/// <summary>Where two people are wanted, one asks and another one approves.</summary>
[Trait("Kind", "Hub")]
public sealed class ApprovalTests
{
    private static readonly Actor Bob = People.Bob;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Task<OperationRig> StartWithTwoPersonsAsync(TwoPersonPolicy policy = TwoPersonPolicy.Moves) =>
        StartAsync(services => services.AddSingleton(new OperationLimits { TwoPerson = policy }));

    [Fact]
    public async Task AskedFor_NothingIsSentUntilAnotherPersonApproves()
    {
        await using var rig = await StartWithTwoPersonsAsync();

        var preview = rig.Hub.Operations.Preview(Switchover(), out _)!;
        var id = await rig.AcceptedAsync(Switchover());
        var pending = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;

        Assert.True(preview.NeedsApproval);
        Assert.Contains(preview.Rules, r => r is { RuleId: "SR-11", Passed: true });
        Assert.Equal((OperationStatus.PendingApproval, rig.Time.GetUtcNow().AddHours(1), null), (pending.Status, pending.ApprovalEndsAt, rig.Pair.OperationId));
        Assert.Empty(rig.A.Intents.Concat(rig.B.Intents));

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "looks right", Bob, Cancellation));
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Succeeded, "bob", "alice"), (ended.Status, ended.ApprovedBy, ended.Actor));
        Assert.Equal("web-2", rig.Pair.ActiveNode);
        Assert.Equal(
            [("alice", "switchover", "accepted, approved by bob"), ("bob", "approve", "accepted"), ("alice", "switchover", "accepted, waits for a second person")],
            (await rig.AuditAsync()).Select(a => (a.Actor, a.Action, a.Outcome)));
        Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationApproved }));
        Assert.Single(await rig.Hub.Operations.RecentAsync(OperationFilter.All, 10, Cancellation));
    }

    [Fact]
    public async Task WhoeverAsked_CannotApprove()
    {
        await using var rig = await StartWithTwoPersonsAsync();
        var id = await rig.AcceptedAsync(Switchover());

        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.ApproveAsync(id, "I am sure", Alice with { Rights = Rights.All }, Cancellation));

        var rule = Assert.Single(refused.Preview.Rules);
        Assert.Equal(("SR-11", 403), (rule.RuleId, rule.HttpStatus));
        Assert.StartsWith("refused: SR-11", (await rig.AuditAsync())[0].Outcome, StringComparison.Ordinal);
        Assert.Equal(OperationStatus.PendingApproval, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
    }

    [Fact]
    public async Task WithoutTheRight_NobodyApproves()
    {
        await using var rig = await StartWithTwoPersonsAsync();
        var id = await rig.AcceptedAsync(Switchover());

        Assert.IsType<SubmitResult.Forbidden>(await rig.Hub.Operations.ApproveAsync(id, "looks right", Bob with { Rights = Rights.Operate }, Cancellation));
        Assert.Equal(OperationStatus.PendingApproval, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
    }

    [Fact]
    public async Task Rejected_NothingIsSentAndItIsOver()
    {
        await using var rig = await StartWithTwoPersonsAsync();
        var id = await rig.AcceptedAsync(Switchover());

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.RejectAsync(id, "not in business hours", Bob, Cancellation));

        var ended = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal((OperationStatus.Refused, "Rejected by bob; nothing was sent. Reason: not in business hours"), (ended.Status, ended.Outcome));
        Assert.IsType<SubmitResult.TooLate>(await rig.Hub.Operations.ApproveAsync(id, "looks right", Bob, Cancellation));
        Assert.Empty(rig.A.Intents.Concat(rig.B.Intents));
    }

    [Fact]
    public async Task NobodyApprovesInTime_ItExpiresAlsoAfterARestart()
    {
        await using var rig = await StartWithTwoPersonsAsync();
        var id = await rig.AcceptedAsync(Switchover());
        await rig.RestartHubAsync();
        Assert.Equal(OperationStatus.PendingApproval, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);

        rig.Time.Advance(TimeSpan.FromHours(1));
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Cancelled, ended.Status);
        Assert.Equal(("hub", "approval-expired"), ((await rig.AuditAsync())[0].Actor, (await rig.AuditAsync())[0].Action));
    }

    [Fact]
    public async Task ApprovedWhenARuleStandsAgainstIt_IsRefusedAndGoesOnWaiting()
    {
        await using var rig = await StartWithTwoPersonsAsync();
        var id = await rig.AcceptedAsync(Switchover("web-2"));
        await rig.B.DisposeAsync();
        await rig.Hub.UntilAsync(s => !s.FindNode("web-2")!.IsFresh);

        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.ApproveAsync(id, "looks right", Bob, Cancellation));

        Assert.Contains(refused.Preview.Rules, r => r is { RuleId: "SR-03", Blocks: true });
        Assert.Equal(OperationStatus.PendingApproval, (await rig.Hub.Operations.FindAsync(id, Cancellation))!.Status);
        Assert.Empty(rig.A.Intents);
    }

    [Theory]
    [InlineData(TwoPersonPolicy.Off, OperationType.Switchover, false)]
    [InlineData(TwoPersonPolicy.Moves, OperationType.Switchover, true)]
    [InlineData(TwoPersonPolicy.Moves, OperationType.ForcePromote, true)]
    [InlineData(TwoPersonPolicy.Moves, OperationType.Drain, true)]
    [InlineData(TwoPersonPolicy.Moves, OperationType.SetRole, true)]
    [InlineData(TwoPersonPolicy.Moves, OperationType.ResetSession, false)]
    [InlineData(TwoPersonPolicy.All, OperationType.ResetSession, true)]
    internal void Policy_SaysWhomASecondPersonIsAskedAbout(TwoPersonPolicy policy, OperationType type, bool needed) =>
        Assert.Equal(needed, ApprovalRules.IsNeeded(SafetyRulesTests.Target(Healthy, Rules.MomentRulesTests.Request(type)), policy));

    [Theory]
    [InlineData("active, its last session", true)]
    [InlineData("maybe active, its last session", true)]
    [InlineData("active, one of four sessions", false)]
    [InlineData("active, a session that is down", false)]
    [InlineData("standby, its last session", false)]
    public void Reset_IsAMoveWhenItIsTheLastSessionOfWhoeverMayBeActive(string row, bool isMove)
    {
        var last = row.EndsWith("last session", StringComparison.Ordinal);
        var down = row.EndsWith("down", StringComparison.Ordinal);
        NodeFacts With(string name, Role role, bool few) => Node(name, Report(View(role, role)) with
        {
            Sessions = few ? [Session(1, down ? BgpSessionState.Idle : BgpSessionState.Established), Session(2, down ? BgpSessionState.Established : BgpSessionState.Idle)] : [.. Enumerable.Range(1, 4).Select(n => Session(n))],
        });
        var node = row.StartsWith("standby", StringComparison.Ordinal) ? "web-2" : "web-1";
        var facts = PairOf(With("web-1", Role.Primary, (last || down) && node == "web-1"), With("web-2", row.StartsWith("maybe", StringComparison.Ordinal) ? Role.Primary : Role.Secondary, last && node == "web-2"));
        var target = SafetyRulesTests.Target(facts, new OperationRequest { Type = OperationType.ResetSession, Node = node, Neighbor = Session(1).Neighbor, Reason = "stuck" });
        Assert.Equal(row.StartsWith("maybe", StringComparison.Ordinal), target.Pair.ActiveNode is null);

        Assert.True(isMove == ApprovalRules.IsNeeded(target, TwoPersonPolicy.Moves), row);

        // As every move it has a place in the pair's budget of moves.
        Assert.True(isMove == SafetyRules.Check(target, SafetyRulesTests.Known).Any(r => r.RuleId == "SR-06"), row);
    }

    [Fact]
    public async Task HubIsKilledBetweenApprovalAndBeginning_ItStaysApprovedAndBegins()
    {
        await using var rig = await StartWithTwoPersonsAsync();

        // The pair is on the disk, as it is a moment after it was first seen.
        await rig.Hub.Writer.FlushAsync(Cancellation);
        var id = await rig.AcceptedAsync(Switchover());
        rig.Hub.Get<HistoryChanges>().Audited += draft =>
        {
            if (draft.Action == "approve")
            {
                rig.CopyData();
            }
        };
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "looks right", Bob, Cancellation));

        await rig.KillHubAsync();
        var after = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal((OperationStatus.Queued, "bob"), (after.Status, after.ApprovedBy));
        Assert.IsType<SubmitResult.TooLate>(await rig.Hub.Operations.ApproveAsync(id, "looks right", Bob, Cancellation));

        // It waits for the nodes, as what is scheduled does.
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", Protos.V1.Role.Primary);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", Protos.V1.Role.Secondary);
        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        var ended = await rig.EndedAsync(id);
        Assert.True(ended.Status == OperationStatus.Succeeded, $"{ended.Status}: {ended.Outcome}");
        Assert.Equal("web-2", rig.Pair.ActiveNode);
        Assert.Equal(
            [("alice", "switchover", "accepted, approved by bob"), ("bob", "approve", "refused: It does not wait for approval: Queued."), ("bob", "approve", "accepted")],
            (await rig.AuditAsync()).Take(3).Select(a => (a.Actor, a.Action, a.Outcome)));
    }

    [Fact]
    public async Task HubIsAwayTooLongAfterAnApproval_ItIsNotDoneLate()
    {
        OperationRig? rig = null;
        var down = false;
        rig = await StartAsync(services =>
        {
            services.AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.Moves });
            if (down)
            {
                rig!.Time.Advance(TimeSpan.FromHours(2));
            }
        });
        await using var _ = rig;
        var id = await rig.AcceptedAsync(Switchover());
        rig.Hub.Get<HistoryChanges>().Audited += draft =>
        {
            if (draft.Action == "approve")
            {
                rig.CopyData();
            }
        };
        await rig.Hub.Operations.ApproveAsync(id, "looks right", Bob, Cancellation);

        down = true;
        await rig.KillHubAsync();

        Assert.Equal(OperationStatus.TimedOut, (await rig.EndedAsync(id)).Status);
        Assert.Equal("schedule-missed", (await rig.AuditAsync())[0].Action);
    }
}
