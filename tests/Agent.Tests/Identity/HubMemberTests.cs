using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Routes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using JournalEntry = FailoverHub.Protos.V1.JournalEntry;
using Role = FailoverHub.Agent.Node.Role;

namespace FailoverHub.Agent.Tests.Identity;

/// <summary>The stream of a node that has joined: real TLS, a real node behind it.</summary>
[Trait("Kind", "Long")]
public sealed class HubMemberTests : IAsyncDisposable
{
    private static readonly TimeSpan _month = TimeSpan.FromDays(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();
    private readonly RecordedLog<HubLink> _log = new();
    private readonly Journal _journal;
    private readonly NodeLoop _node;
    private readonly Task _looping;
    private HubLink? _link;
    private Task _linked = Task.CompletedTask;

    public HubMemberTests()
    {
        _journal = Journal.Open(_directory.Root, JournalLimits.Default, TimeProvider.System, NullLogger<Journal>.Instance);
        var settings = new NodeSettings { Node = "node-a", DefaultRole = Role.Primary, Announce = [new ConfiguredPrefix(IPNetwork.Parse("203.0.113.10/32"), null)], Neighbors = [] };
        _node = new NodeLoop(
            NodeState.Initial(settings, null, new Moment(TimeSpan.Zero, DateTimeOffset.UtcNow)),
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

        _node.Complete();
        await _looping;
        _journal.Dispose();
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Joined_TheStreamIsItsCertificates()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        var identity = Link(hub.Address);

        var stream = await hub.StreamAsync();

        Assert.Equal(identity.Fingerprint, stream.Certificate);
        await stream.Stream.ReportAsync(report => report.Sequence == 2);
        Assert.True(_link!.Reading.IsConnected);
        Assert.Null(_link.Reading.Membership!.Refusal);
    }

    [Fact]
    public async Task HubOfAnotherAuthorityOfTheSameName_IsToldNothing()
    {
        using var his = new TestAuthority();
        using var server = his.Server();
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, Server = server });
        Link(hub.Address);

        var lost = await _log.Lines.FirstAsync<LoggedLine>(line => line.Level == LogLevel.Warning);

        Assert.Contains("it is not the hub that this node knows", lost.Text, StringComparison.Ordinal);
        Assert.Empty(hub.Streams.Seen);
        Assert.Contains("not signed by the hub's own authority", _link!.Reading.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CertificateBeyondTwoThirds_IsRenewed_AndTheStreamGoesOnWithTheNewOne_WithoutLosingAnEntry()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, CertificateRefused = new RpcException(new Status(StatusCode.Unavailable, "Not yet.")) });
        var first = Link(hub.Address, age: TimeSpan.FromDays(30) - TimeSpan.FromMinutes(3));

        // The first try of the renewal has failed; the hub takes what it is shown from now on, and the renewal is tried again within seconds.
        await _log.Lines.FirstAsync<LoggedLine>(line => line.Text.Contains("is not renewed", StringComparison.Ordinal));
        hub.Script.CertificateRefused = null;

        var entries = new List<JournalEntry>();
        var last = await LastStreamAsync(hub, first.Fingerprint, entries);

