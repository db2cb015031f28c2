using System.Collections.Immutable;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>How fast journals go into the history: an honest one whole, one that floods slowly, and none of it is lost.</summary>
[Trait("Kind", "Hub")]
public sealed class JournalPaceTests
{
    /// <summary>Of a node with 10,000 prefixes that was told five things while its hub was away.</summary>
    private const int WholeJournal = 50_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void WholeJournalOfDays_IsTakenAtOnce_AndWhatFollowsOneASecond()
    {
        var time = new FakeTimeProvider();
        var pace = new JournalPace(time);
        for (var batch = 0; batch < WholeJournal / 200; batch++)
        {
            Assert.Equal(200, pace.Take(Items(200), out _));
        }

        Assert.Equal(JournalPace.Burst - WholeJournal, pace.Take(Items(5_000), out _));
        Assert.Equal(0, pace.Take(Items(5_000), out var wait));
        Assert.Equal(TimeSpan.FromSeconds(JournalPace.Piece), wait);
        time.Advance(wait);
        Assert.Equal(JournalPace.Piece, pace.Take(Items(5_000), out _));

        // Fewer than a piece are not kept waiting for one.
        Assert.Equal(0, pace.Take(Items(3), out wait));
        Assert.Equal(TimeSpan.FromSeconds(3), wait);
        time.Advance(wait);
        Assert.Equal(3, pace.Take(Items(3), out _));
    }

    [Fact]
    public void EntriesThatBecomeAuditEntries_HaveASmallerAllowance()
    {
        var time = new FakeTimeProvider();
        var pace = new JournalPace(time);

        Assert.Equal(JournalPace.LocalBurst, pace.Take(Items(WholeJournal, local: true), out _));
        Assert.Equal(0, pace.Take(Items(10, local: true), out var wait));
        Assert.Equal(TimeSpan.FromSeconds(10 / JournalPace.LocalPerSecond), wait);
        Assert.Equal(4_000, pace.Take(Items(4_000), out _));
        time.Advance(wait);
        Assert.Equal(10, pace.Take(Items(10, local: true), out _));
    }

    [Fact]
    public void NodeThatIsPatient_GetsEverythingIn()
    {
        var time = new FakeTimeProvider();
        var pace = new JournalPace(time);
        var left = Items(30_000, local: true);
        var began = time.GetTimestamp();
        while (!left.IsEmpty)
        {
            var taken = pace.Take(left, out var wait);
            left = left[taken..];
            time.Advance(wait);
        }

        Assert.InRange(time.GetElapsedTime(began), TimeSpan.FromHours(40), TimeSpan.FromHours(41));
    }

    [Fact]
    public void PaceOfANode_IsItsOwnAndDialingAgainBringsNothing()
    {
        var time = new FakeTimeProvider();
        var paces = new JournalPaces(time);

        paces.Of("a").Take(Items(JournalPace.Burst), out _);

        Assert.Equal(0, paces.Of("A").Take(Items(1), out _));
        Assert.Equal(1, paces.Of("b").Take(Items(1), out _));
    }

    [Fact]
    public async Task AgentThatFloodsWithItsJournal_IsStoredSlowly_ToldOnce_AndItsReportsGoOn()
    {
        await using var rig = await OperationRig.StartAsync();
        var began = rig.Time.GetUtcNow();
        for (var first = 1; first < JournalPace.Burst + 1_000; first += 5_000)
        {
            await rig.A.SendAsync(Journal(first, 5_000));
        }

        while ((await rig.A.ReceiveAsync()).JournalAck?.Sequence != JournalPace.Burst)
        {
            // Welcome, and the acknowledgements before it.
        }

        await rig.A.ReportAsync(r => r.Drained = true);
        await rig.Hub.UntilAsync(s => s.FindNode("web-1")!.Drained);
        await UntilAcknowledgedAsync(rig, JournalPace.Burst + JournalPace.Piece);
        await UntilAcknowledgedAsync(rig, JournalPace.Burst + (3 * JournalPace.Piece));

        await rig.Hub.Writer.FlushAsync(Stop);
        await using var db = rig.OpenDatabase();
        var stored = await db.Events.Where(e => e.BootId == "boot-0").OrderBy(e => e.JournalSequence).Select(e => e.JournalSequence!.Value).ToListAsync(Stop);
        Assert.Equal(Enumerable.Range(1, stored.Count).Select(i => (long)i), stored);

        // One each second beyond the burst, in pieces; how much time has passed depends on how soon the test saw its acknowledgements.
        Assert.InRange(stored.Count, JournalPace.Burst + (3 * JournalPace.Piece), JournalPace.Burst + JournalPace.Piece + (int)(rig.Time.GetUtcNow() - began).TotalSeconds);
        Assert.Equal("web-1", Assert.Single(await rig.EventsAsync(new HistoryFilter { Kind = EventKinds.JournalSlowed })).Node);
    }

    private static async Task UntilAcknowledgedAsync(OperationRig rig, int sequence)
    {
        var safety = TimeProvider.System.GetTimestamp();
        while ((rig.A.Acks.LastOrDefault()?.Sequence ?? 0) < (ulong)sequence)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(safety) < TimeSpan.FromSeconds(60), $"Acknowledged: {string.Join(" ", rig.A.Acks.Select(a => a.Sequence))}");
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await rig.A.ReportAsync();
            await Task.Yield();
        }
    }

    private static AgentMessage Journal(int first, int count)
    {
        var batch = new JournalBatch { BootId = "boot-0" };
        batch.Entries.AddRange(Enumerable.Range(first, count).Select(i => new JournalEntry { Sequence = (ulong)i, AtUnixMs = 1, Kind = "announced", Text = $"entry {i}" }));
        return new AgentMessage { Journal = batch };
    }

    private static ImmutableArray<JournalItem> Items(int count, bool local = false)
    {
        var audit = new AuditDraft { Actor = new Actor("root", null, null), Action = "local-command", Target = "node web-1", Outcome = "accepted" };
        return [.. Enumerable.Range(1, count).Select(i => new JournalItem(i, new EventDraft { At = DateTimeOffset.UnixEpoch, Kind = "announced", Node = "web-1", Text = "x" }, local ? audit : null))];
    }
}
