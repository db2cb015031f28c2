using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Wire = FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Tests.Hub;

/// <summary>The stream to the hub, with a real node behind it and a scripted hub in front.</summary>
public sealed class HubLinkTests : IAsyncDisposable
{
    private const string Prefix = "203.0.113.10/32";

    private static readonly NeighborEndpoint _neighbor = new(IPAddress.Parse("192.0.2.1"), 179);

    private readonly TemporaryDirectory _directory = new();
    private readonly RecordedLog<HubLink> _log = new();
    private readonly Journal _journal;
    private readonly NodeLoop _node;
    private readonly EchoingSpeaker _speaker = new();
    private readonly Task _looping;
    private HubLink? _link;
    private Task? _linked;

    public HubLinkTests()
    {
        _journal = Journal.Open(_directory.Root, JournalLimits.Default, TimeProvider.System, NullLogger<Journal>.Instance);
        var settings = new NodeSettings { Node = "node-a", DefaultRole = Role.Primary, Announce = [new ConfiguredPrefix(IPNetwork.Parse(Prefix), null)], Neighbors = [_neighbor] };
        var speaker = _speaker;
        _node = new NodeLoop(
            NodeState.Initial(settings, null, new Moment(TimeSpan.Zero, DateTimeOffset.UtcNow)),
            speaker,
            new NodeStorage(NodeFiles.In(_directory.Root, _ => { }), _journal),
            TimeProvider.System,
            NullLogger<NodeLoop>.Instance);
        speaker.Node = _node;
        _node.ApplyBeforeRunning(new NodeEvent.Started([], "started"));
        _looping = Task.Run(_node.RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        if (_link is not null)
        {
            await _link.FinishAsync(_linked!, TimeSpan.Zero);
            _link.Dispose();
        }

        _node.Complete();
        await _looping;
        _journal.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Connected_SaysHello_AndReportsTheWholeNode()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var stream = await hub.StreamAsync();

        var hello = (await stream.Received.FirstAsync<Wire.AgentMessage>()).Hello;
        Assert.Equal(("node-a", "1.2.3", _journal.BootId, 0ul, "18"), (hello.Node, hello.AgentVersion, hello.BootId, hello.IntentRevision, hello.DataCenter));
        Assert.Contains("journal", hello.Capabilities);

        var report = await stream.ReportAsync(_ => true);
        var prefix = Assert.Single(report.Prefixes);
        Assert.Equal((Prefix, Wire.Role.Primary, Wire.Role.Primary, true, true), (prefix.Prefix, prefix.AssignedRole, prefix.ReportedRole, prefix.Announced, prefix.AddressPresent));
        var session = Assert.Single(report.Sessions);
        Assert.Equal(("192.0.2.1", Wire.SessionState.Idle, 5ul), (session.Neighbor, session.State, session.MessagesSent));
    }

    [Fact]
    public async Task NothingChanges_ReportsGoOn_WithAGrowingSequence()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var stream = await hub.StreamAsync();

        await stream.ReportAsync(report => report.Sequence == 1);
        await stream.ReportAsync(report => report.Sequence == 3);
    }

    [Fact]
    public async Task NodeChanges_IsReportedAtOnce()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var stream = await hub.StreamAsync();
        await stream.ReportAsync(_ => true);

        await EstablishAsync();