        Assert.Equal(_link!.Identity!.Fingerprint, last.Certificate);
        Assert.Equal(last.Certificate, new IdentityStore(_directory.Root).Load().Identity!.Fingerprint);
        entries.AddRange(await last.Stream.JournalUntilAsync(entry => entry.Kind == "certificate-renewed"));
        var sequences = entries.Select(entry => entry.Sequence).Distinct().Order().ToList();
        Assert.Equal(Enumerable.Range(1, sequences.Count).Select(number => (ulong)number), sequences);
    }

    [Fact]
    public async Task Revoked_TheStreamEnds_ItIsSaidWithWhatToDo_AndWhatIsAnnouncedStays()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        Link(hub.Address);
        var stream = await hub.StreamAsync();
        await stream.Stream.ReportAsync(_ => true);
        var announced = _node.Current.Advertisements;

        hub.Script.CertificateRefused = new RpcException(new Status(StatusCode.Unauthenticated, "The certificate of node-a was revoked by alice."));
        stream.Stream.Close();

        await EntryAsync("certificate-refused");
        var reading = _link!.Reading;
        Assert.Equal("The certificate of node-a was revoked by alice", reading.Membership!.Refusal);
        Assert.Equal("refused", IdentityWords.Condition(reading.Membership, DateTimeOffset.UtcNow));
        Assert.Contains("failoverhub-agent join --hub", IdentityWords.Advice(reading.Membership, reading.Hub, DateTimeOffset.UtcNow), StringComparison.Ordinal);
        Assert.Equal(announced, _node.Current.Advertisements);

        // Taken back: the stream returns by itself.
        hub.Script.CertificateRefused = null;
        await hub.StreamAsync(2);
        await EntryAsync("certificate-accepted");
        Assert.Null(_link.Reading.Membership!.Refusal);
    }

    [Fact]
    public async Task RefusedOnAndOn_IsJournaledOnce_AndDialledSlowly()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, CertificateRefused = new RpcException(new Status(StatusCode.Unauthenticated, "Expired.")) });
        Link(hub.Address, age: TimeSpan.FromDays(40));

        await _log.Lines.UntilAsync(lines => lines.Count(line => line.Text.StartsWith("Still no hub", StringComparison.Ordinal)) >= 3);

        Assert.Single(_journal.Next(100)!.Entries, entry => entry.Entry.Kind == "certificate-refused");
    }

    [Fact]
    public async Task NotJoined_AHubWithCertificatesSaysSo_AndTheLogSaysHow()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        Start(new HubLinkSettings { Hub = hub.Address, Node = "node-a", Version = "1.2.3", Metrics = _ => new PeerMetrics(0, 0, TimeSpan.Zero, TimeSpan.Zero), Trust = new HubTrust.Pinned(_authority.Der) });

        var lost = await _log.Lines.FirstAsync<LoggedLine>(line => line.Level == LogLevel.Warning);

        Assert.Contains("join first", lost.Text, StringComparison.Ordinal);
        Assert.Contains("failoverhub-agent join --hub", lost.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeyThatIsNone_IsSaid_AndTheNodeGoesOn()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        var identity = _authority.Identity(hub.Address, TimeSpan.Zero, _month) with { Key = [1, 2, 3] };
        Start(Settings(identity));

        var lost = await _log.Lines.FirstAsync<LoggedLine>(line => line.Level == LogLevel.Warning);

        Assert.Contains("cannot be used", lost.Text, StringComparison.Ordinal);
        Assert.False(_looping.IsCompleted);
    }

    // Follows the streams until one shows another certificate, and acknowledges what comes on those before it.
    private static async Task<TlsStream> LastStreamAsync(TlsHub hub, string before, List<JournalEntry> entries)
    {
        for (var number = 1; ; number++)
        {
            var stream = await hub.StreamAsync(number);
            if (stream.Certificate != before)
            {
                return stream;
            }

            entries.AddRange(await stream.Stream.JournalUntilAsync(_ => true));
            await hub.StreamAsync(number + 1);
            entries.AddRange(stream.Stream.Received.Seen.Where(message => message.Journal is not null).SelectMany(message => message.Journal.Entries));
        }
    }

    // A signal of the journal itself: it is asked when it says that it has grown.
    private async Task EntryAsync(string kind)
    {
        var grown = new Signal<bool>();
        void Grow() => grown.Add(true);
        _journal.Appended += Grow;
        try
        {
            Grow();
            await grown.UntilAsync(_ => _node.Current is not null && Kinds().Contains(kind));
        }
        finally
        {
            _journal.Appended -= Grow;
        }
    }

    private IEnumerable<string> Kinds() => _journal.Next(100)?.Entries.Select(entry => entry.Entry.Kind) ?? [];

    private HubIdentity Link(Uri hub, TimeSpan age = default)
    {
        var identity = _authority.Identity(hub, age, _month);
        Start(Settings(identity));
        return identity;
    }

    private HubLinkSettings Settings(HubIdentity identity)
    {
        var store = new IdentityStore(_directory.Root);
        Assert.Null(store.Save(identity));
        return new HubLinkSettings
        {
            Hub = identity.Hub,
            Node = identity.Node,
            Version = "1.2.3",
            Metrics = _ => new PeerMetrics(0, 0, TimeSpan.Zero, TimeSpan.Zero),
            Trust = identity.Trust,
            Member = new HubMember(identity, store),
            LongestBackoff = TimeSpan.FromSeconds(1),
            RefusedBackoff = TimeSpan.FromSeconds(1),
            WelcomeTimeout = TimeSpan.FromSeconds(30),
        };
    }

    private void Start(HubLinkSettings settings)
    {
        _link = new HubLink(settings, _node, _journal, TimeProvider.System, _log);
        _linked = Task.Run(_link.RunAsync);
    }

    private sealed class SilentSpeaker : ISpeaker
    {
        public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements)
        {
            // There are no sessions.
        }

        public void Configure(ImmutableArray<PeerOptions> peers)
        {
            // Likewise.
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
}
