using System.Net;
using CsCheck;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Addresses.Netlink;

namespace FailoverHub.Agent.Tests.Addresses.Netlink;

public sealed class NetlinkParserTests
{
    private const uint Captured = 1;

    [Fact]
    public void Links_AreReadAsTheKernelSaidThem()
    {
        var messages = CapturedBytes.Links.SelectMany(datagram => NetlinkParser.Parse(datagram).Messages).ToList();

        Assert.Equal(
            [
                new NetlinkMessage.Link(Captured, false, 1, "lo", LinkFlags.Up | LinkFlags.Loopback, 0),
                new NetlinkMessage.Link(Captured, false, 3, "v0", LinkFlags.Up, 0x02005e100001),
                new NetlinkMessage.Done(Captured, 0),
            ],
            messages.Where(message => message is not NetlinkMessage.Link { Name: "v1" }));
    }

    [Fact]
    public void Addresses_AreReadAsTheKernelSaidThem()
    {
        var addresses = CapturedBytes.Addresses.SelectMany(datagram => NetlinkParser.Parse(datagram).Messages).OfType<NetlinkMessage.Address>().ToList();

        Assert.Equal(
            [
                "1 127.0.0.1/8 Permanent",
                "1 203.0.113.10/32 Permanent",
                "1 2001:db8:e001:1b8c::1/64 Permanent",
                "1 ::1/128 Permanent",
                "3 192.0.2.5/24 Permanent",
                "3 198.51.100.1/32 Permanent",
                "3 2001:db8:5::9/64 None",
                "3 2001:db8:6::9/64 Permanent, ManagesTemporary",
                "3 2001:db8:7::9/64 Tentative, Permanent",
                "3 fe80::5eff:fe10:1/64 Permanent",
            ],
            addresses.Where(address => address.Index != 2).OrderBy(address => address.Index).ThenBy(address => address.Ip.AddressFamily).ThenBy(address => address.Ip.ToString() == "::1").ThenBy(address => address.Ip.ToString(), StringComparer.Ordinal)
                .Select(address => $"{address.Index} {address.Ip}/{address.PrefixLength} {address.Flags}"));
        Assert.All(addresses, address => Assert.False(address.IsRemoved));
    }

    [Fact]
    public void Events_AreReadAsTheKernelSaidThem()
    {
        var added = Assert.IsType<NetlinkMessage.Address>(Assert.Single(NetlinkParser.Parse(CapturedBytes.Added).Messages));
        var removed = Assert.IsType<NetlinkMessage.Address>(Assert.Single(NetlinkParser.Parse(CapturedBytes.Removed).Messages));
        var down = Assert.IsType<NetlinkMessage.Link>(Assert.Single(NetlinkParser.Parse(CapturedBytes.SetDown).Messages));

        Assert.Equal((false, IPAddress.Parse("203.0.113.11"), 32), (added.IsRemoved, added.Ip, added.PrefixLength));
        Assert.Equal((true, IPAddress.Parse("203.0.113.11"), 32), (removed.IsRemoved, removed.Ip, removed.PrefixLength));
        Assert.Equal(("v0", LinkFlags.None, 0x02005e100001u), (down.Name, down.Flags, down.Hardware));
    }

    [Fact]
    public void CutOffAnywhere_IsNotWhole()
    {
        foreach (var datagram in (byte[][])[.. CapturedBytes.Links, .. CapturedBytes.Addresses, CapturedBytes.Added])
        {
            var ends = MessageEnds(datagram);
            for (var length = 1; length < datagram.Length; length++)
            {
                Assert.Equal(ends.Contains(length), NetlinkParser.Parse(datagram.AsSpan(0, length)).IsWhole);
            }
        }
    }

    [Fact]
    public void Interrupted_IsSaid()
    {
        var datagram = CapturedBytes.Addresses[0].ToArray();
        Assert.False(NetlinkParser.Parse(datagram).IsInterrupted);
        datagram[6] |= 0x10;

        Assert.True(NetlinkParser.Parse(datagram).IsInterrupted);
    }

    [Fact]
    public void AnyBytes_AreTakenWithoutAnException() =>
        Gen.Byte.Array[0, 200].Sample(bytes => _ = NetlinkParser.Parse(bytes));

    [Fact]
    public void CapturedBytesWithSomeOthersAmongThem_AreTakenWithoutAnException_AndNothingThatCannotBeComesOut()
    {
        var datagrams = (byte[][])[.. CapturedBytes.Links, .. CapturedBytes.Addresses, CapturedBytes.Added, CapturedBytes.SetDown];
        Gen.Select(Gen.Int[0, datagrams.Length - 1], Gen.Select(Gen.Int[0, 4095], Gen.Byte).Array[1, 8]).Sample((which, changes) =>
        {
            var datagram = datagrams[which].ToArray();
            foreach (var (at, value) in changes)
            {
                datagram[at % datagram.Length] = value;
            }

            foreach (var address in NetlinkParser.Parse(datagram).Messages.OfType<NetlinkMessage.Address>())
            {
                Assert.InRange(address.PrefixLength, 0, address.Ip.GetAddressBytes().Length * 8);
            }
        });
    }

    [Theory]
    [InlineData("203.0.113.10", 32)]
    [InlineData("2001:db8:e001:1b8c::1", 64)]
    [InlineData("2001:db8:e002:1b00::1", 56)]
    public void RequestToAdd_ReadsAsWhatTheKernelWillSay(string ip, int length)
    {
        var request = NetlinkRequest.Add(7, 3, new SharedAddress(IPAddress.Parse(ip), length));

        var address = Assert.IsType<NetlinkMessage.Address>(Assert.Single(NetlinkParser.Parse(request).Messages));
        Assert.Equal((7u, false, 3, IPAddress.Parse(ip), length), (address.Sequence, address.IsRemoved, address.Index, address.Ip, address.PrefixLength));
    }

    // All of the kernel's messages here are multiples of four.
    private static HashSet<int> MessageEnds(byte[] datagram)
    {
        var ends = new HashSet<int>();
        for (var at = 0; at < datagram.Length; at += BitConverter.ToInt32(datagram, at))
        {
            ends.Add(at);
        }

        return ends;
    }
}
