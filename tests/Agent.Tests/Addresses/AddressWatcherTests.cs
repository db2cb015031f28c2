using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Addresses.Netlink;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Addresses;

public sealed class AddressWatcherTests
{
    private static readonly ImmutableHashSet<IPNetwork> _none = [];
    private static readonly ImmutableHashSet<IPNetwork> _one = [IPNetwork.Parse("203.0.113.10/32")];
    private static readonly ImmutableHashSet<IPNetwork> _two = [IPNetwork.Parse("203.0.113.10/32"), IPNetwork.Parse("203.0.113.11/32")];

    [Fact]
    public async Task AddressAppearsAndGoes_TheNodeIsToldOfEachChangeOnce()
    {
        await using var watched = new Watched();
        await watched.LooksAsync(1);

        watched.Found = new PrefixReading(_one, IsCertain: true);
        await watched.HappenAsync();
        await watched.HappenAsync();
        watched.Found = new PrefixReading(_none, IsCertain: true);
        await watched.HappenAsync();
        await watched.WaitsAsync();

        Assert.Equal([_one, _none], watched.Told);
    }

    [Fact]
    public async Task ChangedBetweenTheStartAndTheListening_IsFoundAtOnce()
    {
        await using var watched = new Watched(known: _two, found: _one);

        await watched.LooksAsync(1);
        await watched.ToldAsync(1);

        Assert.Equal([_one], watched.Told);
    }

    [Fact]
    public async Task NothingHappens_NothingIsLookedAt_HoweverLong()
    {
        await using var watched = new Watched();
        await watched.LooksAsync(1);
        await watched.WaitsAsync();

        watched.Elapse(TimeSpan.FromDays(30));
        await watched.HappenAsync();

        Assert.Equal(2, watched.Looks);
    }

    [Fact]
    public async Task ManyChanges_AreCollectedUntilThereIsAPause()
    {
        await using var watched = new Watched();
        await watched.LooksAsync(1);
        await watched.WaitsAsync();

        watched.Events.Happen();
        for (var pause = 0; pause < 20; pause++)
        {
            await watched.PausesAsync();
            watched.Events.Happen();
            watched.Elapse(AddressWatcher.Quiet);
        }

        Assert.Equal(1, watched.Looks);
        await watched.PausesAsync();
        watched.Elapse(AddressWatcher.Quiet);
        await watched.LooksAsync(2);
        await watched.WaitsAsync();
        Assert.Equal(2, watched.Looks);
    }

