using FailoverHub.Agent.Node;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>Neighbors that send far more than anybody asked for. Alone, because memory is looked at.</summary>
[Collection(nameof(FloodScriptTests))]
[CollectionDefinition(nameof(FloodScriptTests), DisableParallelization = true)]
public sealed class FloodScriptTests : ScriptedTest
{
    private const int TenMegabytes = 10 * 1024 * 1024;
    private const int Allowed = 8 * 1024 * 1024;

    [Fact]
    public async Task TenMegabytesOfNoBgp_EndItAtTheFirstOctets_AndAreNotKept()
    {
        var connection = await OpenSentAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var sending = connection.SendAsync(new byte[TenMegabytes]);

        await WeEndItAsync(connection, "01 01", "a message does not begin with the marker (Message Header Error/Connection Not Synchronized)");
        await sending;
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, before + TenMegabytes + Allowed);
    }

    [Fact]
    public async Task TenMegabytesOfKeepalives_AreCounted_AndNoMore()
    {
        var connection = await EstablishedAsync();
        var count = TenMegabytes / Octets.Keepalive.Length;
        var flood = new byte[count * Octets.Keepalive.Length];
        for (var index = 0; index < count; index++)
        {
            Octets.Keepalive.CopyTo(flood.AsSpan(index * Octets.Keepalive.Length));
        }

        var before = GC.GetTotalMemory(forceFullCollection: true);
        await connection.SendAsync(flood);

        var diagnostics = await UntilAsync(peer => peer.Session.Received.Keepalive == count + 1);
        Assert.Equal(SessionState.Established, diagnostics.State);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, before + Allowed);
    }

    [Fact]
    public async Task FullTablesOfAHundredThousandPrefixes_NothingIsImported_AndKeepalivesAreOnTimeAmongThem()
    {
        const int Prefixes = 100_000;
        const int PerUpdate = 500;
        var connection = await EstablishedAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var received = 0L;

        // Ten tables; after each three seconds pass, and our KEEPALIVE comes however much is still to be read.
        for (var table = 0; table < 10; table++)
        {
            for (var from = 0; from < Prefixes; from += PerUpdate)
            {
                if (from == Prefixes / 2)
                {
                    Pass(TimeSpan.FromSeconds(3));
                }

                await connection.SendAsync(Octets.Announce((table * Prefixes) + from, PerUpdate));
                received++;
            }

            await connection.ReadAsync(Octets.KeepaliveType, "A KEEPALIVE");
        }

        var diagnostics = await UntilAsync(peer => peer.Session.Received.Update == received);
        Assert.Equal((SessionState.Established, 0), (diagnostics.State, diagnostics.Session.MalformedUpdates));
        Assert.Empty(News.Seen.OfType<NodeEvent.SessionFailed>());
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, before + Allowed);
    }
}
