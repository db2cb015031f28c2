using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Hub.Enrolling;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Speaker;
using Grpc.Core;

namespace FailoverHub.Agent.Tests.Identity;

/// <summary>The life of a certificate on a clock that stands, with a hub of real TLS.</summary>
public sealed class HubMembershipTests : IAsyncDisposable
{
    private static readonly TimeSpan _month = TimeSpan.FromDays(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();
    private readonly PausingTime _time = new();
    private readonly Signal<(MembershipNews News, string Text)> _told = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly IdentityStore _store;
    private Task _running = Task.CompletedTask;

    public HubMembershipTests()
    {
        _time.AdjustTime(DateTimeOffset.UtcNow);
        _store = new IdentityStore(_directory.Root);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _ending.Dispose();
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task TwoThirdsOfItsLife_TheNextOneIsAskedFor_WithANewKey_AndKept()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        var first = _authority.Identity(hub.Address, TimeSpan.FromDays(20) - TimeSpan.FromMinutes(90), _month);
        var membership = Begin(first);

        await PausedAsync(TimeSpan.FromHours(1));
        Assert.Empty(hub.Renewals.Seen);
        _time.Advance(TimeSpan.FromHours(1));
        await _time.Pauses.FirstAsync<TimeSpan>(pause => pause > TimeSpan.FromMinutes(25) && pause < TimeSpan.FromMinutes(35));
        _time.Advance(TimeSpan.FromMinutes(31));

        await _told.FirstAsync<(MembershipNews News, string Text)>(told => told.News == MembershipNews.Renewed);
        Assert.Equal([first.Fingerprint], hub.Renewals.Seen);
        var kept = _store.Load().Identity!;
        Assert.Equal(membership.Identity.Fingerprint, kept.Fingerprint);
        Assert.NotEqual(first.Fingerprint, kept.Fingerprint);
        Assert.False(first.Key.SequenceEqual(kept.Key));
        Assert.Equal(first.Trust, kept.Trust);
    }

    [Fact]
    public async Task RenewalThatFails_IsTriedAgain_AndTheCertificateStaysInUse()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority, CertificateRefused = Refusal(StatusCode.Unavailable, "The audit cannot be written.") });
        var first = _authority.Identity(hub.Address, TimeSpan.FromDays(21), _month);
        var membership = Begin(first);

        // A twentieth of nine days is more than the hour that is the longest, give or take a quarter.
        var pause = await _time.Pauses.FirstAsync<TimeSpan>(pause => pause >= TimeSpan.FromMinutes(45));
        Assert.Equal((first.Fingerprint, "The audit cannot be written"), (membership.Identity.Fingerprint, membership.Reading.RenewalProblem));

        hub.Script.CertificateRefused = null;
        _time.Advance(pause);

        await _told.FirstAsync<(MembershipNews News, string Text)>(told => told.News == MembershipNews.Renewed);
        Assert.Null(membership.Reading.RenewalProblem);
    }

    [Fact]
    public async Task EndedInALongOutage_IsToldOnce_WithWhatToDo()
    {
        using var port = new ReservedPort();
        var membership = Begin(_authority.Identity(new Uri($"https://localhost:{port.Number}"), TimeSpan.FromDays(40), _month));

        var pause = await _time.Pauses.FirstAsync<TimeSpan>(pause => pause >= TimeSpan.FromMinutes(45));
        var seen = _time.Pauses.Seen.Count;
        _time.Advance(pause);
        await _time.Pauses.FirstAsync<TimeSpan>(again => again >= TimeSpan.FromMinutes(45), from: seen);

        var (news, text) = Assert.Single(_told.Seen);
        Assert.Equal(MembershipNews.Expired, news);
        Assert.Contains("addresses stay announced", text, StringComparison.Ordinal);
        Assert.Contains($"failoverhub-agent join --hub https://localhost:{port.Number} --token TOKEN", text, StringComparison.Ordinal);
        Assert.Equal("expired", IdentityWords.Condition(membership.Reading, _time.GetUtcNow()));
    }

    [Fact]
    public async Task ClockSetByADayAndBack_CostsNothing()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        var now = _time.GetUtcNow();
        var membership = Begin(_authority.Identity(hub.Address, TimeSpan.FromDays(1), _month));
        await PausedAsync(TimeSpan.FromHours(1));

        foreach (var jump in new[] { 1.0, -1, -3650, 2 })
        {
            var seen = _time.Pauses.Seen.Count;
            _time.AdjustTime(now.AddDays(jump));
            _time.Advance(TimeSpan.FromHours(1));
            await _time.Pauses.FirstAsync<TimeSpan>(pause => pause == TimeSpan.FromHours(1), from: seen);
        }

        Assert.False(_running.IsCompleted);
        Assert.Empty(hub.Renewals.Seen);
        Assert.Empty(_told.Seen);
        Assert.Equal("good", IdentityWords.Condition(membership.Reading, now));
    }

    [Fact]
    public async Task JoinedAgainMeanwhile_TheRenewalOfTheOldOneIsNotKept()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        var membership = Begin(_authority.Identity(hub.Address, TimeSpan.FromDays(20) - TimeSpan.FromMinutes(30), _month));
        await _time.Pauses.FirstAsync<TimeSpan>(pause => pause > TimeSpan.FromMinutes(25));
        var second = _authority.Identity(hub.Address, TimeSpan.FromDays(1), _month);
        Assert.Null(_store.Save(second));

        var seen = _time.Pauses.Seen.Count;
        _time.Advance(TimeSpan.FromMinutes(31));
        await _time.Pauses.FirstAsync<TimeSpan>(pause => pause >= TimeSpan.FromMinutes(45), from: seen);

        Assert.Equal(second.Fingerprint, _store.Load().Identity!.Fingerprint);
        Assert.Contains("joined again", membership.Reading.RenewalProblem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatCannotBeKept_IsNotUsed()
    {
        await using var hub = await TlsHub.StartAsync(new TlsHubScript { Authority = _authority });
        var first = _authority.Identity(hub.Address, TimeSpan.FromDays(21), _month);
        File.WriteAllText(_directory.At("file"), "");
        var membership = Begin(first, new IdentityStore(_directory.At("file/state")));

        await _time.Pauses.FirstAsync<TimeSpan>(pause => pause >= TimeSpan.FromMinutes(45));

        Assert.Equal(first.Fingerprint, membership.Identity.Fingerprint);
        Assert.Contains("cannot be written", membership.Reading.RenewalProblem, StringComparison.Ordinal);
    }

    private static RpcException Refusal(StatusCode code, string words) => new(new Status(code, words));

    private Task<TimeSpan> PausedAsync(TimeSpan length) => _time.Pauses.FirstAsync<TimeSpan>(pause => pause == length);

    private HubMembership Begin(HubIdentity identity, IdentityStore? store = null)
    {
        if (store is null)
        {
            Assert.Null(_store.Save(identity));
        }

        var settings = new HubLinkSettings { Hub = identity.Hub, Node = "node-a", Version = "1.2.3", Metrics = _ => new PeerMetrics(0, 0, TimeSpan.Zero, TimeSpan.Zero), Trust = identity.Trust };
        var membership = new HubMembership(settings, identity, store ?? _store, _time, new RecordedLog<HubMembership>(), new NoLuck())
        {
            Tell = (news, text) =>
            {
                _told.Add((news, text));
                return Task.CompletedTask;
            },
        };
        _running = Task.Run(() => membership.RunAsync(_ending.Token));
        return membership;
    }

    private sealed class NoLuck : Random
    {
        public override double NextDouble() => 0;
    }
}
