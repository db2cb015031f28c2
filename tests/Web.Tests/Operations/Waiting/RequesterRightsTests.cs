using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations.Waiting;

/// <summary>SR-15: what has waited begins only if whoever asked for it may still ask for it.</summary>
[Trait("Kind", "Hub")]
public sealed class RequesterRightsTests
{
    private static readonly Actor CommandLine = new("root (command line)", null, null) { Rights = Rights.All };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("locked", "the account is locked", false)]
    [InlineData("locked", "the account is locked", true)]
    [InlineData("demoted", "the account's roles now: Viewer", false)]
    [InlineData("removed", "the account was removed", false)]
    [InlineData("removed and made again", "the account was removed", false)]
    [InlineData("token revoked", "the token was revoked at 2026-05-04T12:", false)]
    [InlineData("token revoked", "the token was revoked at 2026-05-04T12:", true)]
    [InlineData("token expired", "the token expired at 2026-05-04T12:00:30Z", false)]
    public async Task RightIsGoneBeforeItsTime_NothingMoves(string how, string why, bool afterARestart)
    {
        await using var rig = await StartWithAccountsAsync();
        var carl = how.StartsWith("token", StringComparison.Ordinal) ? await TokenAsync(rig, TimeSpan.FromSeconds(how == "token expired" ? 30 : 3_600)) : await AccountAsync(rig);
        var id = await AcceptedAsync(rig, Switchover("web-2") with { StartAt = rig.Time.GetUtcNow().AddSeconds(60) }, carl);

        if (afterARestart)
        {
            await RestartAsync(rig);
        }

        await TakeRightAsync(rig, how);
        var ended = await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Refused, ended.Status);
        Assert.StartsWith($"SR-15 RequesterAllowed: {carl.Name}, who asked for it, may not any more: {why}", ended.Outcome, StringComparison.Ordinal);
        Assert.EndsWith("Somebody with the right must ask again. Nothing was sent.", ended.Outcome, StringComparison.Ordinal);
        Assert.All(ended.Steps, step => Assert.Equal(StepStatus.Skipped, step.Status));
        Assert.Equal("web-1", rig.Pair.ActiveNode);
        Assert.Empty(rig.A.Intents.Concat(rig.B.Intents));
        var entry = (await rig.AuditAsync())[0];
        Assert.Equal(("hub", "schedule-refused", id), (entry.Actor, entry.Action, entry.CorrelationId));
        Assert.StartsWith("refused: SR-15", entry.Outcome, StringComparison.Ordinal);
        Assert.Contains("SR-15", Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationFinished })).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RightIsStillThere_ItBeginsAndItsRulesSaySo()
    {
        await using var rig = await StartWithAccountsAsync();
        var id = await AcceptedAsync(rig, Switchover("web-2") with { StartAt = rig.Time.GetUtcNow().AddSeconds(5) }, await TokenAsync(rig, TimeSpan.FromHours(1)));
        await RestartAsync(rig);

        // A hub that has just started first has to know its nodes for a while (SR-08), within the window.
        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Succeeded, "web-2"), (ended.Status, rig.Pair.ActiveNode));
        Assert.Contains(ended.Rules, r => r is { RuleId: "SR-15", Passed: true });
    }

    [Fact]
    public async Task RightIsGoneWhileItWaitsForApproval_ApprovingEndsItRefused()
    {
        await using var rig = await StartWithAccountsAsync(TwoPersonPolicy.All);
        var id = await AcceptedAsync(rig, Switchover("web-2"), await AccountAsync(rig));
        await TakeRightAsync(rig, "locked");

        var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.ApproveAsync(id, "looks right", People.Bob, Cancellation));

        Assert.Equal(("SR-15", 403), (Assert.Single(refused.Preview.Rules).RuleId, refused.Preview.Rules[0].HttpStatus));
        var ended = (await rig.Hub.Operations.FindAsync(id, Cancellation))!;
        Assert.Equal(OperationStatus.Refused, ended.Status);
        Assert.EndsWith("Somebody with the right must ask again. Nothing was sent.", ended.Outcome, StringComparison.Ordinal);
        Assert.Empty(rig.A.Intents.Concat(rig.B.Intents));
        Assert.Equal([("bob", "approve"), ("hub", "approval-refused")], (await rig.AuditAsync()).Take(2).Select(a => (a.Actor, a.Action)));
        Assert.IsType<SubmitResult.TooLate>(await rig.Hub.Operations.ApproveAsync(id, "once more", People.Bob, Cancellation));
    }

    [Theory]
    [InlineData(true, OperationStatus.Refused)]
    [InlineData(false, OperationStatus.Succeeded)]
    public async Task AfterApproval_WhoAskedMustKeepHisRightAndWhoApprovedNeedNot(bool isRequesters, OperationStatus status)
    {
        await using var rig = await StartWithAccountsAsync(TwoPersonPolicy.All);
        var id = await AcceptedAsync(rig, Switchover("web-2") with { StartAt = rig.Time.GetUtcNow().AddSeconds(5) }, await AccountAsync(rig));
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "looks right", People.Bob, Cancellation));
        var accounts = rig.Hub.Get<Accounts>();
        Assert.True((await accounts.LockAsync((await accounts.FindAsync(isRequesters ? "carl" : "bob", Cancellation))!, CommandLine, Cancellation)).Succeeded);

        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);
        var ended = await rig.EndedAsync(id);

        Assert.Equal((status, "bob"), (ended.Status, ended.ApprovedBy));
        Assert.Equal(status == OperationStatus.Succeeded ? "web-2" : "web-1", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task EndOfADrain_IsTheHubsAndComesWhoeverIsGone()
    {
        await using var rig = await StartWithAccountsAsync();
        await rig.EndedAsync(await AcceptedAsync(rig, OnNode(OperationType.Drain, "web-2") with { ExpiresIn = TimeSpan.FromSeconds(60) }, await AccountAsync(rig)));
        var undrain = Assert.Single(await rig.Hub.Operations.RecentAsync(OperationFilter.All, 10, Cancellation), o => o.Type == OperationType.Undrain);
        await TakeRightAsync(rig, "removed");

        await rig.PassTimeUntilAsync(undrain.Id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(undrain.Id)).Status);
        Assert.False(rig.Pair.Members[1].Node.Drained);
    }

    [Fact]
    public async Task AskedForByWhoeverRunsTheMachine_Begins()
    {
        await using var rig = await StartWithAccountsAsync();
        var id = await AcceptedAsync(rig, Switchover("web-2") with { StartAt = rig.Time.GetUtcNow().AddSeconds(5) }, CommandLine with { Name = "operator", Behind = new Requester.Machine() });

        await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(id)).Status);
    }

    [Fact]
    public async Task KeptByAnEarlierVersion_WhichDidNotNoteWhoAsked_IsRefused()
    {
        await using var rig = await StartWithAccountsAsync();
        var id = await AcceptedAsync(rig, Switchover("web-2") with { StartAt = rig.Time.GetUtcNow().AddSeconds(60) }, await AccountAsync(rig));
        await using (HubDbContext db = rig.OpenDatabase())
        {
            OperationEntity row = await db.Operations.SingleAsync(o => o.Id == id, Cancellation);
            row.RequestJson = row.RequestJson!.Replace("\"accountId\":\"", "\"was\":\"", StringComparison.Ordinal);
            await db.SaveChangesAsync(Cancellation);
        }

        await RestartAsync(rig);
        var ended = await rig.PassTimeUntilAsync(id, o => o.Status != OperationStatus.Queued, rig.A, rig.B);

        Assert.Equal(OperationStatus.Refused, ended.Status);
        Assert.Contains("it is not known who that was", ended.Outcome, StringComparison.Ordinal);
    }

    private static async Task<OperationRig> StartWithAccountsAsync(TwoPersonPolicy policy = TwoPersonPolicy.Off) =>
        await StartAsync(services => services.AddHubAccounts().AddSingleton<ApiTokens>().AddSingleton(new OperationLimits { TwoPerson = policy }));

    private static async Task RestartAsync(OperationRig rig)
    {
        await rig.RestartHubAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
    }

    private static async Task<string> AcceptedAsync(OperationRig rig, OperationRequest request, Actor actor) =>
        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.SubmitAsync(request, actor, Cancellation)).OperationId;

    private static async Task<Actor> AccountAsync(OperationRig rig)
    {
        var accounts = rig.Hub.Get<Accounts>();
        Assert.True((await accounts.CreateAsync("carl", [HubRoles.Operator], null, onlyAsFirst: false, CommandLine, Cancellation)).Succeeded);
        return new Actor("carl", null, null) { Rights = Rights.Operate, Behind = new Requester.Account((await accounts.FindAsync("carl", Cancellation))!.Id) };
    }

    private static async Task<Actor> TokenAsync(OperationRig rig, TimeSpan lifetime)
    {
        var tokens = rig.Hub.Get<ApiTokens>();
        var made = await tokens.CreateAsync("ci", ApiScope.Operate, lifetime, People.Alice, Cancellation);
        var use = (await tokens.AuthenticateAsync(made.Token!, Cancellation))!;
        return new Actor(use.ActorName, null, null) { Rights = Rights.Operate, Behind = AccessPolicies.RequesterOf(AccessPolicies.Script(use)) };
    }

    private static async Task TakeRightAsync(OperationRig rig, string how)
    {
        var accounts = rig.Hub.Get<Accounts>();
        switch (how)
        {
            case "locked":
                Assert.True((await accounts.LockAsync((await accounts.FindAsync("carl", Cancellation))!, CommandLine, Cancellation)).Succeeded);
                break;
            case "demoted":
                Assert.True((await accounts.SetRolesAsync((await accounts.FindAsync("carl", Cancellation))!, [HubRoles.Viewer], CommandLine, Cancellation)).Succeeded);
                break;
            case "removed" or "removed and made again":
                Assert.True((await accounts.RemoveAsync((await accounts.FindAsync("carl", Cancellation))!, CommandLine, Cancellation)).Succeeded);
                if (how != "removed")
                {
                    await AccountAsync(rig);
                }

                break;
            case "token revoked":
                Assert.True(await rig.Hub.Get<ApiTokens>().RevokeAsync("ci", CommandLine, Cancellation));
                break;
        }
    }
}
