using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Tests.Session;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Routes;

// A role change of many prefixes is one buffer and next to nothing else: garbage made at that moment is what would make a keepalive late.
public sealed class BatchAllocationTests
{
    private const int Count = 10_000;

    [Theory]
    [InlineData("10.0.0.1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("fd00::1", true)]
    public void ThousandsOfPrefixes_AreOneBufferAndLittleElse(string local, bool extended)
    {
        var rib = new AdjRibOut();
        rib.Open(Context(local, extended));
        var primary = Enumerable.Range(0, Count).Select(i => Announcements.Ipv4(prefix: $"10.{i / 256}.{i % 256}.1/32")).ToArray();
        var secondary = primary.Select(one => one with { Communities = [Announcements.Secondary] }).ToArray();
        // The least of several times counts: the pools are warm after the first, and any collection may empty them.
        ReadOnlyMemory<byte> bytes = default;
        var allocated = long.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            rib.SetDesired([.. secondary]);
            _ = rib.WriteChanges();
            rib.SetDesired([.. primary]);
            var before = GC.GetAllocatedBytesForCurrentThread();
            bytes = rib.WriteChanges();
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(bytes.Length, Count * 5, Count * 5 * 1.03);
        Assert.InRange(allocated, bytes.Length, (bytes.Length * 1.03) + 4000);
    }

    [Fact]
    public void KeepaliveReadAndWritten_AllocatesNothing()
    {
        var framer = new MessageFramer();
        ReadOnlySpan<byte> warm = MessageCodec.Keepalive.Span;
        Assert.True(framer.TryNext(ref warm, out _, out _));

        var read = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            // In two pieces, and whole.
            ReadOnlySpan<byte> piece = MessageCodec.Keepalive.Span[..7];
            read += framer.TryNext(ref piece, out _, out _) ? 1 : 0;
            piece = MessageCodec.Keepalive.Span[7..];
            read += framer.TryNext(ref piece, out var type, out _) && type == BgpMessageType.Keepalive ? 1 : 0;
            piece = MessageCodec.Keepalive.Span;
            read += framer.TryNext(ref piece, out _, out _) ? 1 : 0;
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(2000, read);
        Assert.Equal(0, allocated);
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("fd00::1")]
    public void ManyKindsOfRoutes_MixedUp_AreGroupedAndKeepTheirOrder(string local)
    {
        var rib = new AdjRibOut();
        rib.Open(Context(local, extended: false));
        var all = Enumerable.Range(0, 3000).Select(i => i % 7 == 0
            ? Announcements.Ipv6(new Community(65000, (ushort)(i % 5)), $"2001:db8:{i:x}::/48")
            : Announcements.Ipv4(new Community(65000, (ushort)(i % 5)), $"10.{i / 256}.{i % 256}.1/32")).ToArray();

        rib.SetDesired([.. all]);
        var updates = Updates(rib.WriteChanges());

        var announced = updates.SelectMany(update => update.Announced.Concat(update.Attributes.MpReach?.Prefixes ?? [])
            .Select(prefix => (prefix, Assert.Single(update.Attributes.Communities)))).ToList();
        var expected = all.GroupBy(one => (one.Family, one.Communities[0])).SelectMany(group => group.Select(one => (one.Prefix, one.Communities[0])));
        Assert.Equal(expected, announced);

        rib.SetDesired([]);
        var withdrawn = Updates(rib.WriteChanges()).SelectMany(update => update.Withdrawn.Concat(update.Attributes.MpUnreach?.Prefixes ?? []));
        Assert.Equal(all.Select(one => one.Prefix).OrderBy(prefix => prefix.ToString()), withdrawn.OrderBy(prefix => prefix.ToString()));
        Assert.True(rib.WriteWithdrawAll().IsEmpty);
    }

    private static List<UpdateMessage> Updates(ReadOnlyMemory<byte> bytes) =>
        Wire.Codec.DecodeAll(bytes.Span).Select(decoded => decoded.Message).Cast<UpdateMessage>().ToList();

    private static AdvertisingContext Context(string local, bool extended) => new(
        SessionPair.AgentOptions,
        new NegotiatedParameters
        {
            PeerRouterId = new RouterId(2),
            PeerAs = 65000,
            HoldTime = new HoldTime(9),
            FourOctetAs = true,
            Families = [RouteFamily.Ipv4Unicast, RouteFamily.Ipv6Unicast],
            Ipv4WithIpv6NextHop = true,
            RouteRefresh = true,
            ExtendedMessages = extended,
        },
        IPAddress.Parse(local));
}
