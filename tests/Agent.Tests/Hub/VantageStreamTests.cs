using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Tests.Vantage;
using FailoverHub.Agent.Vantage;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging.Abstractions;
using Wire = FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Tests.Hub;

/// <summary>A plan over the real stream, asked over real sockets, and what comes back.</summary>
public sealed class VantageStreamTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly NameLookup _names = new(_ => throw new SocketException((int)SocketError.HostNotFound));
    private readonly CancellationTokenSource _ending = new();
    private readonly ScriptedAsking _scripted = new();
    private readonly Journal _journal;
    private readonly NodeLoop _node;
    private readonly Task _looping;
    private HubLink? _link;
    private Task _linked = Task.CompletedTask;
    private Task _probing = Task.CompletedTask;
    private TargetAsking? _asking;

    public VantageStreamTests()
    {
        _journal = Journal.Open(_directory.Root, JournalLimits.Default, TimeProvider.System, NullLogger<Journal>.Instance);
        _node = new NodeLoop(
            NodeState.Initial(new NodeSettings { Node = "node-a", DefaultRole = Role.Primary, Announce = [], Neighbors = [] }, null, new Moment(TimeSpan.Zero, DateTimeOffset.UtcNow)),
            new SilentSpeaker(),
            new NodeStorage(NodeFiles.In(_directory.Root, _ => { }), _journal),
            TimeProvider.System,
            NullLogger<NodeLoop>.Instance);
        _node.ApplyBeforeRunning(new NodeEvent.Started([], "started"));
        _looping = Task.Run(_node.RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        if (_link is not null)
        {
            await _link.FinishAsync(_linked, TimeSpan.Zero);
            _link.Dispose();
        }

        await _ending.CancelAsync();
        await _probing;
        await (_asking?.ReleaseAsync() ?? Task.CompletedTask);
        _names.Dispose();
        _node.Complete();
        await _looping;
        _journal.Dispose();
        _ending.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Plan_IsAsked_AndWhatCameOfItIsSent()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub, Real());
        var stream = await hub.StreamAsync();
        Assert.Contains("vantage", (await stream.Received.FirstAsync<Wire.AgentMessage>()).Hello.Capabilities);

        await stream.SendAsync(new Wire.HubMessage
        {
            ProbePlan = new Wire.ProbePlan
            {
                Revision = 9,
                Tasks =
                {
                    new Wire.ProbeTask { Id = 1, Address = "127.0.0.1", IntervalMs = 100, TimeoutMs = 1000, Tcp = new Wire.TcpConnect { Port = (uint)((IPEndPoint)listener.LocalEndpoint).Port } },
                    new Wire.ProbeTask { Id = 2, Address = "255.255.255.255", IntervalMs = 100, TimeoutMs = 1000, Icmp = new Wire.IcmpEcho() },
                },
            },
        });

        var batch = await BatchAsync(stream, batch => batch.Results.Count > 0);
        Assert.Equal(9ul, batch.PlanRevision);
        Assert.All(batch.Results, result => Assert.True(result is { Task: 1, Answered: true, RoundTripUs: > 0, Error: "" }));
        Assert.True(batch.Results[0].AgeUs > batch.Results[^1].AgeUs || batch.Results.Count == 1);
        Assert.Equal(2u, Assert.Single(batch.Problems).Task);

        // It stops answering: said without waiting for the second to be over.
        listener.Stop();
        var lost = await BatchAsync(stream, batch => batch.Results.Any(result => !result.Answered));
        Assert.Contains("refused", lost.Results.First(result => !result.Answered).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StreamEnds_NothingIsAskedUntilTheNextOneBringsAPlan()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub, _scripted);
        _scripted.Always = _ => ProbeOutcome.Answered(TimeSpan.FromMilliseconds(1));
        var first = await hub.StreamAsync();
        await first.SendAsync(Plan(1));
        await BatchAsync(first, batch => batch.Results.Count > 0);

        first.Close();
        var second = await hub.StreamAsync(2);
        await second.ReportAsync(report => report.Sequence == 3);

        Assert.DoesNotContain(second.Received.Seen, message => message.Probes is not null);
        Assert.Equal(1, _scripted.Released);
        await second.SendAsync(Plan(2));
        Assert.Equal(2ul, (await BatchAsync(second, batch => batch.Results.Count > 0)).PlanRevision);
    }

    [Fact]
    public async Task SwitchedOff_TheWordIsNotOffered_AndAPlanIsNotTaken()
    {
        await using var hub = await ScriptedHub.StartAsync();
        Link(hub, null);
        var stream = await hub.StreamAsync();

        await stream.SendAsync(Plan(1));
        await stream.ReportAsync(report => report.Sequence == 3);

        Assert.DoesNotContain("vantage", (await stream.Received.FirstAsync<Wire.AgentMessage>()).Hello.Capabilities);
        Assert.DoesNotContain(stream.Received.Seen, message => message.Probes is not null);
    }

    private static Wire.HubMessage Plan(ulong revision) => new()
    {
        ProbePlan = new Wire.ProbePlan { Revision = revision, Tasks = { new Wire.ProbeTask { Id = 1, Address = "192.0.2.1", IntervalMs = 100, TimeoutMs = 1000, Icmp = new Wire.IcmpEcho() } } },
    };

    private static async Task<Wire.ProbeBatch> BatchAsync(HubStream stream, Func<Wire.ProbeBatch, bool> fits) =>
        (await stream.Received.FirstAsync<Wire.AgentMessage>(message => message.Probes is { } batch && fits(batch))).Probes;

    private TargetAsking Real() => _asking = new TargetAsking(_ => AddressStanding.Elsewhere, _ => (null, "not in this test"), _names, TimeProvider.System, NullLogger<TargetAsking>.Instance);

    private void Link(ScriptedHub hub, ITargetAsking? asking)
    {
        var vantage = asking is null ? null : new VantagePoint(asking, Random.Shared.NextDouble, TimeProvider.System, NullLogger<VantagePoint>.Instance);
        _probing = vantage is null ? Task.CompletedTask : Task.Run(() => vantage.RunAsync(_ending.Token));
        var settings = new HubLinkSettings
        {
            Hub = hub.Address,
            Node = "node-a",
            Version = "1.2.3",
            Metrics = _ => new PeerMetrics(4, 5, TimeSpan.Zero, TimeSpan.Zero),
            LongestBackoff = TimeSpan.FromSeconds(1),
            Vantage = vantage,
        };
        _link = new HubLink(settings, _node, _journal, TimeProvider.System, NullLogger<HubLink>.Instance);
        _linked = Task.Run(_link.RunAsync);
    }

    private sealed class SilentSpeaker : ISpeaker
    {
        public void SetAdvertisements(long version, System.Collections.Immutable.ImmutableArray<Advertisement> advertisements)
        {
            // It has no sessions.
        }

        public void Configure(System.Collections.Immutable.ImmutableArray<PeerOptions> peers)
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
