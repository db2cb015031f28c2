using System.Net;
using System.Net.Sockets;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Tests.Reachability;

/// <summary>
/// The kind of socket that the hub opens where ping_group_range does not let it have the other: it gets the replies of the whole machine, those of IPv4 with their header.
/// Where this process may open none, the hub must say what to do.
/// </summary>
public sealed class RawIcmpTests
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task RawSocket_IsAnswered_OrTheProblemIsNamed(string text)
    {
        var address = IPAddress.Parse(text);
        await using var probe = new IcmpProbe(TimeProvider.System, OpenRaw);

        string? problem = probe.ProblemFor(address);

        if (WhyNot(address.AddressFamily) is { } why)
        {
            Assert.Equal($"No ICMP socket: {why}. Widen net.ipv4.ping_group_range to the hub's group, or give the hub CAP_NET_RAW, or probe with --probe tcp:PORT.", problem);
            return;
        }

        Assert.Null(problem);
        ProbeReply[] replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => probe.SendAsync(address, Generous, Stop)));

        // A machine without IPv6 may have the socket, and has no way to ::1.
        Assert.All(replies, reply => Assert.True(reply.RoundTrip > TimeSpan.Zero || (reply.IsUnsent && address.AddressFamily == AddressFamily.InterNetworkV6), reply.ToString()));
    }

    /// <summary>Each of them gets the replies to the other, and a request that is not for it: only its own is its answer.</summary>
    [Fact]
    public async Task RawSockets_SideBySide_EachTakeTheirOwnReplies()
    {
        await using var first = new IcmpProbe(TimeProvider.System, OpenRaw);
        await using var second = new IcmpProbe(TimeProvider.System, OpenRaw);
        if (WhyNot(AddressFamily.InterNetwork) is { } why)
        {
            Assert.Contains(why, first.ProblemFor(IPAddress.Loopback), StringComparison.Ordinal);
            return;
        }

        Assert.Null(first.ProblemFor(IPAddress.Loopback));
        Assert.Null(second.ProblemFor(IPAddress.Loopback));
        IPAddress[] addresses = [.. Enumerable.Range(1, 40).Select(i => IPAddress.Parse($"127.0.0.{i}"))];
        ProbeReply[] replies = await Task.WhenAll(addresses.SelectMany(a => new[] { first.SendAsync(a, Generous, Stop), second.SendAsync(a, Generous, Stop) }));

        Assert.Equal(80, replies.Length);
        Assert.All(replies, reply => Assert.True(reply.RoundTrip > TimeSpan.Zero, reply.ToString()));
    }

    private static (IcmpSocket? Socket, string? Why) OpenRaw(AddressFamily family) =>
        IcmpSocket.TryOpen(family, [SocketType.Raw], TimeProvider.System, out IcmpSocket? socket, out string? why) ? (socket, null) : (null, why);

    /// <summary>Why this process may not open such a socket, asked without any code of the hub's; null: it may.</summary>
    private static string? WhyNot(AddressFamily family)
    {
        try
        {
            new Socket(family, SocketType.Raw, family == AddressFamily.InterNetwork ? ProtocolType.Icmp : ProtocolType.IcmpV6).Dispose();
            return null;
        }
        catch (SocketException refused)
        {
            return refused.Message;
        }
    }
}
