using System.Net.Sockets;
using FailoverHub.Agent.Node;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>Neighbors to whom there is no path for a while.</summary>
public sealed class PathScriptTests : ScriptedTest
{
    private int _sockets;

    [Fact]
    public async Task PathComesBack_ItIsDialledWithinAFifthOfASecond_AndNobodyIsToldOfAFailure()
    {
        StartWithoutPath(until: 4);

        for (var dial = 2; dial <= 4; dial++)
        {
            await UntilDialledAsync(dial - 1);
            Pass(TimeSpan.FromMilliseconds(200));
        }

        await EstablishedAsync();
        Assert.Equal(4, _sockets);
        Assert.Empty(News.Seen.OfType<NodeEvent.SessionFailed>());
    }

    [Fact]
    public async Task NoPathForAWholeDial_IsSaid_AndTheNextDialFollowsAtOnce()
    {
        StartWithoutPath(until: int.MaxValue);
        await UntilDialledAsync(1);

        Pass(TimeSpan.FromSeconds(3.5));

        var (state, error) = await FailureAsync();
        Assert.Equal((SessionState.Connect, "network unreachable: no route to it", false), (state, error.Text, error.FromPeer));
        await UntilDialledAsync(2);
    }

    [Fact]
    public async Task StoppedWithoutAPath_Ends()
    {
        StartWithoutPath(until: int.MaxValue);
        await UntilDialledAsync(1);

        Speaker!.Stop("bye");

        await Speaker.Ended.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    private void StartWithoutPath(int until) => Start(options => options with
    {
        NewSocket = family => Interlocked.Increment(ref _sockets) < until
            ? throw new SocketException((int)SocketError.NetworkUnreachable)
            : new Socket(family, SocketType.Stream, ProtocolType.Tcp),
    });

    // The dial is done when its diagnostics can be read: both happen on the speaker's thread.
    private async Task UntilDialledAsync(int count) => await UntilAsync(_ => Volatile.Read(ref _sockets) >= count);
}
