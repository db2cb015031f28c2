using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>Ten thousand prefixes without a hub: whatever is done with them, the hub hears all of it when it comes, and of each prefix.</summary>
public sealed class ManyPrefixesJournalTests : IDisposable
{
    private const int Many = 10_000;
    private const string Root = "root (uid 0)";

    private static readonly ImmutableArray<IPNetwork> _prefixes = [.. Enumerable.Range(0, Many).Select(number => IPNetwork.Parse($"10.{number / 256}.{number % 256}.1/32"))];

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void DrainedAndUndrained_InTheOtherRole_StartedAnew_ThenAHub_NothingIsMissing()
    {
        Live(
            new LocalCommand.DrainNode(1, Root, "kernel update"),
            new LocalCommand.UndrainNode(2, Root, ""),
            new LocalCommand.SetRole(3, Root, "to the other node", null, Role.Secondary));
        var octets = Directory.GetFiles(_directory.At("journal"), "*.ndjson").Sum(file => new FileInfo(file).Length);

        // Four things of ten thousand prefixes each.
        Assert.InRange(octets, 1, 1_200_000);
        Live(new LocalCommand.DrainNode(4, Root, "once more"));

        var told = Hear();
        Assert.All(told.GroupBy(entry => entry.Boot), boot => Assert.Equal(Enumerable.Range(1, boot.Count()).Select(number => (ulong)number), boot.Select(entry => entry.Entry.Sequence)));
        var entries = told.Select(entry => entry.Entry.Entry).ToList();
        Assert.Equal(
            ["drain this node (\"kernel update\")", "undrain this node", "make all prefixes secondary (\"to the other node\")", "drain this node (\"once more\")"],
            entries.Where(entry => entry.Kind == "local-command").Select(entry => entry.Text.Split(" ordered to ")[1].Split(';')[0]));
        Assert.DoesNotContain(entries, entry => entry.Kind == "journal-overflow");

        // Announced at the start, after the drain and at the second start; withdrawn twice; in the other role once.
        foreach (var (kind, times) in new[] { ("announced", 3), ("withdrawn", 2), ("role-changed", 1) })
        {
            var each = entries.Where(entry => entry.Kind == kind).GroupBy(entry => entry.Prefix).ToDictionary(group => group.Key, group => group.Count());
            Assert.Equal(Many, each.Count);
            Assert.All(each.Values, count => Assert.Equal(times, count));
        }

        Assert.All(entries.Where(entry => entry.Prefix.Length > 0), entry => Assert.StartsWith($"{entry.Prefix} ", entry.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void HeldBack_EachPrefixKeepsTheOrderOfItsOwn_AndStillTheLinesAreFew()
    {
        Live(new FailbackOptions { Policy = FailbackPolicy.Manual, StableFor = TimeSpan.FromMinutes(1) }, new LocalCommand.DrainNode(1, Root, ""), new LocalCommand.UndrainNode(2, Root, ""));

        Assert.InRange(Directory.GetFiles(_directory.At("journal"), "*.ndjson").Sum(file => File.ReadLines(file).Count()), 1, 120);
        var ofOne = Hear().Select(told => told.Entry.Entry).Where(entry => entry.Prefix == _prefixes[77].ToString()).Select(entry => entry.Kind);
        Assert.Equal(["announced", "withdrawn", "announced", "failback-held"], ofOne);
    }

    [Fact]
    public void JournalFullOfOrders_TheNextCommandIsRefused_AndSaysWhy()
    {
        using var journal = OpenJournal(new JournalLimits(4_000, 400) { OrderOctets = 500 });
        var loop = Loop(journal, new FailbackOptions(), [_prefixes[0]]);
        var answers = new List<LocalAnswer>();
        loop.CommandAnswered += answers.Add;
        for (var number = 1; number <= 40; number++)
        {
            loop.ApplyBeforeRunning(new NodeEvent.CommandReceived(new LocalCommand.DrainNode(number, Root, $"{number}")));
        }

        var refused = answers.Select(answer => answer.Outcome).OfType<FailoverHub.Agent.Node.Intents.IntentOutcome.Rejected>().First();
        Assert.Contains("no room for one more command", refused.Reason, StringComparison.Ordinal);
        Assert.True(loop.Current.Drained);
    }

    private void Live(params LocalCommand[] commands) => Live(new FailbackOptions(), commands);

    // One run of an agent that has no hub.
    private void Live(FailbackOptions failback, params LocalCommand[] commands)
    {
        using var journal = OpenJournal(JournalLimits.Default);
        var loop = Loop(journal, failback, _prefixes);
        foreach (var command in commands)
        {
            _time.Advance(TimeSpan.FromMinutes(10));
            loop.ApplyBeforeRunning(new NodeEvent.CommandReceived(command));
        }
    }

    private NodeLoop Loop(Journal journal, FailbackOptions failback, IEnumerable<IPNetwork> prefixes)
    {
        var files = NodeFiles.In(_directory.Root, _ => { });
        var memory = files.Load(_time.GetUtcNow());
        journal.Restore(memory.Entries);
        var settings = new NodeSettings { Node = "node-a", DefaultRole = Role.Primary, Neighbors = [NodeUnderTest.First], Failback = failback };
        var loop = new NodeLoop(NodeState.Resume(settings, memory, new Moment(TimeSpan.Zero, _time.GetUtcNow())), new NoSpeaker(), new NodeStorage(files, journal), _time, NullLogger<NodeLoop>.Instance);
        loop.ApplyBeforeRunning(new NodeEvent.Started([.. prefixes], "started"));
        return loop;
    }

    // The hub that comes at last; it takes as many at a time as the real one is sent.
    private List<(string Boot, NumberedEntry Entry)> Hear()
    {
        using var journal = OpenJournal(JournalLimits.Default);
        var told = new List<(string, NumberedEntry)>();
        while (journal.Next(200) is { } page)
        {
            told.AddRange(page.Entries.Select(entry => (page.BootId, entry)));
            journal.Acknowledge(page.BootId, page.Entries[^1].Sequence);
        }

        return told;
    }

    private Journal OpenJournal(JournalLimits limits)
    {
        Directory.CreateDirectory(_directory.At("journal"));
        return Journal.Open(_directory.At("journal"), limits, _time, NullLogger<Journal>.Instance);
    }

    private sealed class NoSpeaker : ISpeaker
    {
        public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements)
        {
            // Nobody is told.
        }

        public void Configure(ImmutableArray<PeerOptions> peers)
        {
            // Likewise.
        }

        public void Reset(NeighborEndpoint neighbor, string text)
        {
            // Likewise.
        }

        public void Stop(string text)
        {
            // Likewise.
        }
    }
}
