using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>The agents' stream over the real port. The hub's clock stands still unless a test moves it.</summary>
[Trait("Kind", "Hub")]
public sealed class AgentLinkTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private HubUnderTest _hub = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _hub = await HubUnderTest.StartAsync(_folder.Path, _time);

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Hello_IsAnsweredWithWelcomeFirst()
    {
        await using var agent = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);

        Assert.Equal(HubMessage.BodyOneofCase.Welcome, (await agent.ReceiveAsync()).BodyCase);
        var node = (await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected)).FindNode("web-1")!;
        Assert.Equal(("1.2.3", 4), (node.AgentVersion, node.EstablishedSessions));
        Assert.StartsWith("127.0.0.1:", node.RemoteAddress, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Welcome_TellsOnWhichHostsTheOtherNodesOfThePairAre_AndOfNobodyElse()
    {
        await using var other = await FakeAgent.StartAsync(_hub.AgentUrl, "web-2", Role.Secondary);
        await other.ReportAsync(r => r.Host = "bb22");
        await using (var first = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary))
        {
            // There is no pair before its first report.
            Assert.Empty((await first.ReceiveAsync()).Welcome.Peers);
            await _hub.UntilAsync(s => s.Pairs.Any(p => p.Members.Length == 2) && s.FindNode("web-2")?.Host == "bb22");
        }

        await using var again = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);
        var peer = Assert.Single((await again.ReceiveAsync()).Welcome.Peers);
        Assert.Equal(("web-2", "bb22"), (peer.Node, peer.Host));
        await using var stranger = await FakeAgent.ConnectAsync(_hub.AgentUrl, "db-1", new NodeReport());
        Assert.Empty((await stranger.ReceiveAsync()).Welcome.Peers);
    }

    [Theory]
    [InlineData("no node name!", StatusCode.InvalidArgument)]
    public async Task Nonsense_EndsTheStreamWithAStatusThatSaysWhat(string node, StatusCode status)
    {
        await using var agent = await FakeAgent.ConnectAsync(_hub.AgentUrl, node, new NodeReport());

        var why = await agent.Ended.WaitAsync(Cancellation);

        Assert.Equal(status, why!.StatusCode);
        Assert.Contains(node, why.Status.Detail, StringComparison.Ordinal);
        Assert.Null(_hub.Fleet.Current.FindNode(node));
    }

    [Fact]
    public async Task NonsenseInAReport_EndsTheStreamAndTheNodeIsShownAsStale()
    {
        await using var agent = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        await agent.ReportAsync(r => r.Prefixes.Add(new PrefixReport { Prefix = "nonsense" }));

        Assert.Equal(StatusCode.InvalidArgument, (await agent.Ended.WaitAsync(Cancellation))!.StatusCode);
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Stale);
    }

    [Fact]
    public async Task KilledAgent_IsStaleAtOnceAndOfflineAfterThreeSeconds()
    {
        var agent = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        await agent.DisposeAsync();

        // No time passes: the end of the stream alone is enough.
        await _hub.UntilAsync(s => s.FindNode("web-1") is { Link: NodeLink.Stale, ConnectedSince: null });
        _time.Advance(TimeSpan.FromSeconds(4));
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Offline);
    }

    [Fact]
    public async Task SilentAgent_IsStaleThenOfflineByTheClockAlone()
    {
        await using var agent = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        _time.Advance(TimeSpan.FromSeconds(4));
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Stale);
        _time.Advance(TimeSpan.FromSeconds(12));
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Offline);
        await agent.ReportAsync();
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
    }

    [Fact]
    public async Task SecondMachineWithTheSameName_IsRefusedAndTheFirstStays()
    {
        await using var first = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        await using var second = await FakeAgent.ConnectAsync(_hub.AgentUrl, "web-1", new NodeReport(), boot: "another");

        Assert.Equal(StatusCode.AlreadyExists, (await second.Ended.WaitAsync(Cancellation))!.StatusCode);
        Assert.Equal(NodeLink.Connected, _hub.Fleet.Current.FindNode("web-1")!.Link);
        await _hub.Writer.FlushAsync(Cancellation);
        Assert.Single((await _hub.History.EventsAsync(new HistoryFilter { Kind = EventKinds.NodeNameClash }, null, 10, Cancellation)).Items);
    }

    [Fact]
    public async Task SameRunOfTheAgentDialsAgain_TakesThePlaceOfItsOldStream()
    {
        await using var old = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        await using var again = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);

        Assert.Equal(StatusCode.Aborted, (await old.Ended.WaitAsync(Cancellation))!.StatusCode);
        await _hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        await again.ReportAsync(r => r.Drained = true);
        await _hub.UntilAsync(s => s.FindNode("web-1")!.Drained);
    }

    [Fact]
    public async Task Journal_IsAcknowledgedWhenItIsStoredAndStoredOnce()
    {
        await using var agent = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);
        var batch = new JournalBatch { BootId = "boot-0", Entries = { Entry(1), Entry(2), Entry(3) } };

        for (var i = 0; i < 2; i++)
        {
            await agent.SendAsync(new AgentMessage { Journal = batch.Clone() });
            HubMessage message;
            do
            {
                message = await agent.ReceiveAsync();
            }
            while (message.BodyCase != HubMessage.BodyOneofCase.JournalAck);

            Assert.Equal(("boot-0", 3ul), (message.JournalAck.BootId, message.JournalAck.Sequence));

            // The acknowledgement came: so it is in the database, not only on its way.
            await using var db = _hub.OpenDatabase();
            Assert.Equal([1L, 2L, 3L], await db.Events.Where(e => e.BootId == "boot-0").OrderBy(e => e.Id).Select(e => e.JournalSequence!.Value).ToListAsync(Cancellation));
        }
    }

    [Fact]
    public async Task FirstMessageThatIsNoHello_IsRefused()
    {
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(_hub.AgentUrl);
        using var call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: Cancellation);
        await call.RequestStream.WriteAsync(new AgentMessage { Report = new NodeReport() }, Cancellation);

        var fault = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
    }

    [Fact]
    public async Task AgentThatNeverSaysHello_IsSentAwayAfterTenSeconds()
    {
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(_hub.AgentUrl);
        using var call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: Cancellation);
        var next = call.ResponseStream.MoveNext(Cancellation);
        while (!next.IsCompleted)
        {
            // The call may not have arrived when the clock moves; so it moves until it has.
            _time.Advance(TimeSpan.FromSeconds(11));
            await Task.Yield();
        }

        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
    }

    [Fact]
    public async Task MessageBeyondTheLimit_IsRefused()
    {
        await using var agent = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary);

        // The hub may end the stream while the agent still writes.
        _ = await Record.ExceptionAsync(() => agent.SendAsync(new AgentMessage { Journal = new JournalBatch { BootId = "b", Entries = { new JournalEntry { Sequence = 1, Kind = "x", Text = new string('x', 5_000_000) } } } }));

        Assert.Equal(StatusCode.ResourceExhausted, (await agent.Ended.WaitAsync(TimeSpan.FromSeconds(60), Cancellation))!.StatusCode);
    }

    [Fact]
    public async Task HubThatRestarts_ShowsThePairAsUnknownUntilItsNodesReport()
    {
        await using (var a = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary))
        {
            await using var b = await FakeAgent.StartAsync(_hub.AgentUrl, "web-2", Role.Secondary);
            await _hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        }

        var id = _hub.Fleet.Current.FindPair("web")!.Id;
        await _hub.DisposeAsync();
        _hub = await HubUnderTest.StartAsync(_folder.Path, _time);

        var pair = _hub.Fleet.Current.FindPair("web")!;
        Assert.Equal((id, PairState.Unknown, null, "web-1"), (pair.Id, pair.State, pair.ActiveNode, pair.PreferredNode));
        Assert.All(pair.Members, m => Assert.Equal((NodeLink.Offline, false), (m.Node.Link, m.Node.IsFresh)));
        Assert.All(pair.Members, m => Assert.All(m.Prefixes, p => Assert.False(p.Announced)));

        await using var again = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary, boot: "boot-2");
        await _hub.UntilAsync(s => s.FindPair("web") is { State: PairState.Degraded, ActiveNode: "web-1" });
    }

    [Fact]
    public async Task AgentWithoutItsState_IsToldAgainWhatTheHubWants()
    {
        await using (var agent = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Primary, revision: 9))
        {
            await _hub.UntilAsync(s => s.FindNode("web-1")?.IntentRevision == 9);
        }

        await _hub.Writer.FlushAsync(Cancellation);
        await _hub.DisposeAsync();
        _hub = await HubUnderTest.StartAsync(_folder.Path, _time);

        await using var fresh = await FakeAgent.StartAsync(_hub.AgentUrl, "web-1", Role.Secondary, boot: "boot-2");
        await _hub.UntilAsync(s => s.FindNode("web-1") is { Link: NodeLink.Connected, ReportedRevision: 9 });

        Assert.Equal(Role.Primary, Assert.Single(Assert.Single(fresh.Intents).Prefixes).Role);
    }

    private static JournalEntry Entry(ulong sequence) => new() { Sequence = sequence, AtUnixMs = 1, Kind = "announced", Text = $"entry {sequence}" };
}
