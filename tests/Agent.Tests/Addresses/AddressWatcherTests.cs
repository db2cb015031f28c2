using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Addresses;

public sealed class AddressWatcherTests
{
    private static readonly ImmutableHashSet<IPNetwork> _none = [];
    private static readonly ImmutableHashSet<IPNetwork> _one = [IPNetwork.Parse("203.0.113.10/32")];

    [Fact]
    public async Task AddressAppearsAndGoes_TheNodeIsToldOfEachChangeOnce()
    {
        var present = _none;
        using var watched = new Watched(() => present);

        await watched.PollAsync();
        present = _one;
        await watched.PollAsync();
        await watched.PollAsync();
        present = _none;
        await watched.PollAsync();

        Assert.Equal([_one, _none], watched.Told);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AddressesCannotBeRead_WhatWasKnownStays_UntilTheyCan(bool noSocket)
    {
        Func<ImmutableHashSet<IPNetwork>> read = () => _one;
        using var watched = new Watched(() => read());

        await watched.PollAsync();
        read = () => throw (Exception)(noSocket ? new SocketException((int)SocketError.TooManyOpenSockets) : new IOException("no /proc"));
        await watched.PollAsync();
        Assert.Equal([_one], watched.Told);
        read = () => _none;
        await watched.PollAsync();

        Assert.Equal([_one, _none], watched.Told);
    }

    private sealed class Watched : IDisposable
    {
        private readonly FakeTimeProvider _time = new();
        private readonly CancellationTokenSource _end = new();
        private readonly Signal<bool> _reads = new();
        private readonly Task _running;
        private ImmutableList<ImmutableHashSet<IPNetwork>> _told = [];

        public Watched(Func<ImmutableHashSet<IPNetwork>> read)
        {
            var watcher = new AddressWatcher(
                () =>
                {
                    try
                    {
                        return read();
                    }
                    finally
                    {
                        _reads.Add(true);
                    }
                },
                (occurred, _) =>
                {
                    _told = _told.Add(Assert.IsType<NodeEvent.AddressesChanged>(occurred).Prefixes);
                    return ValueTask.CompletedTask;
                },
                _time,
                NullLogger<AddressWatcher>.Instance);
            _running = watcher.RunAsync(_none, _end.Token);
        }

        public ImmutableList<ImmutableHashSet<IPNetwork>> Told => _told;

        // Each poll reads once; the read after it proves that the one before was dealt with.
        public async Task PollAsync()
        {
            for (var round = 0; round < 2; round++)
            {
                var before = _reads.Seen.Count;
                _time.Advance(AddressWatcher.Period);
                await _reads.UntilAsync(seen => seen.Count > before);
            }
        }

        public void Dispose()
        {
            _end.Cancel();
            Assert.True(_running.Wait(TimeSpan.FromSeconds(60)));
            _end.Dispose();
        }
    }
}
