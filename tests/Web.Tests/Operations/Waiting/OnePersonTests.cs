using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static FailoverHub.Web.Tests.Operations.OperationRig;

namespace FailoverHub.Web.Tests.Operations.Waiting;

/// <summary>SR-11 with the tables of the hub: one person has an account, tokens, and tokens that those tokens made, and is one person by all of them.</summary>
[Trait("Kind", "Hub")]
public sealed class OnePersonTests
{
    private static readonly string[] OfCarl = ["carl", "a token of carl", "another token of carl", "a token that his token made"];
    private static readonly string[] OfDora = ["dora", "a token of dora"];
    private static readonly string[] OfMachine = ["the one-time link", "a token of the command line"];
    private static readonly string[] OfNobodyKnown = ["a token of an earlier version", "a token of an earlier version that has an owner's name"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhoeverAsked_CannotApproveByAnyOfHisWays_AndAnotherPersonCanByAnyOfHis(bool afterARestart)
    {
        await using OperationRig rig = await StartAsync(services => services.AddHubAccounts().AddSingleton<ApiTokens>().AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.All }));
        Dictionary<string, Actor> ways = await WaysAsync(rig);
        string[][] people = [OfCarl, OfDora, OfMachine];
        foreach (string asks in ways.Keys.Except(OfNobodyKnown))
        {
            var accepted = await rig.Hub.Operations.SubmitAsync(Switchover("web-2"), ways[asks], Cancellation);
            string id = Assert.IsType<SubmitResult.Accepted>(accepted).OperationId;
            if (afterARestart)
            {
                await rig.RestartHubAsync();
                rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", Protos.V1.Role.Primary);
                rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", Protos.V1.Role.Secondary);
                await rig.Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
            }

            foreach (string approves in ways.Keys)
            {
                bool another = !OfNobodyKnown.Contains(approves) && !people.Any(p => p.Contains(asks) && p.Contains(approves));
                var waiting = await rig.Hub.Operations.FindAsync(id, Cancellation);
                Assert.Equal(OperationStatus.PendingApproval, waiting!.Status);
                if (another)
                {
                    // Whether he may is what the rule says; the switchover itself is not begun, or nobody else could be asked.
                    Assert.True(ApprovalRules.TwoPerson(Switchover(), await StoredAsync(rig, id), ways[approves]).Passed, $"{approves} is another person than {asks}.");
                    continue;
                }

                var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.ApproveAsync(id, "looks right", ways[approves], Cancellation));
                Assert.Equal(("SR-11", 403), (Assert.Single(refused.Preview.Rules).RuleId, refused.Preview.Rules[0].HttpStatus));
                AuditEntry entry = (await rig.AuditAsync())[0];
                Assert.Equal((ways[approves].Name, "approve"), (entry.Actor, entry.Action));
                Assert.StartsWith("refused: SR-11", entry.Outcome, StringComparison.Ordinal);
            }

            Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.CancelAsync(id, "tried", ways["dora"], Cancellation));
        }

        Assert.Empty(rig.A.Intents.Concat(rig.B.Intents));
    }

    /// <summary>It would wait for an approval that nobody can give: whoever holds such a token is told so at once, and what to do.</summary>
    [Fact]
    public async Task TokenOfAnEarlierVersion_IsRefusedWhatWouldHaveToBeApproved_AndNothingElse()
    {
        await using OperationRig rig = await StartAsync(services => services.AddHubAccounts().AddSingleton<ApiTokens>().AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.Moves }), keepsFailback: true);
        await using FakeAgent one = await InAnotherPlaceAsync(rig, "app-1", Protos.V1.Role.Primary);
        await using FakeAgent two = await InAnotherPlaceAsync(rig, "app-2", Protos.V1.Role.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("app")?.State == PairState.Healthy);
        Dictionary<string, Actor> ways = await WaysAsync(rig);
        Actor old = ways[OfNobodyKnown[0]];
        OperationRequest[] wanted =
        [
            Switchover("web-2"),
            Switchover("web-2") with { StartAt = rig.Time.GetUtcNow().AddMinutes(5) },
            new() { Type = OperationType.Drill, Pair = "web", Reason = "monthly" },
            new() { Type = OperationType.BulkDrain, Pair = "*", DataCenter = "18", Role = Role.Secondary, Reason = "new hypervisors" },
        ];

        foreach (OperationRequest request in wanted)
        {
            var refused = Assert.IsType<SubmitResult.Refused>(await rig.Hub.Operations.SubmitAsync(request, old, Cancellation));
            RuleResult rule = Assert.Single(refused.Preview.Rules, r => r.Blocks);
            Assert.Equal(("SR-11", 403, false), (rule.RuleId, rule.HttpStatus, rule.CanOverride));
            Assert.Equal("A second person would have to approve it, and nobody could: it is not known who token old-1 is.", rule.Message);
            Assert.Contains("Revoke it and make another one", rule.Remedy, StringComparison.Ordinal);
            AuditEntry entry = (await rig.AuditAsync())[0];
            Assert.Equal((old.Name, $"refused: SR-11 TwoPerson: {rule.Message}"), (entry.Actor, entry.Outcome));
        }

        Assert.Empty(await rig.Hub.Operations.RecentAsync(OperationFilter.All, 10, Cancellation));

        // What needs nobody else's approval is his as before.
        string policy = Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.SubmitAsync(new OperationRequest { Type = OperationType.SetFailback, Pair = "web", Failback = new Failback(FailbackPolicy.Manual, TimeSpan.Zero), Reason = "by hand" }, old, Cancellation)).OperationId;
        Assert.Equal(OperationStatus.Succeeded, (await rig.EndedAsync(policy)).Status);
    }

    [Fact]
    public async Task AskedByATokenAndApprovedByAnotherPersonsToken_ItMoves_AndTheAuditNamesTokensAndOwners()
    {
        await using OperationRig rig = await StartAsync(services => services.AddHubAccounts().AddSingleton<ApiTokens>().AddSingleton(new OperationLimits { TwoPerson = TwoPersonPolicy.All }));
        Dictionary<string, Actor> ways = await WaysAsync(rig);
        string id = Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.SubmitAsync(Switchover("web-2"), ways["a token of carl"], Cancellation)).OperationId;

        Assert.IsType<SubmitResult.Accepted>(await rig.Hub.Operations.ApproveAsync(id, "looks right", ways["a token of dora"], Cancellation));
        OperationView ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Succeeded, "token carl-1 of carl", "token dora-1 of dora"), (ended.Status, ended.Actor, ended.ApprovedBy));
        Assert.Equal(
            [("token carl-1 of carl", "switchover", "accepted, approved by token dora-1 of dora"), ("token dora-1 of dora", "approve", "accepted"), ("token carl-1 of carl", "switchover", "accepted, waits for a second person")],
            (await rig.AuditAsync()).Where(a => a.CorrelationId == id).Select(a => (a.Actor, a.Action, a.Outcome)));
    }

    [Fact]
    public async Task Token_OfAnAccountThatIsGone_IsStillThatPersonsAndNotThatOfANewAccountOfTheName()
    {
        await using OperationRig rig = await StartAsync(services => services.AddHubAccounts().AddSingleton<ApiTokens>());
        var accounts = rig.Hub.Get<Accounts>();
        Actor carl = await AccountAsync(rig, "carl");
        string token = await TokenAsync(rig, "ci", carl);
        Assert.True((await accounts.RemoveAsync((await accounts.FindAsync("carl", Cancellation))!, WholeHub.Tester, Cancellation)).Succeeded);
        Actor newCarl = await AccountAsync(rig, "carl");

        Actor byToken = await ByAsync(rig, token);

        Assert.Equal("token ci of a removed account", byToken.Name);
        Assert.Equal(carl.Behind, byToken.Behind!.Person);
        Assert.NotEqual(newCarl.Behind, byToken.Behind.Person);
        Assert.Equal("a removed account", Assert.Single(await rig.Hub.Get<ApiTokens>().ListAsync(Cancellation)).Owner);
    }

    private static async Task<FakeAgent> InAnotherPlaceAsync(OperationRig rig, string node, Protos.V1.Role role)
    {
        FakeAgent agent = await FakeAgent.ConnectAsync(rig.Hub.AgentUrl, node, FakeAgent.State(role, "203.0.113.20/32"), dataCenter: "18");
        await agent.ReportAsync();
        return agent;
    }

    private static async Task<Dictionary<string, Actor>> WaysAsync(OperationRig rig)
    {
        Actor carl = await AccountAsync(rig, "carl");
        Actor dora = await AccountAsync(rig, "dora");
        Actor machine = WholeHub.Tester;
        Actor first = await ByAsync(rig, await TokenAsync(rig, "carl-1", carl));
        var ways = new Dictionary<string, Actor>
        {
            ["carl"] = carl,
            ["a token of carl"] = first,
            ["another token of carl"] = await ByAsync(rig, await TokenAsync(rig, "carl-2", carl)),
            ["a token that his token made"] = await ByAsync(rig, await TokenAsync(rig, "carl-3", first)),
            ["dora"] = dora,
            ["a token of dora"] = await ByAsync(rig, await TokenAsync(rig, "dora-1", dora)),
            ["the one-time link"] = machine,
            ["a token of the command line"] = await ByAsync(rig, await TokenAsync(rig, "machine-1", machine)),
        };

        // As the migration leaves what was there: with neither owner nor machine.
        string[] old = [await TokenAsync(rig, "old-1", carl), await TokenAsync(rig, "of-carl", machine)];
        await using (HubDbContext db = rig.OpenDatabase())
        {
            await db.ApiTokens.Where(t => t.Name == "old-1" || t.Name == "of-carl").ExecuteUpdateAsync(set => set.SetProperty(t => t.OwnerId, (string?)null).SetProperty(t => t.ByMachine, false), Cancellation);
        }

        ways["a token of an earlier version"] = await ByAsync(rig, old[0]);
        ways["a token of an earlier version that has an owner's name"] = await ByAsync(rig, old[1]);
        return ways;
    }

    private static async Task<Actor> AccountAsync(OperationRig rig, string name)
    {
        var accounts = rig.Hub.Get<Accounts>();
        Assert.True((await accounts.CreateAsync(name, [HubRoles.Admin], null, onlyAsFirst: false, WholeHub.Tester, Cancellation)).Succeeded);
        return new Actor(name, null, null) { Rights = Rights.All, Behind = new Requester.Account((await accounts.FindAsync(name, Cancellation))!.Id) };
    }

    private static async Task<string> TokenAsync(OperationRig rig, string name, Actor by) =>
        (await rig.Hub.Get<ApiTokens>().CreateAsync(name, ApiScope.Admin, TimeSpan.FromDays(1), by, Cancellation)).Token!;

    // As a request with that token is made.
    private static async Task<Actor> ByAsync(OperationRig rig, string token)
    {
        var script = AccessPolicies.Script((await rig.Hub.Get<ApiTokens>().AuthenticateAsync(token, Cancellation))!);
        return new Actor(script.Identity!.Name!, null, null) { Rights = AccessPolicies.RightsOf(script), Behind = AccessPolicies.RequesterOf(script) };
    }

    private static async Task<Actor> StoredAsync(OperationRig rig, string id)
    {
        await using HubDbContext db = rig.OpenDatabase();
        return FailoverHub.Web.Operations.Waiting.WaitingRecords.ToWaiting(await db.Operations.AsNoTracking().SingleAsync(o => o.Id == id, Cancellation))!.Actor;
    }
}
