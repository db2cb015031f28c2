using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>The loop wakes up by itself when the node has something to do without an event.</summary>
public sealed class NodeLoopTests : IAsyncLifetime
{
    private static readonly Community _gracefulShutdown = new(65535, 0);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly RecordedRoutes _speaker = new();
    private readonly Journal _journal;
    private readonly NodeLoop _loop;
    private readonly Task _running;

    public NodeLoopTests()
    {
        _journal = Journal.Open(_directory.Root, JournalLimits.Default, _time, NullLogger<Journal>.Instance);
        var settings = new NodeSettings
        {
            Node = "node-a",
            DefaultRole = Role.Primary,
            Neighbors = [NodeUnderTest.First],
            Damping = new DampingSettings(),
            GracefulShutdown = TimeSpan.FromSeconds(20),
        };
        _loop = new NodeLoop(
            NodeState.Initial(settings, null, new Moment(TimeSpan.Zero, _time.GetUtcNow())),
            _speaker,
            new NodeStorage(NodeFiles.In(_directory.Root, _ => { }), _journal),
            _time,
            NullLogger<NodeLoop>.Instance);
        _loop.ApplyBeforeRunning(new NodeEvent.Started([NodeUnderTest.Shared], "started"));
        _running = Task.Run(_loop.RunAsync);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _loop.Complete();
        await _running;
        _journal.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Damped_IsAnnouncedAgainWhenItsTimeIsOver_WithoutAnyEvent()
    {
        for (var flap = 0; flap < 4; flap++)
        {
            Assert.True(_loop.TryPost(new NodeEvent.AddressesChanged([])));
            Assert.True(_loop.TryPost(new NodeEvent.AddressesChanged([NodeUnderTest.Shared])));
        }

        // Announced at the start and after three of the four losses; each loss is a withdrawal.
        await _speaker.Handed.UntilAsync(handed => handed.Count == 8);
        Assert.Empty(_speaker.Handed.Seen[^1]);
        _time.Advance(TimeSpan.FromMinutes(2));

        var handed = await _speaker.Handed.UntilAsync(handed => handed.Count == 9);
        Assert.Equal(NodeUnderTest.Shared, Assert.Single(handed[^1]).Prefix);
        _loop.Complete();
        await _running;
        Assert.Equal(["damped", "damping-ended"], Kinds().Where(kind => kind.StartsWith("damp", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task GracefulShutdown_EndsWhenItsTimeIsOver_WithoutAnyEvent()
    {
        Assert.True(_loop.TryPost(new NodeEvent.SessionChanged(NodeUnderTest.First, Bgp.Session.SessionState.Established, "up")));
        Assert.True(_loop.TryPost(new NodeEvent.StopRequested("SIGTERM")));
        var handed = await _speaker.Handed.UntilAsync(handed => handed.Count == 2);
        Assert.Contains(_gracefulShutdown, Assert.Single(handed[^1]).Communities);
        Assert.Empty(_speaker.Stopped.Seen);

        _time.Advance(TimeSpan.FromSeconds(20));

        await _speaker.Stopped.FirstAsync<string>(text => text.Contains("SIGTERM", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Command_IsSaidToHaveBegun_BeforeTheDiskIsAsked()
    {
        var begun = new Signal<(long Id, bool IsKept)>();
        _loop.CommandBegun += id => begun.Add((id, File.Exists(_directory.At("orders.json"))));

        Assert.True(_loop.TryPost(new NodeEvent.CommandReceived(new LocalCommand.DrainNode(7, "root (uid 0)", ""))));

        Assert.Equal((7L, false), await begun.FirstAsync<(long, bool)>());
        await _speaker.Handed.UntilAsync(handed => handed.Count == 2);
        Assert.True(File.Exists(_directory.At("orders.json")));
    }

    private IEnumerable<string> Kinds() =>
        Directory.GetFiles(_directory.Root, "*.ndjson").SelectMany(File.ReadAllLines).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("kind").GetString()!);

    private sealed class RecordedRoutes : ISpeaker
    {
        public Signal<ImmutableArray<Advertisement>> Handed { get; } = new();

        public Signal<string> Stopped { get; } = new();

        public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements) => Handed.Add(advertisements);

        public void Configure(ImmutableArray<PeerOptions> peers)
        {
            // Its sessions are made up.
        }

        public void Reset(NeighborEndpoint neighbor, string text)
        {
            // Nobody asks for it here.
        }

        public void Stop(string text) => Stopped.Add(text);
    }
}
