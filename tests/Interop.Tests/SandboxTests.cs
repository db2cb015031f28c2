using System.Net;
using System.Net.Sockets;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests;

/// <summary>What the other tests rely on: nothing of a test outlives it, however it ends.</summary>
public sealed class SandboxTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task InputClosed_AsWhenTheTestProcessIsKilled_EveryProcessEnds()
    {
        await using var sandbox = await Sandbox.StartAsync(Cancellation);
        await sandbox.ScriptAsync("ip netns add here", Cancellation);
        // Started after the pipe was made, and deaf to polite signals: it would keep a pipe open that leaks to it.
        var stubborn = sandbox.Spawn("stubborn", "here", ["sh", "-c", "trap '' TERM HUP INT; while :; do sleep 1000; done"]);
        await stubborn.StartedAsync(Cancellation);

        sandbox.Outer.StandardInput.Close();

        Assert.NotEqual(0, await stubborn.ExitAsync(Cancellation));
        Assert.False(Directory.Exists(sandbox.Outside("/run/netns")));
    }

    [Fact]
    public async Task OuterProcessKilled_EveryProcessEnds()
    {
        await using var sandbox = await Sandbox.StartAsync(Cancellation);
        await sandbox.ScriptAsync("ip netns add here", Cancellation);
        var stubborn = sandbox.Spawn("stubborn", "here", ["sh", "-c", "trap '' TERM HUP INT; while :; do sleep 1000; done"]);
        await stubborn.StartedAsync(Cancellation);

        sandbox.Outer.Kill();

        Assert.NotEqual(0, await stubborn.ExitAsync(Cancellation));
        Assert.False(Directory.Exists(sandbox.Outside("/run/netns")));
    }

    [Fact]
    public async Task BindIn_TakesThatNetworkAndNotTheMachine()
    {
        await using var sandbox = await Sandbox.StartAsync(Cancellation);
        await sandbox.ScriptAsync("ip netns add here; ip -n here link set lo up", Cancellation);

        using var listener = Native.BindIn(sandbox.NamespaceFile("here"), new IPEndPoint(IPAddress.Loopback, 5081));
        listener.Listen();

        var inside = (await sandbox.RunAsync("here", ["ss", "-Hltn"], Cancellation)).Checked();
        Assert.Contains("127.0.0.1:5081", inside, StringComparison.Ordinal);
        // This thread is where it was: the machine's loopback is still its own.
        using var here = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        here.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        here.Listen();
        var outside = (await sandbox.RunAsync("here", ["ss", "-Hltn"], Cancellation)).Checked();
        Assert.Equal(inside, outside);
    }
}
