using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>
/// A real speaker and a neighbor that follows a script, over real sockets and in virtual time: it stands still unless the test lets it pass,
/// so no timer fires unasked however slow the machine is.
/// </summary>
public abstract class ScriptedTest : IAsyncDisposable
{
    internal const string Prefix = "203.0.113.10/32";

    private readonly FakeTimeProvider _time = new();
    private int _failuresSeen;

    internal ScriptedPeer Peer { get; private set; } = new();

    internal Signal<NodeEvent> News { get; } = new();

    internal BgpSpeaker? Speaker { get; private set; }

    public async ValueTask DisposeAsync()
    {
        // First the neighbor, so that no goodbye is waited for.
        await Peer.DisposeAsync();
        if (Speaker is not null)
        {
            Speaker.Stop("test over");
            while (!Speaker.Ended.IsCompleted)
            {
                Pass(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }

            await Speaker.Ended;
            Speaker.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Another neighbor than the usual one; before the speaker starts.</summary>
    internal async Task UseAsync(ScriptedPeer peer)
    {
        await Peer.DisposeAsync();
        Peer = peer;
    }

    internal void Start(Func<PeerOptions, PeerOptions>? change = null, ImmutableArray<Advertisement>? advertisements = null)
    {
        var options = new PeerOptions
        {
            Neighbor = Peer.Endpoint,
            Session = new SessionOptions { LocalAs = 65001, PeerAs = 65000, RouterId = new RouterId(0x7f00000b) },
        };
        Speaker = new BgpSpeaker([change?.Invoke(options) ?? options], Post, _time, NullLogger<BgpSpeaker>.Instance);
        Speaker.SetAdvertisements(1, advertisements ?? [new Advertisement { Prefix = IPNetwork.Parse(Prefix), Communities = [FakeRouter.Primary] }]);
        Speaker.Start();

        bool Post(NodeEvent occurred)
        {
            News.Add(occurred);
            return true;
        }
    }

    /// <summary>Connected, and our OPEN is read: OpenSent.</summary>
    internal async Task<ScriptedConnection> OpenSentAsync()
    {
        if (Speaker is null)
        {
            Start();
        }

        var connection = await Peer.AcceptAsync();
        await connection.ReadAsync(Octets.OpenType, "An OPEN");
        return connection;
    }

    /// <summary>The neighbor's OPEN is accepted and its KEEPALIVE is awaited.</summary>
    internal async Task<ScriptedConnection> OpenConfirmAsync(byte[]? open = null)
    {
        var connection = await OpenSentAsync();
        await connection.SendAsync(open ?? Octets.Open());
        await connection.ReadAsync(Octets.KeepaliveType, "A KEEPALIVE");
        return connection;
    }

    /// <summary>Routes are exchanged, and the first of ours is read.</summary>
    internal async Task<ScriptedConnection> EstablishedAsync(byte[]? open = null)
    {
        var connection = await OpenConfirmAsync(open);
        await connection.SendAsync(Octets.Keepalive);
        await connection.ReadAsync(Octets.UpdateType, "An UPDATE");
        await News.FirstAsync<NodeEvent.AdvertisementsWritten>();
        return connection;
    }

    /// <summary>In one of the three states that have a connection.</summary>
    internal async Task<ScriptedConnection> InAsync(SessionState state)
    {
        var connection = state switch
        {
            SessionState.OpenSent => await OpenSentAsync(),
            SessionState.OpenConfirm => await OpenConfirmAsync(),
            _ => await EstablishedAsync(),
        };
        Assert.Equal(state, (await DiagnosticsAsync()).State);
        return connection;
    }

    /// <summary>Lets time pass and the speaker see it.</summary>
    internal void Pass(TimeSpan time)
    {
        _time.Advance(time);
        Speaker!.Wake();
    }

    internal async Task<PeerDiagnostics> DiagnosticsAsync() => (await Safety.BoundAsync(cancellation => Speaker!.ReadAsync(Peer.Endpoint, cancellation)))!;

    internal async Task<PeerDiagnostics> UntilAsync(Func<PeerDiagnostics, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var diagnostics = await DiagnosticsAsync();
            if (holds(diagnostics))
            {
                return diagnostics;
            }

            Assert.False(patience.IsCancellationRequested, $"Never came about: {diagnostics}");
            await Task.Yield();
        }
    }

    /// <summary>The next failure that the speaker tells of, and where the session stands after it.</summary>
    internal async Task<(SessionState State, SessionError Error)> FailureAsync()
    {
        var failures = await News.UntilAsync(seen => seen.OfType<NodeEvent.SessionFailed>().Count() > _failuresSeen);
        var failed = failures.OfType<NodeEvent.SessionFailed>().ElementAt(_failuresSeen++);
        var diagnostics = await DiagnosticsAsync();
        Assert.Equal(failed.Error, diagnostics.Session.LastFailure?.Error);
        return (diagnostics.State, failed.Error);
    }

    /// <summary>The neighbor is told this NOTIFICATION and then the connection is closed; the operator is told why; the session waits in Idle.</summary>
    internal async Task WeEndItAsync(ScriptedConnection connection, string notification, string words)
    {
        Assert.Equal(notification, await connection.ReadNotificationAsync());
        var (state, error) = await FailureAsync();
        var code = Convert.FromHexString(notification[..5].Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal((SessionState.Idle, words, false, code[0], code[1]), (state, error.Text, error.FromPeer, error.Code, error.Subcode));
    }

    /// <summary>The neighbor ended it: the operator is told how, nothing more is said to the neighbor.</summary>
    internal async Task NeighborEndedItAsync(SessionState state, string words, byte code = 0, byte subcode = 0)
    {
        var (stands, error) = await FailureAsync();
        Assert.Equal((state, words, true, code, subcode), (stands, error.Text, error.FromPeer, error.Code, error.Subcode));
    }
}
