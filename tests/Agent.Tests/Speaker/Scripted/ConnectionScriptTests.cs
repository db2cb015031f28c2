using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>What the neighbor's TCP does.</summary>
public sealed class ConnectionScriptTests : ScriptedTest
{
    [Fact]
    public async Task NobodyListens_IsRefused_AndDialledAgainAfterAWhile()
    {
        var peer = Peer;
        await peer.DisposeAsync();
        Start();

        var (state, error) = await FailureAsync();
        Assert.Equal((SessionState.Active, "connection refused", false), (state, error.Text, error.FromPeer));

        Pass(TimeSpan.FromSeconds(1.5));
        Assert.Equal("connection refused", (await FailureAsync()).Error.Text);
    }

    [Theory]
    [InlineData(SessionState.OpenSent, SessionState.Active)]
    [InlineData(SessionState.OpenConfirm, SessionState.Idle)]
    [InlineData(SessionState.Established, SessionState.Idle)]
    public async Task NeighborResets_IsSaid_AndDialledAgain(SessionState at, SessionState after)
    {
        var connection = await InAsync(at);

        connection.Reset();

        await NeighborEndedItAsync(after, "connection reset by the neighbor");
        Pass(TimeSpan.FromSeconds(1.5));
        await EstablishedAsync();
    }

    [Theory]
    [InlineData(SessionState.OpenSent, SessionState.Active)]
    [InlineData(SessionState.OpenConfirm, SessionState.Idle)]
    [InlineData(SessionState.Established, SessionState.Idle)]
    public async Task NeighborClosesWithoutAWord_IsSaid_AndDialledAgain(SessionState at, SessionState after)
    {
        var connection = await InAsync(at);

        connection.Close();

        await NeighborEndedItAsync(after, "the neighbor closed the connection");
        Pass(TimeSpan.FromSeconds(1.5));
        await EstablishedAsync();
    }

    [Fact]
    public async Task NeighborClosesAtOnce_EveryTime_TheWaitsGrow()
    {
        (await OpenSentAsync()).Close();
        await NeighborEndedItAsync(SessionState.Active, "the neighbor closed the connection");

        Pass(TimeSpan.FromSeconds(1.5));
        (await OpenSentAsync()).Close();
        await NeighborEndedItAsync(SessionState.Active, "the neighbor closed the connection");

        // The second wait is 2.25 to 3 s.
        Pass(TimeSpan.FromSeconds(2.2));
        Assert.Equal(SessionState.Active, (await DiagnosticsAsync()).State);
        Assert.True(Peer.IsLeftAlone);
        Pass(TimeSpan.FromSeconds(0.8));
        await EstablishedAsync();
    }

    [Fact]
    public async Task OldConnectionIsStillOpen_NothingOnItReachesTheNewSession()
    {
        Start(options => options with { Linger = TimeSpan.FromHours(1) });
        var old = await EstablishedAsync();
        await old.SendAsync(new byte[19]);
        await FailureAsync();

        Pass(TimeSpan.FromSeconds(1.5));
        var @new = await OpenSentAsync();
        await old.SendAsync([.. Octets.Open(asNumber: 1), .. Octets.Notification(6, 2)]);
        await @new.SendAsync([.. Octets.Open(), .. Octets.Keepalive]);
        old.Reset();
        await @new.ReadAsync(Octets.KeepaliveType, "A KEEPALIVE");
        await @new.ReadAsync(Octets.UpdateType, "An UPDATE");

        var diagnostics = await DiagnosticsAsync();
        Assert.Equal((SessionState.Established, 2, 1), (diagnostics.State, diagnostics.Session.TimesEstablished, diagnostics.Session.Flaps));
    }

    [Fact]
    public async Task Ipv6_EstablishesAndAnnounces()
    {
        await UseAsync(new ScriptedPeer("::1"));

        // IPv4 and IPv6 unicast, and IPv4 with a next hop of IPv6.
        var connection = await OpenConfirmAsync(Octets.Open(capabilities: [.. Octets.Capabilities, 1, 4, 0, 2, 0, 1, 5, 6, 0, 1, 0, 1, 0, 2]));
        await connection.SendAsync(Octets.Keepalive);

        var update = await connection.ReadAsync(Octets.UpdateType, "An UPDATE");
        Assert.Equal(SessionState.Established, (await DiagnosticsAsync()).State);
        Assert.Contains("20cb00710a", Convert.ToHexStringLower(update), StringComparison.Ordinal);
    }
}
