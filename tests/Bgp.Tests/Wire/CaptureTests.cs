using System.Net;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Tests.Wire;

// What other daemons wrote, read by us and written again.
public sealed class CaptureTests
{
    public static TheoryData<string> Files => new(CapturedMessages.All.Select(message => message.File).Distinct());

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryCapturedMessage_IsReadWithoutComplaint_AndMeansTheSameWhenWrittenByUs(string file)
    {
        Assert.NotEmpty(CapturedMessages.From(file));
        foreach (var captured in CapturedMessages.From(file))
        {
            var message = Codec.Decode(captured.Bytes, Codec.FourOctets);
            Assert.Equal(captured.Type, message.Type == BgpMessageType.RouteRefresh ? "ROUTE-REFRESH" : message.Type.ToString().ToUpperInvariant());
            Assert.Equal(MessageText.Of(message), MessageText.Of(Codec.Decode(Codec.Encode(message))));
        }
    }

    [Fact]
    public void Bird_EveryMessageOfItsSession_IsWrittenByUsToTheSameBytes()
    {
        foreach (var captured in CapturedMessages.From("bird"))
        {
            Assert.Equal(Convert.ToHexString(captured.Bytes), Convert.ToHexString(Codec.Encode(Codec.Decode(captured.Bytes))));
        }
    }

    [Fact]
    public void Vendor_OpenKeepaliveAndWithdrawal_AreWrittenByUsToTheSameBytes()
    {
        // Its announcements have MP_REACH_NLRI last; ours have it first (RFC 7606 5.1) and are otherwise equal: the test above.
        var same = CapturedMessages.From("vendor-equivalent").Where(captured => captured.Type != "UPDATE" || captured.Bytes.Length == 28).ToList();
        Assert.Equal(["OPEN", "KEEPALIVE", "UPDATE"], same.Select(captured => captured.Type).Distinct());
        foreach (var captured in same)
        {
            Assert.Equal(Convert.ToHexString(captured.Bytes), Convert.ToHexString(Codec.Encode(Codec.Decode(captured.Bytes))));
        }
    }

    [Fact]
    public void VendorOpen_SaysWhatThePlatformFactsSay()
    {
        var open = Assert.IsType<OpenMessage>(Codec.Decode(CapturedMessages.From("vendor-equivalent").First(captured => captured.Type == "OPEN").Bytes));

        Assert.Equal(
            "OPEN v4 as=65001 hold=9 id=0a000001 [refresh 73:02766D00 mp:1/1 mp:2/1 as4:65001 enh:1/1/2]",
            MessageText.Of(open));
    }

    [Fact]
    public void VendorUpdate_Ipv4WithIpv6NextHop_IsReadWithEveryAttribute()
    {
        var update = Assert.IsType<UpdateMessage>(Codec.Decode(CapturedMessages.From("vendor-equivalent").First(captured => captured.Type == "UPDATE").Bytes));

        Assert.Equal(Origin.Incomplete, update.Attributes.Origin);
        Assert.Equal([65001u], Assert.Single(update.Attributes.AsPath!.Value).AsNumbers);
        Assert.Equal([new Community(65000, 1)], update.Attributes.Communities);
        Assert.Equal(IPAddress.Parse("fd00:10:34::1"), update.Attributes.MpReach!.NextHop);
        Assert.Equal([IPNetwork.Parse("203.0.113.57/32")], update.Attributes.MpReach.Prefixes);
    }

    [Fact]
    public void FrrOpen_CapabilitiesInManyParameters_AreAllRead()
    {
        var open = Assert.IsType<OpenMessage>(Codec.Decode(CapturedMessages.From("frr").First(captured => captured.Type == "OPEN").Bytes));

        Assert.Contains(new Capability.FourOctetAs(65001), open.Capabilities);
        Assert.Contains(Capability.RouteRefresh.Instance, open.Capabilities);
        Assert.Contains(Capability.ExtendedMessage.Instance, open.Capabilities);
        Assert.Contains(Capability.EnhancedRouteRefresh.Instance, open.Capabilities);
        Assert.Equal(120, Assert.Single(open.Capabilities.OfType<Capability.GracefulRestart>()).RestartTimeSeconds);
        Assert.Equal([1, 5, 128, 2, 70, 65, 6, 69, 73, 64, 71], open.Capabilities.Select(CodeOf));
    }

    private static int CodeOf(Capability capability) => capability switch
    {
        Capability.Multiprotocol => 1,
        Capability.RouteRefresh => 2,
        Capability.ExtendedNextHop => 5,
        Capability.ExtendedMessage => 6,
        Capability.GracefulRestart => 64,
        Capability.FourOctetAs => 65,
        Capability.EnhancedRouteRefresh => 70,
        Capability.Other other => other.Code,
        _ => throw new ArgumentOutOfRangeException(nameof(capability)),
    };
}
