using System.Net.Sockets;
using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Tests.Control;

/// <summary>Who gave a command is what the kernel says.</summary>
public sealed class ControlCallerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task OfASocket_IsTheProcessAtItsOtherEnd()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_directory.At("x.sock")));
        listener.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(_directory.At("x.sock")), TestContext.Current.CancellationToken);
        using var accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);

        var caller = ControlCaller.Of(accepted);

        Assert.Equal(Environment.ProcessId, caller.ProcessId);
        Assert.Contains($"uid {caller.User}", caller.Actor(), StringComparison.Ordinal);
        Assert.Contains(Environment.UserName, caller.Actor(), StringComparison.Ordinal);
    }

    [Fact]
    public void UserWithoutAName_IsItsNumber() => Assert.Equal("uid 4123456789", new ControlCaller(0, 4_123_456_789).Actor());
}
