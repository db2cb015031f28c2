using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Operations.Freezes;
using static FailoverHub.Web.Tests.Operations.OperationRig;
using FleetRole = FailoverHub.Web.Fleet.Role;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>
/// The hub has ended between demotion and promotion, and the next one gives web-1 back what it had: whoever was told and shows nothing is waited for, whoever comes back
/// without it is told again as long as nothing stands against it, and the operation ends once, when it is known how.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class MoveBackTests
{
    [Fact]
    public async Task NodeThatShowsNothing_IsWaitedForHoweverLong()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        var told = await ToldAndSilentAsync(rig, demotion);

        var later = rig.Time.GetUtcNow().AddMinutes(2);
        var waiting = await rig.PassTimeUntilAsync(id, _ => rig.Time.GetUtcNow() > later, rig.A, rig.B);
        Assert.Equal((OperationStatus.OutcomeUnknown, StepStatus.Running), (waiting.Status, Step(waiting).Status));

        await rig.A.ReportAsync(state => FakeAgent.Apply(state, told));
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Failed, StepStatus.Succeeded), (ended.Status, Step(ended).Status));
        Assert.Contains("taken back", ended.Outcome, StringComparison.Ordinal);
        Assert.Single(rig.A.Intents);
        await AssertAsBeforeAndToldOnceAsync(rig, id);
    }

    [Fact]
    public async Task NodeThatComesBackWithoutIt_IsToldAgain()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        var told = await ToldAndSilentAsync(rig, demotion);

        await rig.A.DisposeAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        var ended = await rig.EndedAsync(id);

        Assert.Equal(OperationStatus.Failed, ended.Status);
        Assert.True(Assert.Single(rig.A.Intents).Revision > told.Revision, "What was given up is not sent once more under its old number.");
        Assert.Empty(rig.B.Intents);
        await AssertAsBeforeAndToldOnceAsync(rig, id);
    }

    [Fact]
    public async Task NodeThatComesBackWithIt_IsNotToldAgain()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        var told = await ToldAndSilentAsync(rig, demotion);

        await rig.A.DisposeAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary, revision: told.Revision);
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Failed, StepStatus.Succeeded), (ended.Status, Step(ended).Status));
        Assert.Empty(rig.A.Intents);
        await AssertAsBeforeAndToldOnceAsync(rig, id);
    }

    [Fact]
    public async Task NextHub_GoesOnWithTheSameStep()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        var before = rig.Pair.Revision;
        await ToldAndSilentAsync(rig, demotion);

        await rig.RestartHubAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Failed, StepStatus.Succeeded), (ended.Status, Step(ended).Status));
        Assert.Single(rig.A.Intents);
        Assert.Equal(before + 1, rig.Pair.Revision);
        await AssertAsBeforeAndToldOnceAsync(rig, id);
    }

    [Fact]
    public async Task OtherNodeThatHasBecomePrimaryMeanwhile_IsNotJoinedByASecondOne()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        await ToldAndSilentAsync(rig, demotion);

        // Somebody makes it primary at its own console, and the other one loses what it was told.
        await rig.B.ReportAsync(state => state.Prefixes[0].AssignedRole = state.Prefixes[0].ReportedRole = ProtoRole.Primary);
        await rig.Hub.UntilAsync(s => s.FindNode("web-2")!.Prefixes.Single().ReportedRole == FleetRole.Primary);
        await rig.A.DisposeAsync();
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        var ended = await rig.EndedAsync(id);

        // That is what was wanted at first, whoever brought it about.
        Assert.Equal((OperationStatus.Succeeded, StepStatus.Failed), (ended.Status, Step(ended).Status));
        Assert.Empty(rig.A.Intents);
        Assert.Equal("web-2", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task FrozenPair_IsLeftAsItIs_UntilTheFreezeIsOver()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        await rig.AcceptedAsync(FreezeTests.Freeze());
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);

        var later = rig.Time.GetUtcNow().AddMinutes(2);
        var waiting = await rig.PassTimeUntilAsync(id, _ => rig.Time.GetUtcNow() > later, rig.A, rig.B);
        Assert.Equal(OperationStatus.OutcomeUnknown, waiting.Status);
        Assert.DoesNotContain(rig.A.Intents, intent => intent.Prefixes.Any(p => p.Role == ProtoRole.Primary));

        await rig.AcceptedAsync(FreezeTests.Unfreeze());
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal((OperationStatus.Failed, StepStatus.Succeeded), (ended.Status, Step(ended).Status));
        Assert.Equal("web-1", rig.Pair.ActiveNode);
    }

    [Fact]
    public async Task PairThatIsFrozenBetweenTheJudgementAndTheSending_IsTakenBackWhenTheFreezeIsOver()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);

        // The freeze stands first in the line for the lock, and the settlement behind it.
        var admission = rig.Hub.Get<OperationServices>().Admission;
        await admission.WaitAsync(TestContext.Current.CancellationToken);
        var freezing = rig.AcceptedAsync(FreezeTests.Freeze());
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("web")!.Members.All(m => m.Node.IsFresh));
        admission.Release();
        await freezing;

        var later = rig.Time.GetUtcNow().AddMinutes(1);
        Assert.Equal(OperationStatus.OutcomeUnknown, (await rig.PassTimeUntilAsync(id, _ => rig.Time.GetUtcNow() > later, rig.A, rig.B)).Status);
        await rig.AcceptedAsync(FreezeTests.Unfreeze());
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal((OperationStatus.Failed, StepStatus.Succeeded, "web-1"), (ended.Status, Step(ended).Status, rig.Pair.ActiveNode));
    }

    [Fact]
    public async Task FullDisk_KeepsNobodyWaiting_AndItIsTakenBackWhenThereIsRoom()
    {
        var disk = new FullDisk();
        await using var rig = await StartAsync(disk.Install);
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        disk.IsFull = true;
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("web")!.Members.All(m => m.Node.IsFresh));

        // Its time stands still, so whoever holds the lock until the disk is tried again holds it for ever.
        var services = rig.Hub.Get<OperationServices>();
        for (var second = 0; second < 5; second++)
        {
            var tried = disk.Refused;
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await rig.A.ReportAsync(_ => { });
            await rig.B.ReportAsync(_ => { });
            await disk.RefusesAsync(after: tried);
            Assert.True(await services.Admission.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            services.Admission.Release();
        }

        Assert.Empty(rig.A.Intents);
        disk.IsFull = false;
        var ended = await rig.PassTimeUntilAsync(id, o => o.IsFinished, rig.A, rig.B);

        Assert.Equal((OperationStatus.Failed, StepStatus.Succeeded), (ended.Status, Step(ended).Status));
        Assert.Single(rig.A.Intents);
        var back = Assert.Single(await rig.AuditAsync(), e => e.Action == "take-back");
        Assert.Equal(("hub", "node web-1 of pair web", id), (back.Actor, back.Target, back.CorrelationId));
        Assert.All(ended.Steps, s => Assert.NotEqual(StepStatus.Running, s.Status));
    }

    [Fact]
    public async Task NodeThatRejectsIt_IsNotAskedAgain()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        rig.A.Obedience = Obedience.Rejects;
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Failed, StepStatus.Failed), (ended.Status, Step(ended).Status));
        Assert.Contains("the disk is full", ended.Outcome, StringComparison.Ordinal);
        Assert.Single(rig.A.Intents);
    }

    [Fact]
    public async Task NodeThatComesBackWithoutItEachTime_IsReportedInTheEnd()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        await ToldAndSilentAsync(rig, demotion);
        for (var told = 1; told <= MoveBack.MostTold; told++)
        {
            await rig.A.DisposeAsync();
            rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
            rig.A.Obedience = Obedience.IsDeaf;
            await rig.PassTimeUntilAsync(id, o => o.IsFinished || !rig.A.Intents.IsEmpty, rig.A, rig.B);
        }

        var ended = await rig.EndedAsync(id);
        Assert.Equal((OperationStatus.Failed, StepStatus.Failed), (ended.Status, Step(ended).Status));
        Assert.Contains("it was told 5 times", ended.Outcome, StringComparison.Ordinal);
        Assert.Empty(rig.A.Intents);
    }

    [Fact]
    public async Task NewerOperation_EndsTheWaiting()
    {
        await using var rig = await StartAsync();
        var (id, demotion) = await HubRestartTests.KillBetweenDemotionAndPromotionAsync(rig);
        await ToldAndSilentAsync(rig, demotion);

        rig.A.Obedience = Obedience.Applies;
        var newer = await rig.EndedAsync(await rig.AcceptedAsync(Switchover("web-2")));
        var ended = await rig.EndedAsync(id);

        Assert.Equal((OperationStatus.Failed, StepStatus.Failed), (ended.Status, Step(ended).Status));
        Assert.Contains($"operation {newer.Id} changed what is wanted", ended.Outcome, StringComparison.Ordinal);
        Assert.Equal((OperationStatus.Succeeded, "web-2"), (newer.Status, rig.Pair.ActiveNode));
    }

    /// <summary>Both are back as secondary; web-1 is told to be primary again, and does not say a word about it.</summary>
    private static async Task<NodeIntent> ToldAndSilentAsync(OperationRig rig, NodeIntent demotion)
    {
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Secondary, revision: demotion.Revision);
        rig.A.Obedience = Obedience.IsDeaf;
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        return await rig.A.ReceiveIntentAsync();
    }

    private static OperationStep Step(OperationView operation) => Assert.Single(operation.Steps, s => s.Title == "Take back: web-1 as it was");

    private static async Task AssertAsBeforeAndToldOnceAsync(OperationRig rig, string id)
    {
        Assert.Equal((PairState.Healthy, "web-1"), (rig.Pair.State, rig.Pair.ActiveNode));
        var finished = await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationFinished });
        Assert.Single(finished, e => !e.Text.Contains("not known", StringComparison.Ordinal));
        Assert.Single(finished, e => e.Text.Contains("not known", StringComparison.Ordinal));
        Assert.Single(await rig.EventsAsync(new HistoryFilter { OperationId = id, Kind = EventKinds.OperationStep }), e => e.Text.StartsWith("Take back: web-1 as it was: done.", StringComparison.Ordinal));
    }
}
