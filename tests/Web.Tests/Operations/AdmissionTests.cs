using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>What happens to a request before anything is sent.</summary>
[Trait("Kind", "Hub")]
public sealed class AdmissionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AuditThatCannotBeWritten_MeansThatNothingIsDone()
    {
        await using var rig = await StartAsync();
        await using var db = rig.OpenDatabase();
        await RawSql.ForbidAsync(db, "no_audit", "INSERT", "Audit", "the audit is full");
        var before = rig.Pair.Revision;

        var accepted = await rig.Hub.Operations.SubmitAsync(Switchover(), Alice, Cancellation);
        var refused = await rig.Hub.Operations.SubmitAsync(Switchover() with { Reason = "" }, Alice, Cancellation);

        Assert.Contains("the audit is full", Assert.IsType<SubmitResult.Unavailable>(accepted).Why, StringComparison.Ordinal);
        Assert.IsType<SubmitResult.Unavailable>(refused);
        Assert.IsType<SubmitResult.Unavailable>(await rig.Hub.Operations.SubmitAsync(Switchover() with { Pair = "nowhere" }, Alice, Cancellation));
        Assert.Equal((0, 0, 0), (await db.Audit.CountAsync(Cancellation), await db.Operations.CountAsync(Cancellation), await db.Intents.CountAsync(Cancellation)));
        Assert.Equal((before, null), (rig.Pair.Revision, rig.Pair.OperationId));
        Assert.Empty(rig.A.Intents);

        await RawSql.AllowAsync(db, "no_audit");
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover()))).Status);
    }

    [Fact]
    public async Task RefusedRequest_IsAuditedWithTheRuleAndNothingElseHappens()
    {
        await using var rig = await StartAsync();

        var result = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover() with { Reason = " " }, Alice, Cancellation));

        Assert.Equal(["SR-14"], result.Preview.Rules.Where(r => r.Blocks).Select(r => r.RuleId));
        var entry = Assert.Single(await rig.AuditAsync());
        Assert.StartsWith("refused: SR-14 ReasonRequired: ", entry.Outcome, StringComparison.Ordinal);
        Assert.Null(entry.CorrelationId);
        Assert.Empty(await rig.Hub.Operations.RecentAsync(OperationFilter.All, 10, Cancellation));
    }

    [Theory]
    [InlineData(Rights.None)]
    [InlineData(Rights.All & ~Rights.Operate)]
    public async Task Request_OfSomebodyWhoMayNotOperate_IsForbiddenWhateverTheDoorLetIn(Rights rights)
    {
        await using var rig = await StartAsync();

        Assert.IsType<SubmitResult.Forbidden>(await rig.Hub.Operations.SubmitAsync(Switchover(), Alice with { Rights = rights }, Cancellation));

        var entry = Assert.Single(await rig.AuditAsync());
        Assert.StartsWith("refused, not allowed: ", entry.Outcome, StringComparison.Ordinal);
        Assert.Empty(rig.A.Intents);
    }

    [Theory]
    [InlineData("nowhere", null, "pair nowhere", "refused, not found: No pair is called 'nowhere'.")]
    [InlineData("web", "web-9", "pair web", "refused, invalid: target: 'web-9' is no node of the pair")]
    public async Task RequestThatMakesNoSense_IsAudited(string pair, string? to, string target, string outcome)
    {
        await using var rig = await StartAsync();

        Assert.IsNotType<SubmitResult.Accepted>(await rig.Hub.Operations.SubmitAsync(Switchover(to) with { Pair = pair }, Alice, Cancellation));

        var entry = Assert.Single(await rig.AuditAsync());
        Assert.Equal(("alice", "switchover", target, "kernel update", null), (entry.Actor, entry.Action, entry.Target, entry.Reason, entry.CorrelationId));
        Assert.StartsWith(outcome, entry.Outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunThatEndsByADefect_IsUnknownThenSettledAndThePairIsFree()
    {
        await using var rig = await StartAsync();
        await using var db = rig.OpenDatabase();
        await RawSql.ForbidAsync(db, "no_release", "UPDATE", "Intents", "the row is cursed", "NEW.Stage = 'Released'");

        var id = await rig.AcceptedAsync(Switchover());
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.Contains("the row is cursed", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal((null, PairState.Healthy), (rig.Pair.OperationId, rig.Pair.State));
        Assert.Empty(rig.A.Intents.Concat(rig.B.Intents));
        Assert.Contains(await rig.EventsAsync(new HistoryFilter { OperationId = id }), e => e.Text.Contains("its outcome is not known", StringComparison.Ordinal));

        await RawSql.AllowAsync(db, "no_release");
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover()))).Status);
    }

    [Fact]
    public async Task RunWhoseEndCannotBeStored_FreesThePairAllTheSame()
    {
        await using var rig = await StartAsync();
        await using var db = rig.OpenDatabase();
        await RawSql.ForbidAsync(db, "no_end", "UPDATE", "Operations", "the row is cursed", "NEW.Status <> 'Running'");

        var id = await rig.AcceptedAsync(Switchover());
        var unknown = await rig.Hub.UntilAsync(id, o => o.Status == OperationStatus.OutcomeUnknown);

        Assert.Contains("the row is cursed", unknown.Outcome, StringComparison.Ordinal);
        Assert.Equal((null, "web-2"), (rig.Pair.OperationId, rig.Pair.ActiveNode));
        await RawSql.AllowAsync(db, "no_end");
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(await rig.AcceptedAsync(Switchover()))).Status);
    }

    [Fact]
    public async Task SecondOperationOfThePair_HasToWaitForTheFirst()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;
        var first = await rig.AcceptedAsync(Switchover());

        var second = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(OnNode(OperationType.Drain, "web-2"), Alice, Cancellation));

        Assert.Equal(["SR-05"], second.Preview.Rules.Where(r => r.Blocks).Select(r => r.RuleId));
        Assert.Equal((first, PairState.Switching), (rig.Pair.OperationId, rig.Pair.State));
        Assert.Contains(first, Assert.Single(second.Preview.Rules, r => r.RuleId == "SR-05").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ManyRequestsAtOnce_OneIsAccepted()
    {
        await using var rig = await StartAsync();
        rig.A.Obedience = Obedience.IsDeaf;

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => rig.Hub.Operations.SubmitAsync(Switchover(), Alice, Cancellation)));

        Assert.Single(results.OfType<SubmitResult.Accepted>());
        Assert.Equal(7, results.OfType<SubmitResult.Refused>().Count());
        Assert.Equal(8, (await rig.AuditAsync()).Count);
    }

    [Fact]
    public async Task RevisionThatTheOperatorSaw_MustStillBeSo()
    {
        await using var rig = await StartAsync();
        var seen = rig.Pair.Revision;
        await rig.EndedAsync(await rig.AcceptedAsync(Switchover() with { ExpectedRevision = seen }));

        var again = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(Switchover() with { ExpectedRevision = seen }, Alice, Cancellation));

        Assert.Equal(["SR-04"], again.Preview.Rules.Where(r => r.Blocks).Select(r => r.RuleId));
    }

    [Fact]
    public async Task Preview_SaysWhatWouldHappenAndStoresNothing()
    {
        await using var rig = await StartAsync();

        var preview = rig.Hub.Operations.Preview(Switchover("web-2") with { ExpectedRevision = 3 }, out var problem)!;

        Assert.Null(problem);
        Assert.False(preview.Allowed);
        Assert.Equal(3, preview.Steps.Length);
        Assert.StartsWith("POST /api/v1/pairs/web/operations\n{\"type\":\"switchover\",\"reason\":\"kernel update\"", preview.ApiCall, StringComparison.Ordinal);
        Assert.Contains("\"expectedRevision\":3", preview.ApiCall, StringComparison.Ordinal);
        Assert.Empty(await rig.AuditAsync());
    }

    [Fact]
    public async Task UnknownPair_IsNotFound()
    {
        await using var rig = await StartAsync();

        Assert.IsType<SubmitResult.NotFound>(await rig.Hub.Operations.SubmitAsync(Switchover() with { Pair = "shop" }, Alice, Cancellation));
        Assert.Null(rig.Hub.Operations.Preview(Switchover() with { Pair = "shop" }, out var problem));
        Assert.IsType<SubmitResult.NotFound>(problem);
    }

    [Fact]
    public async Task OverriddenRule_IsNamedInTheAudit()
    {
        await using var rig = await StartAsync();
        await rig.B.DisposeAsync();
        await rig.Hub.UntilAsync(s => s.FindNode("web-2")!.Link != NodeLink.Connected);

        Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(OnNode(OperationType.Drain, "web-1"), Alice, Cancellation));
        var ended = await rig.EndedAsync(await rig.AcceptedAsync(OnNode(OperationType.Drain, "web-1") with { OverrideRules = ["SR-01"] }));

        Assert.Equal(OperationStatus.Succeeded, ended.Status);
        Assert.Equal("accepted, overriding SR-01", (await rig.AuditAsync())[0].Outcome);
        Assert.Equal("node web-1 of pair web", (await rig.AuditAsync())[0].Target);
    }
}
