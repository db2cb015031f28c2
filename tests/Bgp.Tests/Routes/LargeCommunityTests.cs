using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Tests.Session;

namespace FailoverHub.Bgp.Tests.Routes;

// RFC 8092.
public sealed class LargeCommunityTests
{
    private static readonly LargeCommunity One = new(4200000001, 1, 2);
    private static readonly LargeCommunity Two = new(65000, 0, uint.MaxValue);

    [Theory]
    [InlineData("4200000001:1:2", true)]
    [InlineData("0:0:0", true)]
    [InlineData("4294967295:4294967295:4294967295", true)]
    [InlineData("4294967296:0:0", false)]
    [InlineData("65000:1", false)]
    [InlineData("65000:1:2:3", false)]
    [InlineData("65000:01:2", false)]
    [InlineData("65000: 1:2", false)]
    [InlineData("-1:1:2", false)]
    [InlineData("1::2", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Text_IsReadOnlyInItsCanonicalForm(string? text, bool valid)
    {
        Assert.Equal(valid, LargeCommunity.TryParse(text, out var community));
        Assert.Equal(valid ? text : "0:0:0", community.ToString());
    }

    [Fact]
    public void Announcement_CarriesThem_InOrderAndEachOnce()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Announce(Announcements.Ipv4() with { LargeCommunities = [One, Two, One] });

        Assert.Equal([Two, One], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.LargeCommunities);
    }

    [Fact]
    public void TheSameSetInAnotherOrder_SendsNothing_AndAnotherSetDoes()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4() with { LargeCommunities = [One, Two] });

        neighbor.Announce(Announcements.Ipv4() with { LargeCommunities = [Two, One, Two] });
        Assert.Empty(neighbor.Sent<UpdateMessage>());

        neighbor.Announce(Announcements.Ipv4() with { LargeCommunities = [Two] });
        Assert.Equal([Two], Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.LargeCommunities);
    }

    [Fact]
    public void RoutesWithDifferentOnes_DoNotShareAnUpdate()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Announce(Announcements.Ipv4() with { LargeCommunities = [One] }, Announcements.Ipv4(prefix: "203.0.113.58/32"));

        Assert.Equal(2, neighbor.Sent<UpdateMessage>().Count);
    }

    [Fact]
    public void AsManyAsAreSent_LeaveRoomForPrefixes()
    {
        var communities = Enumerable.Range(0, 255).Select(i => new Community(65000, (ushort)i));
        var large = Enumerable.Range(0, 128).Select(i => new LargeCommunity(65000, 0, (uint)i)).ToList();
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Announce(Announcements.Ipv6() with { Communities = [.. communities], LargeCommunities = [.. large] });

        Assert.Equal(large, Assert.Single(neighbor.Sent<UpdateMessage>()).Attributes.LargeCommunities);
        Assert.Throws<ArgumentException>(() => neighbor.Announce(Announcements.Ipv6() with { LargeCommunities = [.. large, One] }));
    }

    [Fact]
    public void GracefulShutdown_IsTheWellKnownCommunity() => Assert.Equal("65535:0", Community.GracefulShutdown.ToString());
}