        var report = await stream.ReportAsync(report => report.Sessions[0].State == Wire.SessionState.Established);
        Assert.Equal(1u, (await stream.ReportAsync(report => report.Prefixes[0].EstablishedSessionsCarrying == 1)).Prefixes[0].EstablishedSessionsCarrying);
        Assert.True(report.Sessions[0].StateSinceUnixMs > 0);
    }

    [Fact]
    public async Task Reset_OfAnEstablishedSession_IsDoneAnsweredAndInTheJournal()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var stream = await hub.StreamAsync();
        await EstablishAsync();

        await stream.SendAsync(new Wire.HubMessage { Request = new Wire.NodeRequest { Id = "r1", OperationId = "op-1", Reason = "stale routes", ResetSession = new Wire.ResetSession { Neighbor = "192.0.2.1" } } });
        await stream.SendAsync(new Wire.HubMessage { Request = new Wire.NodeRequest { Id = "r2", ResetSession = new Wire.ResetSession { Neighbor = "192.0.2.9" } } });

        var first = (await stream.Received.FirstAsync<Wire.AgentMessage>(message => message.RequestResult?.Id == "r1")).RequestResult;
        var second = (await stream.Received.FirstAsync<Wire.AgentMessage>(message => message.RequestResult?.Id == "r2")).RequestResult;
        Assert.Equal((true, false), (first.Done, second.Done));
        Assert.Contains("is no neighbor of this node", second.Text, StringComparison.Ordinal);
        Assert.Equal([(_neighbor, "stale routes")], _speaker.Resets);
        var journal = await stream.JournalUntilAsync(entry => entry.Kind == "session-reset");
        Assert.Equal("op-1", journal.Single(entry => entry.Kind == "session-reset").OperationId);
    }

    [Fact]
    public async Task TracedIntent_IsAnsweredWithTheTimesOfReceiptDiskAndAnswer_Once()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var first = await hub.StreamAsync();
        var intent = Intent(3, Wire.Role.Secondary);
        intent.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var before = DateTimeOffset.UtcNow;

        await first.SendAsync(intent);
        var times = (await first.ResultAsync(3)).Times;

        Assert.Equal(intent.TraceParent, times.TraceParent);
        Assert.InRange(times.ReceivedUnixUs, before.ToUnixTimeMilliseconds() * 1_000, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000 + 999);
        Assert.InRange(times.StoredAfterUs, 1ul, times.AnsweredAfterUs);

        await first.SendAsync(intent);
        await first.SendAsync(Intent(4, Wire.Role.Primary));
        Assert.Null((await first.ResultAsync(4)).Times);
    }

    [Fact]
    public async Task Intent_IsKeptObeyedAndAnswered()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        await EstablishAsync();
        var stream = await hub.StreamAsync();

        await stream.SendAsync(Intent(3, Wire.Role.Secondary));

        var result = await stream.ResultAsync(3);
        Assert.Equal((Wire.IntentResult.Types.Outcome.Applied, 1u), (result.Outcome, result.SessionsUpdated));
        var report = await stream.ReportAsync(report => report.IntentRevision == 3);
        Assert.Equal(Wire.Role.Secondary, report.Prefixes[0].ReportedRole);
        Assert.Equal(3ul, new IntentStore(_directory.At("intent.json"), _ => { }).Load().Intent!.Revision);
    }

    [Theory]
    [InlineData("203.0.113.0/24", Wire.Role.Primary)]
    [InlineData("nonsense", Wire.Role.Primary)]
    [InlineData("", Wire.Role.Primary)]
    [InlineData(Prefix, Wire.Role.Unspecified)]
    [InlineData(Prefix, (Wire.Role)17)]
    public async Task IntentThatMakesNoSense_IsRejectedWithAReason_AndNothingChanges(string prefix, Wire.Role role)
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var stream = await hub.StreamAsync();
        var before = _node.Current.Advertisements;

        await stream.SendAsync(new Wire.NodeIntent { Revision = 1, Prefixes = { new Wire.PrefixIntent { Prefix = prefix, Role = role } } });

        var result = await stream.ResultAsync(1);
        Assert.Equal(Wire.IntentResult.Types.Outcome.Rejected, result.Outcome);
        Assert.NotEmpty(result.Reason);
        Assert.Null(_node.Current.Intent);
        Assert.Equal(before, _node.Current.Advertisements);
    }

    [Fact]
    public async Task Journal_IsSentUntilItIsAcknowledged_AndNotAgainAfterAReconnect()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var first = await hub.StreamAsync();
        var entries = await first.JournalUntilAsync(entry => entry.Kind == "announced");
        Assert.Equal(["started", "announced"], entries.Select(entry => entry.Kind));
        await AcknowledgedAsync(2);

        first.Close();
        var second = await hub.StreamAsync(2);
        await EstablishAsync();
        var next = await second.JournalUntilAsync(entry => entry.Kind == "session-established");
        Assert.Equal(3ul, next[0].Sequence);
    }

    [Fact]
    public async Task JournalNotAcknowledged_IsSentAgainOnTheNextStream()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var first = await hub.StreamAsync();
        var batch = (await first.Received.FirstAsync<Wire.AgentMessage>(message => message.Journal is not null)).Journal;

        first.Close();
        var second = await hub.StreamAsync(2);
        var again = (await second.Received.FirstAsync<Wire.AgentMessage>(message => message.Journal is not null)).Journal;
        Assert.Equal(batch, again);
    }

    [Fact]
    public async Task HubComesLater_IsFound()
    {
        using var port = new ReservedPort();
        Link(new Uri($"http://127.0.0.1:{port.Number}"));
        await using var hub = await ScriptedHub.StartAsync(port.Number);

        await (await hub.StreamAsync()).ReportAsync(_ => true);
    }

    [Fact]
    public async Task HubThatNeverWelcomes_IsLeft_AndTriedAgain()
    {
        await using var hub = await ScriptedHub.StartAsync(welcomes: false);
        Link(hub.Address, TimeSpan.FromMilliseconds(200));

        await hub.StreamAsync(2);
        Assert.DoesNotContain(hub.Streams.Seen[0].Received.Seen, message => message.Report is not null);
    }

    [Fact]
    public async Task AnswerLostWithItsStream_IsGivenOnTheNextOne_WithoutBeingAskedFor()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        await EstablishAsync();
        var first = await hub.StreamAsync();
        await first.SendAsync(Intent(3, Wire.Role.Secondary));
        await first.ResultAsync(3);

        // As far as this hub goes, it never came.
        first.Close();
        var second = await hub.StreamAsync(2);

        Assert.Equal(3ul, (await second.Received.FirstAsync<Wire.AgentMessage>()).Hello.IntentRevision);
        Assert.Equal(Wire.IntentResult.Types.Outcome.Applied, (await second.ResultAsync(3)).Outcome);
    }

    [Fact]
    public async Task KeptButKilledBeforeTheAnswer_IsAnsweredWhenTheHubIsThereAgain()
    {
        await _node.PostAsync(new NodeEvent.IntentReceived(new NodeIntent { Revision = 5, Drained = true, Prefixes = [] }), TestContext.Current.CancellationToken);
        await EstablishAsync();
        await using var hub = await ScriptedHub.StartAsync();

        // A link that was not there when the node answered, as after a start.
        await EventuallyAsync(() => _node.Current is { Intent.Revision: 5, Pending: null });
        Link(hub);

        Assert.Equal(Wire.IntentResult.Types.Outcome.Applied, (await (await hub.StreamAsync()).ResultAsync(5)).Outcome);
    }

    [Fact]
    public async Task InternalErrorOfTheLink_IsLogged_AndTheLinkIsThereAgain()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub.Address, metrics: [new DivideByZeroException("a bug")]);

        await (await hub.StreamAsync(2)).ReportAsync(_ => true);

        Assert.False(_linked!.IsCompleted);
        var broken = Assert.Single(_log.Lines.Seen, line => line.Level == LogLevel.Critical);
        Assert.IsType<DivideByZeroException>(broken.Exception);
    }

    [Fact]
    public async Task HubThatWelcomesAndGoes_IsDialledAtGrowingWaits_AndLoggedOnce()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        for (var number = 1; number <= 4; number++)
        {
            (await hub.StreamAsync(number)).Close();
        }

        await _log.Lines.UntilAsync(lines => lines.Count(line => line.Text.StartsWith("Still no hub", StringComparison.Ordinal)) >= 3);
        Assert.Single(_log.Lines.Seen, line => line.Level == LogLevel.Warning);
        Assert.Single(_log.Lines.Seen, line => line.Text.EndsWith("connected; this node obeys intent revision 0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task HubThatAcknowledgedAndGoes_IsDialledSoonAgain_AndEachLossIsSaid()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        for (var number = 1; number <= 2; number++)
        {
            var stream = await hub.StreamAsync(number);
            await stream.JournalUntilAsync(_ => true);

            // The next batch leaves behind the acknowledgement of the one before: when it is here the link knows that this hub was of use.
            await EstablishAsync();
            await stream.Received.UntilAsync(messages => messages.Count(message => message.Journal is not null) >= 2);
            stream.Close();
        }

        await _log.Lines.UntilAsync(lines => lines.Count(line => line.Level == LogLevel.Warning) == 2);
    }

    [Fact]
    public async Task Finished_TheHubHasTheLastReportAndTheWholeJournal()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub);
        var stream = await hub.StreamAsync();
        var journal = stream.JournalUntilAsync(entry => entry.Kind == "withdrawn");
        await stream.ReportAsync(_ => true);

        // What the node has not written yet when the link finishes, it cannot send: that it stops, and that its prefix is withdrawn.
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _journal.Appended += () =>
        {
            if (_journal.Next(1000)?.Entries.Any(entry => entry.Entry.Kind == "withdrawn") == true)
            {
                stopping.TrySetResult();
            }
        };
        await _node.PostAsync(new NodeEvent.StopRequested("SIGTERM"), TestContext.Current.CancellationToken);

        // Or the hub was quicker than the look at the journal, which is empty then.
        await Task.WhenAny(stopping.Task, journal).WaitAsync(TestContext.Current.CancellationToken);
        await _link!.FinishAsync(_linked!, TimeSpan.FromSeconds(60));

        await journal;
        Assert.True(stream.EndedProperly);
        Assert.Contains(stream.Received.Seen, message => message.Report?.Prefixes[0].WithdrawnReason == Wire.WithdrawnReason.Stopping);
    }

    [Fact]
    public void Backoff_GrowsFromATenthOfASecondToTen_AndStartsOverAfterAnAnswer()
    {
        var backoff = new HubBackoff(new Random(1), HubBackoff.Longest);
        var waits = Enumerable.Range(0, 10).Select(_ => backoff.Next()).ToList();

        Assert.InRange(waits[0], HubBackoff.First / 2, HubBackoff.First);
        Assert.InRange(waits[^1], HubBackoff.Longest / 2, HubBackoff.Longest);
        backoff.Reset();
        Assert.InRange(backoff.Next(), HubBackoff.First / 2, HubBackoff.First);
    }

    private static Wire.NodeIntent Intent(ulong revision, Wire.Role role) =>
        new() { Revision = revision, Prefixes = { new Wire.PrefixIntent { Prefix = Prefix, Role = role } }, OperationId = "op", Reason = "a test" };

    private async Task AcknowledgedAsync(ulong sequence)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (_journal.Next(10) is { } page && page.Entries[0].Sequence <= sequence)
        {
            safety.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private async Task EstablishAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await _node.PostAsync(new NodeEvent.SessionChanged(_neighbor, SessionState.Established, "up"), cancellation);
        await _node.PostAsync(
            new NodeEvent.SessionEstablished(_neighbor, new NegotiatedParameters
            {
                PeerRouterId = new Bgp.Messages.RouterId(1),
                PeerAs = 65000,
                HoldTime = new Bgp.Messages.HoldTime(9),
                FourOctetAs = true,
                Families = [RouteFamily.Ipv4Unicast],
                Ipv4WithIpv6NextHop = true,
                RouteRefresh = true,
            }),
            cancellation);
        await _node.PostAsync(new NodeEvent.AdvertisementsWritten(_neighbor, _node.Current.Version), cancellation);
    }

    private static async Task EventuallyAsync(Func<bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            safety.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private void Link(ScriptedHub hub) => Link(hub.Address);

    private void Link(Uri hub, TimeSpan? welcomeTimeout = null, params IEnumerable<Exception> metrics)
    {
        var failures = new ConcurrentQueue<Exception>(metrics);
        var settings = new HubLinkSettings
        {
            Hub = hub,
            Node = "node-a",
            Version = "1.2.3",
            DataCenter = 18,
            Metrics = _ => failures.TryDequeue(out var failure) ? throw failure : new PeerMetrics(4, 5, TimeSpan.Zero, TimeSpan.Zero),
            LongestBackoff = TimeSpan.FromSeconds(1),
            WelcomeTimeout = welcomeTimeout ?? TimeSpan.FromSeconds(30),
        };
        _link = new HubLink(settings, _node, _journal, TimeProvider.System, _log);
        _linked = Task.Run(_link.RunAsync);
    }

    // Sessions whose sockets take everything at once.
    private sealed class EchoingSpeaker : ISpeaker
    {
        public ConcurrentBag<(NeighborEndpoint Neighbor, string Text)> Resets { get; } = [];

        public NodeLoop? Node { get; set; }

        public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements) =>
            Node!.TryPost(new NodeEvent.AdvertisementsWritten(_neighbor, version));

        public void Configure(ImmutableArray<PeerOptions> peers)
        {
            // Its sessions are made up.
        }

        public void Reset(NeighborEndpoint neighbor, string text) => Resets.Add((neighbor, text));

        public void Stop(string text) => Node!.TryPost(new NodeEvent.SessionChanged(_neighbor, SessionState.Idle, text));
    }
}