    [Fact]
    public async Task ChangesWithoutAPause_AreLookedAtAfterAWhile()
    {
        await using var watched = new Watched();
        await watched.LooksAsync(1);
        await watched.WaitsAsync();

        watched.Events.Happen();
        for (var pause = 0; pause < AddressWatcher.LongestBurst / AddressWatcher.Quiet; pause++)
        {
            await watched.PausesAsync();
            Assert.Equal(1, watched.Looks);
            watched.Events.Happen();
            watched.Elapse(AddressWatcher.Quiet);
        }

        await watched.LooksAsync(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AddressesCannotBeRead_WhatWasKnownStays_UntilTheyCan(bool noSocket)
    {
        await using var watched = new Watched(found: _one);
        await watched.ToldAsync(1);
        await watched.WaitsAsync();

        watched.Problem = noSocket ? new SocketException((int)SocketError.TooManyOpenSockets) : new IOException("no /proc");
        await watched.HappenAsync();
        Assert.Equal([_one], watched.Told);
        watched.Problem = null;
        watched.Found = new PrefixReading(_none, IsCertain: true);
        await watched.PausesAsync();
        watched.Elapse(AddressWatcher.Period);
        await watched.ToldAsync(2);

        Assert.Equal([_one, _none], watched.Told);
    }

    [Fact]
    public async Task ReadWhileItChanged_WhatIsMissingStays_WhatIsNewCounts_AndItIsReadAgain()
    {
        await using var watched = new Watched(known: _one, found: _one);
        await watched.LooksAsync(1);
        await watched.WaitsAsync();

        watched.Found = new PrefixReading([IPNetwork.Parse("203.0.113.11/32")], IsCertain: false);
        await watched.HappenAsync();
        await watched.ToldAsync(1);
        Assert.True(_two.SetEquals(watched.Told[0]));
        watched.Found = new PrefixReading([IPNetwork.Parse("203.0.113.11/32")], IsCertain: true);
        await watched.PausesAsync();
        watched.Elapse(AddressWatcher.LongestBurst);
        await watched.ToldAsync(2);

        Assert.Equal([IPNetwork.Parse("203.0.113.11/32")], watched.Told[1]);
    }

    [Fact]
    public async Task NobodyTells_IsReadAgainAndAgain()
    {
        await using var watched = new Watched(listens: false);
        await watched.LooksAsync(1);
        watched.Found = new PrefixReading(_one, IsCertain: true);

        await watched.PausesAsync();
        watched.Elapse(AddressWatcher.Period);
        await watched.ToldAsync(1);

        Assert.Equal([_one], watched.Told);
    }

    [Fact]
    public async Task WhatItIsLookedAtForHasChanged_IsLookedAtAtOnce()
    {
        await using var watched = new Watched();
        await watched.LooksAsync(1);
        await watched.WaitsAsync();
        watched.Found = new PrefixReading(_one, IsCertain: true);

        watched.Watcher.LookNow();

        await watched.ToldAsync(1);
    }

    [Fact]
    public async Task KernelDoesNotDoIt_TheNodeIsToldOnce_AndWhenItDoes()
    {
        await using var watched = new Watched();
        await watched.LooksAsync(1);

        watched.Found = watched.Found with { Trouble = "stays on lo" };
        await watched.HappenAsync();
        await watched.HappenAsync();
        watched.Found = watched.Found with { Trouble = null };
        await watched.HappenAsync();
        await watched.WaitsAsync();

        Assert.Equal(["stays on lo", "none"], watched.Troubles.Seen);
        Assert.Empty(watched.Told);
    }

    [Fact]
    public async Task MayDependOnMore_IsLookedAtAfterALongTime()
    {
        await using var watched = new Watched(lookAnyway: TimeSpan.FromMinutes(10));
        await watched.LooksAsync(1);
        await watched.WaitsAsync();
        watched.Found = new PrefixReading(_one, IsCertain: true);

        watched.Elapse(TimeSpan.FromMinutes(10));

        await watched.ToldAsync(1);
    }

    [Fact]
    public async Task AddressIsTheAgentsOwnNow_IsTold_ThoughTheAddressesAreTheSame()
    {
        await using var watched = new Watched(known: _one);
        await watched.LooksAsync(1);
        await watched.WaitsAsync();

        watched.Found = new PrefixReading(_one, IsCertain: true) { Own = _one };
        watched.Watcher.LookNow();

        Assert.Equal(_one, await watched.Owned.FirstAsync<ImmutableHashSet<IPNetwork>>());
    }

    private sealed class Watched : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Signal<int> _looks = new();
        private readonly Signal<ImmutableHashSet<IPNetwork>> _told = new();
        private readonly NotingTime _time = new();
        private readonly Task _running;
        private int _elapsed;

        public Watched(ImmutableHashSet<IPNetwork>? known = null, ImmutableHashSet<IPNetwork>? found = null, bool listens = true, TimeSpan? lookAnyway = null)
        {
            Found = new PrefixReading(found ?? known ?? _none, IsCertain: true);
            Watcher = new AddressWatcher(
                () =>
                {
                    _looks.Add(1);
                    return Problem is null ? Found : throw Problem;
                },
                () => listens ? Events : throw new NetlinkException(NetlinkException.NotPermitted),
                (occurred, _) =>
                {
                    if (occurred is NodeEvent.AddressTrouble trouble)
                    {
                        Troubles.Add(trouble.Problem ?? "none");
                        return ValueTask.CompletedTask;
                    }

                    Owned.Add(((NodeEvent.AddressesChanged)occurred).Own);
                    _told.Add(Assert.IsType<NodeEvent.AddressesChanged>(occurred).Prefixes);
                    return ValueTask.CompletedTask;
                },
                _time,
                NullLogger<AddressWatcher>.Instance)
            {
                LookAnyway = () => lookAnyway,
            };
            _running = Watcher.RunAsync(known ?? _none, _end.Token);
        }

        public Signal<string> Troubles { get; } = new();

        /// <summary>Of what is told, what the agent has put there.</summary>
        public Signal<ImmutableHashSet<IPNetwork>> Owned { get; } = new();

        public AddressWatcher Watcher { get; }

        public PlayedEvents Events { get; } = new();

        public PrefixReading Found { get; set; }

        public Exception? Problem { get; set; }

        public int Looks => _looks.Seen.Count;

        public IReadOnlyList<ImmutableHashSet<IPNetwork>> Told => [.. _told.Seen];

        public async Task LooksAsync(int count) => await _looks.UntilAsync(seen => seen.Count >= count);

        public async Task ToldAsync(int count) => await _told.UntilAsync(seen => seen.Count >= count);

        /// <summary>It waits for an event.</summary>
        public Task WaitsAsync() => Events.WaitedForAsync();

        /// <summary>It lets some time go by.</summary>
        public async Task PausesAsync() => await _time.Timers.UntilAsync(seen => seen.Count > _elapsed);

        /// <summary>Time goes by; whoever waited for it goes on.</summary>
        public void Elapse(TimeSpan time)
        {
            _elapsed = _time.Timers.Seen.Count;
            _time.Advance(time);
        }

        /// <summary>Something happens, and is looked at.</summary>
        public async Task HappenAsync()
        {
            await WaitsAsync();
            var before = Looks;
            Events.Happen();
            await PausesAsync();
            Elapse(AddressWatcher.Quiet);
            await LooksAsync(before + 1);
        }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _running.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
            _end.Dispose();
        }
    }

    private sealed class NotingTime : FakeTimeProvider
    {
        public Signal<TimeSpan> Timers { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Timers.Add(dueTime);
            return timer;
        }
    }

    private sealed class PlayedEvents : IInterfaceEvents
    {
        private readonly SemaphoreSlim _happened = new(0);
        private readonly Signal<bool> _waits = new();

        public void Happen() => _happened.Release();

        public async Task WaitedForAsync() => await _waits.UntilAsync(seen => seen.LastOrDefault());

        public async ValueTask WaitAsync(CancellationToken cancellationToken)
        {
            var happening = _happened.WaitAsync(cancellationToken);
            _waits.Add(true);
            try
            {
                await happening;
            }
            finally
            {
                _waits.Add(false);
            }
        }

        public bool Drain()
        {
            var any = false;
            while (_happened.Wait(0, CancellationToken.None))
            {
                any = true;
            }

            return any;
        }

        public void Dispose() => _happened.Dispose();
    }
}
