using System.Net;
using System.Net.Sockets;
using CsCheck;
using FailoverHub.Agent.Vantage;
using FailoverHub.Agent.Vantage.Echoes;

namespace FailoverHub.Agent.Tests.Vantage;

public sealed class IcmpEchoTests
{
    /// <summary>The example of RFC 1071, section 3.</summary>
    [Fact]
    public void Checksum_IsThatOfRfc1071()
    {
        Assert.Equal(unchecked((ushort)~0xddf2), IcmpEcho.Checksum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]));
        Assert.Equal(0xFFFF, IcmpEcho.Checksum([0, 0]));
        Assert.Equal(0, IcmpEcho.Checksum([0xFF, 0xFF, 0xFF, 0xFF]));
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork, 8, 0)]
    [InlineData(AddressFamily.InterNetworkV6, 128, 129)]
    public void Request_ComesBackAsAReply(AddressFamily family, byte request, byte reply)
    {
        var packet = IcmpEcho.Request(family, 0x1234, 0x0102030405060708);
        Assert.Equal([request, 0], packet[..2]);
        Assert.Equal([0x12, 0x34, 0x07, 0x08, 1, 2, 3, 4, 5, 6, 7, 8], packet[4..]);
        Assert.Null(IcmpEcho.NumberOf(packet, family, raw: false));

        packet[0] = reply;

        Assert.Equal(0x0102030405060708ul, IcmpEcho.NumberOf(packet, family, raw: false));
        Assert.Equal(0x0102030405060708ul, IcmpEcho.NumberOf(family == AddressFamily.InterNetwork ? [0x46, .. new byte[23], .. packet] : packet, family, raw: true));
    }

    [Fact]
    public void Request_OfIpv4_SumsToZero() => Assert.Equal(0, IcmpEcho.Checksum(IcmpEcho.Request(AddressFamily.InterNetwork, 0xFFFF, ulong.MaxValue - 3)));

    [Fact]
    public void NothingCame_WhileTheKernelThrewRepliesAway_IsNoLossOfTheAddress()
    {
        Assert.Equal(ProbeOutcome.Lost(""), IcmpSocket.OfSilence(7, 7));
        Assert.Null(IcmpSocket.OfSilence(7, 8).RoundTrip);
        Assert.StartsWith("this node threw replies away", IcmpSocket.OfSilence(uint.MaxValue, 0).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void RandomBytes_AreNeverAReason() =>
        Gen.Select(Gen.Byte.Array[0, 80], Gen.Bool, Gen.Bool).Sample((bytes, raw, six) =>
        {
            IcmpEcho.NumberOf(bytes, six ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, raw);
        });

    /// <summary>Each reply goes to who asked; where this machine permits no such socket, that is said.</summary>
    [Theory]
    [InlineData(SocketType.Raw, "127.0.0.1")]
    [InlineData(SocketType.Raw, "::1")]
    [InlineData(SocketType.Dgram, "127.0.0.1")]
    [InlineData(SocketType.Dgram, "::1")]
    public async Task Socket_OfEitherKind_TakesItsOwnReplies(SocketType kind, string text)
    {
        var address = IPAddress.Parse(text);
        var cancellation = TestContext.Current.CancellationToken;
        var (one, problem) = IcmpSocket.Open(address.AddressFamily, [kind], TimeProvider.System);
        var (other, _) = IcmpSocket.Open(address.AddressFamily, [kind], TimeProvider.System);
        if (one is null || other is null)
        {
            Assert.NotEmpty(problem!);
            return;
        }

        await using var first = one;
        await using var second = other;
        Assert.Equal(kind == SocketType.Raw, first.IsRaw);
        try
        {
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => (number % 2 == 0 ? first : second).AskAsync(address, TimeSpan.FromSeconds(20), cancellation)));
            Assert.All(outcomes, outcome => Assert.True(outcome.RoundTrip > TimeSpan.Zero));
        }
        catch (SocketException) when (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            // A machine without ::1 has the socket all the same, and says at the sending that there is no way.
        }
    }
}
