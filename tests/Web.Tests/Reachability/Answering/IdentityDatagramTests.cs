using System.Net;
using FailoverHub.Web.Reachability.Answering;

namespace FailoverHub.Web.Tests.Reachability.Answering;

/// <summary>The octets were computed by Python's hmac, from docs/identity-requests.md; the agent's tests have the same.</summary>
public sealed class IdentityDatagramTests
{
    private const string Ipv4Request = "464851316465666768696a6b6c6d6e6f7071727300000000000000000000ffffcb00710a6f43892fcc4b8e67c94d7d476bfc7cba6ee0adb0487d51111a8084bd7221040b";
    private const string Ipv4Answer = "464841316465666768696a6b6c6d6e6f7071727346e9263631b7fdc7fb4113ac80f5066a2a7e01bbbc84c2ec59a14cc65e49a1650d30313938633064652d6e6f6465";
    private const string Ipv6Request = "464851316465666768696a6b6c6d6e6f7071727320010db8e0011b8c0000000000000001f0073ce51c2a403344a2559c0b640f0824804465278c87402bb0b59a903e703c";
    private const string Ipv6Answer = "464841316465666768696a6b6c6d6e6f70717273073019d850252a4c36fb7cee1b78dcb532fdca97b606d9ff21e9e86d5ee0cd330d30313938633064652d6e6f6465";

    private static readonly byte[] AskKey = [.. Enumerable.Range(0, 32).Select(n => (byte)n)];
    private static readonly byte[] AnswerKey = [.. Enumerable.Range(32, 32).Select(n => (byte)n)];
    private static readonly Nonce Nonce = Nonce.Read([.. Enumerable.Range(100, 16).Select(n => (byte)n)]);

    [Theory]
    [InlineData("203.0.113.10", Ipv4Request)]
    [InlineData("2001:db8:e001:1b8c::1", Ipv6Request)]
    public void Request_IsAsTheVectorsHaveIt_AndPadded(string address, string octets)
    {
        byte[] request = IdentityDatagram.Request(Nonce, IPAddress.Parse(address), AskKey);

        Assert.Equal(octets + new string('0', 120), Convert.ToHexStringLower(request));
    }

    [Theory]
    [InlineData("203.0.113.10", Ipv4Answer)]
    [InlineData("2001:db8:e001:1b8c::1", Ipv6Answer)]
    public void Answer_IsRead_AndIsTrueByTheKeyOfThatNodeAndForThatAddressAlone(string address, string octets)
    {
        Assert.True(IdentityDatagram.TryRead(Convert.FromHexString(octets), out ClaimedAnswer answer));

        Assert.Equal((Nonce, "0198c0de-node"), (answer.Nonce, answer.Label));
        Assert.True(IdentityDatagram.IsTrue(answer, IPAddress.Parse(address), AnswerKey));
        Assert.False(IdentityDatagram.IsTrue(answer, IPAddress.Parse(address), AskKey));
        Assert.False(IdentityDatagram.IsTrue(answer, IPAddress.Parse("203.0.113.11"), AnswerKey));
        Assert.False(IdentityDatagram.IsTrue(answer with { Label = "0198c0de-nodf" }, IPAddress.Parse(address), AnswerKey));
    }

    [Fact]
    public void AnyOctetIsAnother_ItIsNoAnswer_OrNotTrue()
    {
        for (int at = 0; at < Ipv4Answer.Length / 2; at++)
        {
            byte[] octets = Convert.FromHexString(Ipv4Answer);
            octets[at] ^= 1;
            Assert.False(IdentityDatagram.TryRead(octets, out ClaimedAnswer answer) && IdentityDatagram.IsTrue(answer, IPAddress.Parse("203.0.113.10"), AnswerKey));
        }
    }

    [Fact]
    public void RandomOctets_AreNeverAFault()
    {
        var random = new Random(20261130);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] octets = new byte[random.Next(0, 130)];
            random.NextBytes(octets);
            if (round % 2 == 0 && octets.Length > 53)
            {
                "FHA1"u8.CopyTo(octets);
                octets[52] = (byte)(octets.Length - 53);
            }

            Assert.False(IdentityDatagram.TryRead(octets, out ClaimedAnswer answer) && IdentityDatagram.IsTrue(answer, IPAddress.Loopback, AnswerKey));
        }
    }
}
