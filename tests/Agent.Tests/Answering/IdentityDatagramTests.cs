using System.Net;
using FailoverHub.Agent.Answering;

namespace FailoverHub.Agent.Tests.Answering;

/// <summary>The octets were computed by Python's hmac, from the drawing.</summary>
public sealed class IdentityDatagramTests
{
    private const string Ipv4Request = "464851316465666768696a6b6c6d6e6f7071727300000000000000000000ffffcb00710a6f43892fcc4b8e67c94d7d476bfc7cba6ee0adb0487d51111a8084bd7221040b";
    private const string Ipv4Answer = "464841316465666768696a6b6c6d6e6f7071727346e9263631b7fdc7fb4113ac80f5066a2a7e01bbbc84c2ec59a14cc65e49a1650d30313938633064652d6e6f6465";
    private const string Ipv6Request = "464851316465666768696a6b6c6d6e6f7071727320010db8e0011b8c0000000000000001f0073ce51c2a403344a2559c0b640f0824804465278c87402bb0b59a903e703c";
    private const string Ipv6Answer = "464841316465666768696a6b6c6d6e6f70717273073019d850252a4c36fb7cee1b78dcb532fdca97b606d9ff21e9e86d5ee0cd330d30313938633064652d6e6f6465";

    private static readonly IdentityGrant _grant = Grant("0198c0de-node");

    [Theory]
    [InlineData("203.0.113.10", Ipv4Request, Ipv4Answer)]
    [InlineData("2001:db8:e001:1b8c::1", Ipv6Request, Ipv6Answer)]
    public void Request_IsAnswered_AsTheVectorsHaveIt(string address, string asked, string answered)
    {
        var request = Padded(asked);
        var answer = new byte[IdentityDatagram.LongestAnswer];

        Assert.True(IdentityDatagram.IsFor(request, IPAddress.Parse(address)));
        Assert.True(IdentityDatagram.IsFromTheHub(request, _grant));
        var length = IdentityDatagram.Answer(request, _grant, answer);

        Assert.Equal(answered, Convert.ToHexStringLower(answer.AsSpan(0, length)));
    }

    [Fact]
    public void LongestLabel_IsStillShorterThanWhatAsksForIt()
    {
        var answer = new byte[IdentityDatagram.LongestAnswer];

        var length = IdentityDatagram.Answer(Padded(Ipv4Request), Grant(new string('n', 63)), answer);

        Assert.Equal(IdentityDatagram.LongestAnswer, length);
        Assert.True(length < IdentityDatagram.RequestSize);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(68)]
    [InlineData(127)]
    [InlineData(129)]
    public void OtherLength_IsNoRequest(int length)
    {
        var datagram = new byte[length];
        Padded(Ipv4Request).AsSpan(0, Math.Min(length, 128)).CopyTo(datagram);

        Assert.False(IdentityDatagram.IsFor(datagram, IPAddress.Parse("203.0.113.10")));
    }

    [Fact]
    public void ForAnotherAddress_IsNotForThis() => Assert.False(IdentityDatagram.IsFor(Padded(Ipv4Request), IPAddress.Parse("203.0.113.11")));

    /// <summary>Each octet that is signed, and each of the digest.</summary>
    [Fact]
    public void AnyOctetIsAnother_ItIsNotFromTheHub()
    {
        for (var at = 0; at < 68; at++)
        {
            var request = Padded(Ipv4Request);
            request[at] ^= 1;
            Assert.False(IdentityDatagram.IsFromTheHub(request, _grant));
        }
    }

    [Fact]
    public void RandomOctets_AreNeverTaken_AndNeverAFault()
    {
        var random = new Random(20261130);
        for (var round = 0; round < 20_000; round++)
        {
            var datagram = new byte[random.Next(0, 140)];
            random.NextBytes(datagram);
            if (round % 2 == 0 && datagram.Length >= 4)
            {
                "FHQ1"u8.CopyTo(datagram);
            }

            Assert.False(IdentityDatagram.IsFor(datagram, IPAddress.Loopback));
            Assert.False(datagram.Length >= 68 && IdentityDatagram.IsFromTheHub(datagram, _grant));
        }
    }

    [Theory]
    [InlineData("", 32, 32)]
    [InlineData("two words", 32, 32)]
    [InlineData("node", 31, 32)]
    [InlineData("node", 32, 33)]
    public void NoGrant_IsMadeOfWhatIsNone(string label, int answerKey, int askKey) => Assert.Null(IdentityGrant.Of(label, new byte[answerKey], new byte[askKey]));

    [Fact]
    public void Grant_IsNeverWrittenOut() => Assert.Equal("0198c0de-node", _grant.ToString());

    internal static IdentityGrant Grant(string label) =>
        IdentityGrant.Of(label, [.. Enumerable.Range(32, 32).Select(octet => (byte)octet)], [.. Enumerable.Range(0, 32).Select(octet => (byte)octet)])!;

    private static byte[] Padded(string octets)
    {
        var request = new byte[IdentityDatagram.RequestSize];
        Convert.FromHexString(octets).CopyTo(request, 0);
        return request;
    }
}
