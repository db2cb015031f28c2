using System.Net.Sockets;
using System.Net;
using FailoverHub.Agent.Speaker.Sockets;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>Waiting for several sockets, against the kernel.</summary>
public sealed class SocketPollTests : IDisposable
{
    private readonly SocketPoll _poll = new(3);
    private readonly Socket _near = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _far;

    public SocketPollTests()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _near.Connect(listener.LocalEndpoint);
        _far = listener.AcceptSocket();
    }

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
    }

    [Fact]
    public void NothingToWaitFor_ReturnsWhenTheTimeIsOver()
    {
        _poll.Wait(TimeSpan.FromMilliseconds(1));

        Assert.All([0, 1, 2], slot => Assert.False(_poll.CanRead(slot) || _poll.CanWrite(slot)));
    }

    [Fact]
    public void NothingToRead_OnlyWritable()
    {
        _poll.Set(1, _near, read: true, write: true);

        _poll.Wait(null);

        Assert.False(_poll.CanRead(1));
        Assert.True(_poll.CanWrite(1));
        Assert.False(_poll.CanWrite(0));
    }

    [Fact]
    public void BytesArrive_ReadableInItsSlot_UntilTheyAreRead()
    {
        _poll.Set(2, _near, read: true, write: false);
        _far.Send([1]);

        _poll.Wait(null);
        Assert.True(_poll.CanRead(2));
        Assert.False(_poll.CanWrite(2));

        _near.Receive(new byte[1]);
        _poll.Wait(TimeSpan.Zero);
        Assert.False(_poll.CanRead(2));
    }

    [Fact]
    public void ConnectionReset_IsReadable_SoThatTheReadSaysWhatHappened()
    {
        _poll.Set(0, _near, read: true, write: false);
        _far.LingerState = new LingerOption(true, 0);
        _far.Close();

        _poll.Wait(null);

        Assert.True(_poll.CanRead(0));
    }

    [Fact]
    public void NeitherWanted_OrCleared_AConnectionThatEndedWakesNobody()
    {
        _poll.Set(0, _near, read: false, write: false);
        _poll.Set(1, _near, read: true, write: false);
        _poll.Clear(1);
        _far.LingerState = new LingerOption(true, 0);
        _far.Close();

        _poll.Wait(TimeSpan.FromMilliseconds(1));

        Assert.All([0, 1], slot => Assert.False(_poll.CanRead(slot) || _poll.CanWrite(slot)));
    }

    [Fact]
    public void Wait_AllocatesNothing()
    {
        _poll.Set(1, _near, read: true, write: true);
        _poll.Wait(TimeSpan.Zero);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var count = 0; count < 1000; count++)
        {
            _poll.Set(1, _near, read: true, write: true);
            _poll.Wait(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
