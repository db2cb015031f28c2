using FailoverHub.Protos.V1;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Data.Backup;

/// <summary>A restored hub is older than its agents.</summary>
[Trait("Kind", "Hub")]
public sealed class NewerAgentsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// Between the backup and the end of the old hub an operation moved the address, and journals went on. The restored hub knows neither: what the nodes do now is what is wanted, its next
    /// revisions are above theirs, and of the journals it takes what it has not and nothing twice.
    /// </summary>
    [Fact]
    public async Task AgentsThatAreNewerThanTheBackup_AreTakenAsTheyAre_AndObeyWhatComesNext()
    {
        using var folder = new TemporaryFolder();
        string data = Path.Combine(folder.Path, "data");
        string restored = Path.Combine(folder.Path, "restored");
        string file = Path.Combine(folder.Path, "backup.tar.gz");
        ulong first;
        ulong second;
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(data))
        {
            await using FakeAgent one = await FakeAgent.StartAsync(hub.AgentUrl, "web-1", Role.Primary);
            await using FakeAgent two = await FakeAgent.StartAsync(hub.AgentUrl, "web-2", Role.Secondary);
            await hub.UntilAsync(f => f.Pairs.Any(p => p.State == PairState.Healthy));
            await MoveAsync(hub, "web-2");
            await MoveAsync(hub, "web-1");
            await JournalAsync(one, 1, 2, 3);
            Assert.Equal(0, await RunAsync(["backup", file, .. BackupTests.Of(data)]));

            await JournalAsync(one, 4, 5);
            await MoveAsync(hub, "web-2");
            first = (ulong)hub.Fleet.Current.FindNode("web-1")!.IntentRevision;
            second = (ulong)hub.Fleet.Current.FindNode("web-2")!.IntentRevision;
        }

        Directory.Delete(data, recursive: true);
        Assert.Equal(0, await RunAsync(["restore", file, .. BackupTests.Into(restored)]));

        await using HubUnderTest again = await HubUnderTest.StartAsync(restored);
        await using FakeAgent oneAgain = await FakeAgent.StartAsync(again.AgentUrl, "web-1", Role.Secondary, revision: first);
        await using FakeAgent twoAgain = await FakeAgent.StartAsync(again.AgentUrl, "web-2", Role.Primary, revision: second);
        await again.UntilAsync(f => f.Pairs.Any(p => p.ActiveNode == "web-2" && p.Members.All(m => m.Node.Link == NodeLink.Connected)));
        Assert.Empty(oneAgain.Intents.Concat(twoAgain.Intents));

        // 3 is in the backup, 4 was never acknowledged to this agent by the hub that had it, 5 was and is gone from the agent, 6 is new.
        await JournalAsync(oneAgain, 3, 4, 6);
        await MoveAsync(again, "web-1");

        Assert.All(oneAgain.Intents, intent => Assert.True(intent.Revision > first, $"{intent.Revision} after {first}"));
        Assert.All(twoAgain.Intents, intent => Assert.True(intent.Revision > second, $"{intent.Revision} after {second}"));
        Assert.NotEmpty(oneAgain.Intents);
        Assert.NotEmpty(twoAgain.Intents);
        await again.Writer.FlushAsync(Stop);
        IEnumerable<string> told = (await again.History.EventsAsync(new HistoryFilter { Text = "journalled" }, null, 100, Stop)).Items.Select(e => e.Text);
        Assert.Equal(["journalled 6", "journalled 4", "journalled 3", "journalled 2", "journalled 1"], told);
        Assert.True((await again.History.VerifyAuditAsync(Stop)).Intact);
    }

    private static async Task MoveAsync(HubUnderTest hub, string to)
    {
        PairView pair = hub.Fleet.Current.Pairs.Single();
        SubmitResult answer = await hub.Operations.SubmitAsync(new OperationRequest { Type = OperationType.Switchover, Pair = pair.Id, Target = to, Reason = "moved", OverrideRules = ["SR-06", "SR-08"] }, WholeHub.Tester, Stop);
        string id = Assert.IsType<SubmitResult.Accepted>(answer).OperationId;
        Assert.Equal(OperationStatus.Succeeded, (await hub.UntilAsync(id, o => o.IsFinished)).Status);
        await hub.UntilAsync(f => f.Pairs.Any(p => p.ActiveNode == to && p.OperationId is null));
    }

    private static async Task JournalAsync(FakeAgent agent, params ulong[] sequences)
    {
        var batch = new JournalBatch { BootId = "boot-1" };
        batch.Entries.AddRange(sequences.Select(s => new JournalEntry { Sequence = s, AtUnixMs = 1_780_000_000_000 + (long)s, Kind = "session-lost", Text = $"journalled {s}" }));
        await agent.SendAsync(new AgentMessage { Journal = batch });
        while ((await agent.ReceiveAsync()).JournalAck is not { } ack || ack.Sequence < sequences[^1])
        {
        }
    }

    private static Task<int> RunAsync(string[] arguments) => HubCommandLine.Build(TextWriter.Null, TextWriter.Null).Parse(arguments).InvokeAsync(cancellationToken: Stop);
}
