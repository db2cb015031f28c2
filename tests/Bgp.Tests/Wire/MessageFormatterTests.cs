using System.Net;
using CsCheck;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire;

// What an operator reads in a trace.
public sealed class MessageFormatterTests
{
    private const string Marker = "ffffffffffffffffffffffffffffffff";

    [Theory]
    [InlineData("0013 04", "KEEPALIVE")]
    [InlineData("0017 02 0000 0000", "UPDATE End-of-RIB IPv4")]
    [InlineData("001d 02 0000 0006 800f03 000201", "UPDATE End-of-RIB IPv6")]
    [InlineData("001d 02 0000 0006 800f03 001946", "UPDATE of nothing that was agreed on; attributes not shown: MP_UNREACH_NLRI")]
    [InlineData("0017 05 0002 00 01", "ROUTE-REFRESH IPv6")]
    [InlineData("0017 05 0001 01 01", "ROUTE-REFRESH begins IPv4")]
    [InlineData("0017 05 0001 02 01", "ROUTE-REFRESH ends IPv4")]
    [InlineData("0017 05 0019 07 46", "ROUTE-REFRESH of subtype 7 family 25/70")]
    [InlineData("0015 03 0602", "NOTIFICATION Cease/Administrative Shutdown (6/2)")]
    [InlineData("0019 03 0602 03 627965", "NOTIFICATION Cease/Administrative Shutdown (6/2) \"bye\"")]
    [InlineData("001b 03 0609 0602 03 627965", "NOTIFICATION Cease/Hard Reset: Cease/Administrative Shutdown (6/2) \"bye\"")]
    [InlineData("0017 03 0206 0001", "NOTIFICATION OPEN Message Error/Unacceptable Hold Time (2/6), data 0001")]
    [InlineData("001d 01 04 fde9 0009 0a000001 00", "OPEN version 4, AS 65001, hold time 9 s, id 10.0.0.1, capabilities: none")]
    [InlineData("0014 01 04", "OPEN, cannot be read: the OPEN is cut short (OPEN Message Error); 1 octets: 04")]
    [InlineData("0014 09 ab", "message of type 9, cannot be read: there is no such message; 1 octets: ab")]
    [InlineData("0014 04 ab", "KEEPALIVE, cannot be read: there is no such message; 1 octets: ab")]
    public void Message_OnOneLine(string hex, string text) =>
        Assert.Equal(text, MessageFormatter.Describe(Codec.Hex(Marker + hex).AsSpan(), Codec.FourOctets with { EnhancedRouteRefresh = true }));

    [Fact]
    public void CapturedOpens_SayWhatTheirDaemonsOffer()
    {
        Assert.Equal(
            "OPEN version 4, AS 65001, hold time 9 s, id 10.0.0.1, capabilities: route refresh, code 73 02766d00, IPv4, IPv6, four-octet AS 65001, "
            + "next hops of another family for IPv4 over IPv6",
            MessageFormatter.Describe(CapturedMessages.From("vendor-equivalent").First(captured => captured.Type == "OPEN").Bytes, default));
        var frr = MessageFormatter.Describe(CapturedMessages.From("frr").First(captured => captured.Type == "OPEN").Bytes, default);
        Assert.Contains("enhanced route refresh", frr, StringComparison.Ordinal);
        Assert.Contains("extended messages", frr, StringComparison.Ordinal);
        Assert.Contains("graceful restart 120 s", frr, StringComparison.Ordinal);
    }

