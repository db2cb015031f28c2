using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>The process ends between an order on the disk and its entry in the journal, or while it writes that: what is obeyed has its entry, once.</summary>
public sealed class KilledInBetweenTests : IDisposable
{
    private const string Root = "root (uid 0)";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void OrderIsOnTheDisk_AndNoEntryIs_TheNextStartWritesIt_WithItsTimeAndItsActor()
    {
        var given = _time.GetUtcNow();
        Assert.Throws<KilledException>(() => Life(Kill.BeforeTheEntry).Give(Drain("kernel update")));
        _time.Advance(TimeSpan.FromHours(1));

        var entry = Assert.Single(Told(Life()), entry => entry.Kind == "local-command");

        Assert.Equal((given, Root), (entry.At, entry.Actor));
        Assert.StartsWith("root (uid 0) ordered to drain this node (\"kernel update\"); the agent ended before", entry.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void EntryIsInTheJournal_TheNextStartAddsNone()
    {
        Assert.Throws<KilledException>(() => Life(Kill.AfterTheEntry).Give(Drain("kernel update")));

        Assert.EndsWith("1 prefix withdrawn", Assert.Single(Told(Life()), entry => entry.Kind == "local-command").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void EntryWasAcknowledgedAndIsGone_NoStartAddsIt()
    {
        var life = Life();
        life.Give(Drain("kernel update"));
        Assert.Contains(Told(life), entry => entry.Kind == "local-command");

        for (var starts = 0; starts < 3; starts++)
        {
            Assert.DoesNotContain(Told(Life()), entry => entry.Kind == "local-command");
        }
    }

    [Fact]
    public void IntentIsOnTheDisk_AndNoEntryIs_TheNextStartWritesIt()
    {
        var given = _time.GetUtcNow();
        Assert.Throws<KilledException>(() => Life(Kill.BeforeTheEntry).Give(Intent(7, drained: true)));
        _time.Advance(TimeSpan.FromHours(1));

        var entry = Assert.Single(Told(Life()), entry => entry.Kind == "intent-accepted");

        Assert.Equal((given, "op-7"), (entry.At, entry.OperationId));
        Assert.StartsWith("intent 7 (\"a test\") accepted and kept; the agent ended before", entry.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void AtOnce_WasKeptAndNotDone_TheEntrySaysThatItIsNot_AndWhatToDo()
    {
        var manual = new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = FailbackPolicy.Manual };
        Life().Give(Intent(1, false, manual));
        Assert.Throws<KilledException>(() => Life(Kill.BeforeTheEntry).Give(Intent(2, false, manual with { AtOnce = true })));

        var life = Life();

        // The start is a return.
        Assert.True(Assert.Single(life.Loop.Current.Prefixes).Failback.IsHeld);
        var entry = Told(life).Single(entry => entry.OperationId == "op-2");
        Assert.EndsWith("obeys it since its next start, but for 'at once': 203.0.113.10/32 may be held back by the failback policy, and 'failoverhub-agent failback' lets go what is", entry.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void RoleOrderedOnTheNode_WasKeptAndNotDone_TheEntrySaysWhatIsHeld()
    {
        Life().Give(Intent(1, false, new PrefixIntent(Shared, Role.Primary) { FailbackPolicy = FailbackPolicy.Manual }));
        Assert.Throws<KilledException>(() => Life(Kill.BeforeTheEntry).Give(new LocalCommand.SetRole(1, Root, "now", Shared, Role.Primary)));

        Assert.Contains("but for 'at once': 203.0.113.10/32 may be held back", Told(Life()).Single(entry => entry.Kind == "local-command").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void FailBack_OfWhichNothingIsKept_IsInTheJournalBeforeTheNeighborsAreTold()
    {
        var node = new NodeUnderTest(settings => settings with { Failback = new FailbackOptions { Policy = FailbackPolicy.AfterStable } }).Remember(Shared).Start(Shared).BothUp();

        node.Give(new NodeEvent.CommandReceived(new LocalCommand.FailBack(1, Root, "", null)));

        Assert.NotNull(node.Handed);
        Assert.IsType<NodeEffect.Record>(node.Effects.First(effect => effect is NodeEffect.Record or NodeEffect.SetAdvertisements));
    }

    [Fact]
    public void JournalCannotBeWritten_TheEntriesStandWithTheOrders_AndWhenThereIsNoMoreRoomTheCommandIsRefused()
    {
        var life = Life();
        life.Journal.Dispose();
        Directory.Delete(_directory.At("journal"), recursive: true);
        File.WriteAllText(_directory.At("journal"), "no directory");
        for (var count = 1; count <= NodeLoop.OrderEntries; count++)
        {
            Assert.IsNotType<IntentOutcome.Rejected>(life.Give(Drain($"c{count}"))?.Outcome);
        }

        var refused = Assert.IsType<IntentOutcome.Rejected>(life.Give(new LocalCommand.UndrainNode(99, Root, "one too many"))!.Outcome);
        Assert.Contains("the journal cannot be written", refused.Reason, StringComparison.Ordinal);
        Assert.True(life.Loop.Current.Drained);

        File.Delete(_directory.At("journal"));
        Directory.CreateDirectory(_directory.At("journal"));
        Assert.Equal(
            Enumerable.Range(1, NodeLoop.OrderEntries).Select(count => $"(\"c{count}\")"),
            Told(Life()).Where(entry => entry.Kind == "local-command").Select(entry => entry.Text.Split("this node ")[1].Split(';')[0]));
    }

    [Fact]
    public void KilledAnywhere_AgainAndAgain_EverythingThatIsObeyedHasItsEntryOnce()
    {
        for (var seed = 1; seed <= 12; seed++)
        {
            using var directory = new TemporaryDirectory();
            RunStory(directory, new Random(seed), seed);
        }
    }

    // A node that is ordered about, killed at any point of it, started again, and whose hub comes and goes.
    private void RunStory(TemporaryDirectory directory, Random random, int seed)
    {
        var hub = new HubOfATest();
        var given = new Dictionary<string, DateTimeOffset>();
        var life = new Incarnation(directory, _time, Kill.Nowhere);
        for (var step = 1; step <= 30; step++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            var kill = random.Next(3) == 0 ? (Kill)random.Next(1, 4) : Kill.Nowhere;
            life.Kill = kill;
            try
            {
                if (random.Next(4) == 0)
                {
                    given[$"op-{step}"] = _time.GetUtcNow();
                    life.Give(Intent((ulong)step, drained: random.Next(2) == 0));
                }
                else
                {
                    given[$"(\"c{step}\")"] = _time.GetUtcNow();
                    life.Give(AnyCommand(random, step));
                }
            }
            catch (KilledException)
            {
                if (kill == Kill.WhileItIsWritten)
                {
                    Tear(directory);
                }

                life = new Incarnation(directory, _time, Kill.Nowhere);
            }

            if (random.Next(3) == 0)
            {
                hub.Listen(life.Journal, random.Next(1, 6));
            }
        }

        hub.Listen(new Incarnation(directory, _time, Kill.Nowhere).Journal, int.MaxValue);
        var told = hub.Told.Where(entry => entry.Kind is "local-command" or "intent-accepted").ToList();
        var wrong = given.Where(expected => told.Where(entry => Names(entry, expected.Key)).Select(entry => entry.At).ToList() is not [var at] || at != expected.Value);
        Assert.True(!wrong.Any(), $"seed {seed}: {string.Join(", ", wrong.Select(entry => entry.Key))} have not one entry, of:\n{string.Join('\n', told.Select(entry => $"{entry.At:T} {entry.Text}"))}");
        Assert.Equal(given.Count, told.Count);
    }

    private static bool Names(JournalEntry entry, string name) => entry.OperationId == name || entry.Text.Contains(name, StringComparison.Ordinal);

    private static LocalCommand AnyCommand(Random random, int step) => random.Next(3) switch
    {
        0 => Drain($"c{step}"),
        1 => new LocalCommand.SetRole(step, Root, $"c{step}", Shared, random.Next(2) == 0 ? Role.Primary : Role.Secondary),
        _ => new LocalCommand.SetRole(step, Root, $"c{step}", null, null),
    };

    // The last line of the newest file loses its end: the process was killed in the middle of that write.
    private static void Tear(TemporaryDirectory directory)
    {
        var newest = Directory.GetFiles(directory.At("journal"), "*.ndjson").Order(StringComparer.Ordinal).Last();
        using var file = new FileStream(newest, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(file.Length - 5);
    }

    private static LocalCommand.DrainNode Drain(string reason) => new(1, Root, reason);

    private Incarnation Life(Kill kill = Kill.Nowhere) => new(_directory, _time, kill);

    private static ImmutableArray<JournalEntry> Told(Incarnation life)
    {
        var hub = new HubOfATest();
        hub.Listen(life.Journal, int.MaxValue);
        return [.. hub.Told];
    }

    private enum Kill
    {
        Nowhere,
        BeforeTheEntry,
        AfterTheEntry,
        WhileItIsWritten,
    }

    private sealed class KilledException : Exception;

    // One run of the agent, as far as it keeps and says something. Nothing of it ends properly.
    private sealed class Incarnation : ISpeaker
    {
        private LocalAnswer? _answer;

        public Incarnation(TemporaryDirectory directory, FakeTimeProvider time, Kill kill)
        {
            Directory.CreateDirectory(directory.At("journal"));
            var files = NodeFiles.In(directory.Root, _ => { });
            var memory = files.Load(time.GetUtcNow());
            Journal = Journal.Open(directory.At("journal"), JournalLimits.Default, time, NullLogger<Journal>.Instance);
            Journal.Restore(memory.Entries);
            var settings = new NodeSettings { Node = "node-a", DefaultRole = Role.Primary, Neighbors = [First] };
            Loop = new NodeLoop(NodeState.Resume(settings, memory, new Moment(TimeSpan.Zero, time.GetUtcNow())), this, new NodeStorage(files, Journal), time, NullLogger<NodeLoop>.Instance);
            Loop.CommandAnswered += answer => _answer = answer;
            Loop.ApplyBeforeRunning(new NodeEvent.Started([Shared], "started"));
            Kill = kill;
            Journal.Appended += () =>
            {
                if (Kill is Kill.AfterTheEntry or Kill.WhileItIsWritten)
                {
                    throw new KilledException();
                }
            };
        }

        public Kill Kill { get; set; }

        public Journal Journal { get; }

        public NodeLoop Loop { get; }

        public LocalAnswer? Give(LocalCommand command)
        {
            Loop.ApplyBeforeRunning(new NodeEvent.CommandReceived(command));
            return _answer;
        }

        public void Give(NodeIntent intent) => Loop.ApplyBeforeRunning(new NodeEvent.IntentReceived(intent));

        public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements)
        {
            if (Kill == Kill.BeforeTheEntry)
            {
                throw new KilledException();
            }
        }

        public void Configure(ImmutableArray<PeerOptions> peers)
        {
            // Its sessions are made up.
        }

        public void Reset(NeighborEndpoint neighbor, string text)
        {
            // Nobody asks for it here.
        }

        public void Stop(string text)
        {
            // Likewise.
        }
    }

    // Knows of each run of the agent how far it has heard of it, as the real one does.
    private sealed class HubOfATest
    {
        private readonly Dictionary<string, ulong> _positions = [];

        public List<JournalEntry> Told { get; } = [];

        public void Listen(Journal journal, int pages)
        {
            while (pages-- > 0 && journal.Next(3) is { } page)
            {
                foreach (var entry in page.Entries.Where(entry => entry.Sequence > _positions.GetValueOrDefault(page.BootId)))
                {
                    Told.Add(entry.Entry);
                    _positions[page.BootId] = entry.Sequence;
                }

                journal.Acknowledge(page.BootId, page.Entries[^1].Sequence);
            }
        }
    }
}