    [Fact]
    public void Update_NamesRoutesAndEveryAttribute()
    {
        var update = new UpdateMessage
        {
            Announced = [IPNetwork.Parse("192.0.2.1/32")],
            Withdrawn = [IPNetwork.Parse("198.51.100.0/24")],
            Attributes = new PathAttributes
            {
                Origin = Origin.Incomplete,
                AsPath = [new AsPathSegment(AsPathSegmentType.Sequence, [65001, 65002]), new AsPathSegment(AsPathSegmentType.Set, [1, 2])],
                NextHop = IPAddress.Parse("192.0.2.9"),
                MultiExitDisc = 7,
                LocalPref = 100,
                AtomicAggregate = true,
                Aggregator = new Aggregator(65001, 0x0a000001),
                Communities = [new Community(65000, 1), Community.GracefulShutdown],
                OriginatorId = 0x0a000002,
                ClusterList = [1, 2],
                ExtendedCommunities = [0x0002fde800000001, 0x0103c00002010007, 0x02020001000a0007, 0x030b000000000001],
                Ipv6ExtendedCommunities = [new Ipv6ExtendedCommunity(0, 2, IPAddress.Parse("2001:db8::1"), 9)],
                PmsiTunnel = new PmsiTunnel(0, 6, 0x100, new byte[] { 10, 0, 0, 1 }),
                Tunnels = [new Tunnel(8, [new TunnelSubTlv(1, new byte[2])])],
                TrafficEngineering = new byte[36],
                Aigp = 55,
                LargeCommunities = [new LargeCommunity(65000, 1, 2)],
                OnlyToCustomer = 65003,
                AttributeSet = new AttributeSet(65004, new PathAttributes { Origin = Origin.Igp, LocalPref = 5 }),
                Other = [new OtherAttribute(0xc0, 254, new byte[] { 1, 2 })],
            },
        };

        Assert.Equal(
            "UPDATE announces 192.0.2.1/32; withdraws 198.51.100.0/24; ORIGIN INCOMPLETE, AS_PATH 65001 65002 {1 2}, NEXT_HOP 192.0.2.9, MULTI_EXIT_DISC 7, "
            + "LOCAL_PREF 100, ATOMIC_AGGREGATE, AGGREGATOR AS 65001 10.0.0.1, COMMUNITIES 65000:1 graceful-shutdown, ORIGINATOR_ID 10.0.0.2, "
            + "CLUSTER_LIST 0.0.0.1 0.0.0.2, EXTENDED_COMMUNITIES rt:65000:1 soo:192.0.2.1:7 rt:65546:7 030b000000000001, "
            + "PMSI_TUNNEL type 6 label 16 identifier 0a000001, TUNNEL_ENCAPSULATION type 8 (1 sub-TLVs), "
            + "TRAFFIC_ENGINEERING 000000000000000000000000000000000000000000000000... (36 octets), IPV6_EXTENDED_COMMUNITIES 0002:[2001:db8::1]:9, AIGP 55, "
            + "LARGE_COMMUNITY 65000:1:2, ONLY_TO_CUSTOMER AS 65003, ATTR_SET of AS 65004 (ORIGIN IGP, LOCAL_PREF 5), attribute 254 0102",
            MessageFormatter.Describe(Codec.Encode(update, Codec.Internal), Codec.Internal));
    }

    [Fact]
    public void Update_OfManyPrefixes_NamesTenAndCountsTheRest()
    {
        var update = new UpdateMessage { Withdrawn = [.. Enumerable.Range(0, 500).Select(i => IPNetwork.Parse($"10.{i / 256}.{i % 256}.0/24"))] };

        var text = MessageFormatter.Describe(Codec.Encode(update), Codec.FourOctets);

        Assert.StartsWith("UPDATE withdraws 10.0.0.0/24 10.0.1.0/24 ", text, StringComparison.Ordinal);
        Assert.EndsWith("10.0.9.0/24 and 490 more", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Update_WithAnError_SaysWhatFollows()
    {
        const string Broken = "0035 02 0000 0019 40010102 400206 0201 0000fde9 400304 c0000209 c00803 fde800 20 c0000201";

        var text = MessageFormatter.Describe(Codec.Hex(Marker + Broken.Replace("0035", "0036", StringComparison.Ordinal).Replace("0019", "001a", StringComparison.Ordinal)).AsSpan(), Codec.FourOctets);

        Assert.Equal(
            "UPDATE announces 192.0.2.1/32; ORIGIN INCOMPLETE, AS_PATH 65001, NEXT_HOP 192.0.2.9; counts as withdrawal: COMMUNITIES cannot be 3 octets long; attributes not shown: COMMUNITIES", text);
    }

    [Fact]
    public void Update_NamesWhatItDoesNotShow()
    {
        // Behind the mandatory ones: an optional one that nobody knows, AS4_PATH where AS numbers have four octets anyway, and a second ORIGIN.
        const string Hidden = "0049 02 0000 002d 40010102 400206 0201 0000fde9 400304 c0000209 80c802 0102 c01106 0201 fa56ea01 40010100 c00804 fde80001 20 c0000201";

        Assert.EndsWith("COMMUNITIES 65000:1; but ORIGIN is there twice, the first counts; attributes not shown: 200, AS4_PATH, ORIGIN", MessageFormatter.Describe(Codec.Hex(Marker + Hidden).AsSpan(), Codec.FourOctets), StringComparison.Ordinal);
    }

    [Fact]
    public void AnyBytes_AreOneBoundedLineAndNoException() =>
        Gen.OneOf(
            Gen.Byte.Array[0, 200],
            Gen.Select(Generators.Message, Gen.Select(Gen.Int[0, 4095], Gen.Byte).Array[0, 3], (message, changes) =>
            {
                var bytes = Codec.Encode(message);
                foreach (var (at, value) in changes)
                {
                    bytes[at % bytes.Length] = value;
                }

                return bytes;
            })).Sample(
            bytes =>
            {
                foreach (var context in (UpdateContext[])[Codec.FourOctets, Codec.TwoOctets, Codec.Internal, default])
                {
                    var text = MessageFormatter.Describe(bytes, context);
                    Assert.InRange(text.Length, 1, 8000);
                    Assert.DoesNotContain(text, char.IsControl);
                }
            },
            iter: 5000);
}
