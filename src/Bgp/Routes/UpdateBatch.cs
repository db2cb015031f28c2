using System.Buffers;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Wire;
using FailoverHub.Bgp.Wire.Attributes;

namespace FailoverHub.Bgp.Routes;

// Packs routes into as few UPDATEs as their length allows (4096 octets, 65535 where extended messages were agreed on), all of them in one buffer.
// Messages are written from the routes themselves, without an UpdateMessage for each: 10,000 prefixes are a burst at the moment when an address has to move.
internal sealed class UpdateBatch(AdvertisingContext context)
{
    // Header, both length fields, the header of MP_REACH_NLRI and its fixed part: what a message has beside attributes and prefixes, and a bit.
    private const int MessageOverhead = 64;

    private readonly WireWriter _writer = new(0);
    private readonly WireWriter _scratch = new(0);

    public ReadOnlyMemory<byte> Finish() => _writer.Finish();

    // IPv4 that was announced in MP_REACH_NLRI is withdrawn in MP_UNREACH_NLRI, as RFC 4760 4 has it and as FRR and BIRD do themselves. The platform's own client
    // uses the classic field even then. FRR, BIRD and GoBGP take both; the one by the book is the safer guess for route servers nobody can look into.
    public void Withdraw(ReadOnlySpan<IPNetwork> prefixes)
    {
        if (prefixes.IsEmpty)
        {
            return;
        }

        var first = FamilyOf(prefixes[0]);
        Withdraw(prefixes, first);
        Withdraw(prefixes, first == RouteFamily.Ipv4Unicast ? RouteFamily.Ipv6Unicast : RouteFamily.Ipv4Unicast);
    }

    private void Withdraw(ReadOnlySpan<IPNetwork> prefixes, RouteFamily family)
    {
        var octets = 0;
        foreach (var prefix in prefixes)
        {
            octets += FamilyOf(prefix) == family ? PrefixCodec.LengthOf(prefix) : 0;
        }

        var classic = context.IsClassic(family);
        var room = Room(0) - (classic ? 0 : AttributeListCodec.PrefixesHeader + MultiprotocolCodec.UnreachOverhead);
        _writer.Reserve(octets + (MessagesFor(octets, room) * MessageOverhead));
        for (var next = 0; octets > 0;)
        {
            _writer.BeginMessage(BgpMessageType.Update);
            var withdrawn = _writer.ReserveUInt16();
            if (classic)
            {
                octets -= WritePrefixes(prefixes, family, room, ref next);
                _writer.PatchUInt16(withdrawn);
                _writer.UInt16(0);
            }
            else
            {
                var attributes = _writer.ReserveUInt16();
                var value = AttributeListCodec.BeginPrefixes(_writer, PrefixRows.MpUnreach);
                MultiprotocolCodec.WriteHead(_writer, AfiSafi.Of(family));
                octets -= WritePrefixes(prefixes, family, room, ref next);
                _writer.PatchUInt16(value);
                _writer.PatchUInt16(attributes);
            }

            _writer.EndMessage(context.Wire.MaxMessageLength);
        }
    }

    public void Announce(ReadOnlySpan<Advertisement> routes)
    {
        if (routes.IsEmpty)
        {
            return;
        }

        // Routes with the same attributes share UPDATEs: their indexes, put in order of their group and within it as they came.
        var groups = ArrayPool<int>.Shared.Rent(routes.Length);
        var order = ArrayPool<int>.Shared.Rent(routes.Length);
        var ends = Group(routes, groups);
        for (var i = routes.Length - 1; i >= 0; i--)
        {
            order[--ends[groups[i]]] = i;
        }

        for (var group = 0; group < ends.Count; group++)
        {
            // By now each end has moved to where its group begins.
            var end = group + 1 < ends.Count ? ends[group + 1] : routes.Length;
            AnnounceAlike(routes, order.AsSpan(ends[group]..end));
        }

        ArrayPool<int>.Shared.Return(groups);
        ArrayPool<int>.Shared.Return(order);
    }

    // Numbers the groups in the order in which they appear. The result has for each where it ends when they stand one behind the other.
    private static List<int> Group(ReadOnlySpan<Advertisement> routes, int[] groups)
    {
        var numbers = new Dictionary<Advertisement, int>(SameAttributes.Instance);
        var counts = new List<int>();
        for (var i = 0; i < routes.Length; i++)
        {
            // Nearly always like the one before, which saves looking it up.
            if (i > 0 && SameAttributes.Instance.Equals(routes[i - 1], routes[i]))
            {
                groups[i] = groups[i - 1];
            }
            else if (!numbers.TryGetValue(routes[i], out groups[i]))
            {
                groups[i] = counts.Count;
                numbers.Add(routes[i], counts.Count);
                counts.Add(0);
            }

            counts[groups[i]]++;
        }

        for (var group = 1; group < counts.Count; group++)
        {
            counts[group] += counts[group - 1];
        }

        return counts;
    }

    private void AnnounceAlike(ReadOnlySpan<Advertisement> routes, ReadOnlySpan<int> alike)
    {
        var family = routes[alike[0]].Family;
        var classic = context.IsClassic(family);
        _scratch.Clear();
        AttributeListCodec.Write(_scratch, context.Attributes(family, routes[alike[0]]), context.Wire);
        var attributes = _scratch.Written;
        var octets = 0;
        foreach (var index in alike)
        {
            octets += PrefixCodec.LengthOf(routes[index].Prefix);
        }

        var room = Room(attributes.Length) - (classic ? 0 : AttributeListCodec.PrefixesHeader + MultiprotocolCodec.ReachOverhead);
        _writer.Reserve(octets + (MessagesFor(octets, room) * (MessageOverhead + attributes.Length)));
        for (var next = 0; next < alike.Length;)
        {
            _writer.BeginMessage(BgpMessageType.Update);
            _writer.UInt16(0);
            var length = _writer.ReserveUInt16();
            if (!classic)
            {
                var value = AttributeListCodec.BeginPrefixes(_writer, PrefixRows.MpReach);
                MultiprotocolCodec.WriteHead(_writer, AfiSafi.Of(family));
                MultiprotocolCodec.WriteNextHop(_writer, context.MultiprotocolNextHop, null);
                WritePrefixes(routes, alike, room, ref next);
                _writer.PatchUInt16(value);
            }

            _writer.Bytes(attributes);
            _writer.PatchUInt16(length);
            if (classic)
            {
                WritePrefixes(routes, alike, room, ref next);
            }

            _writer.EndMessage(context.Wire.MaxMessageLength);
        }
    }

    private void WritePrefixes(ReadOnlySpan<Advertisement> routes, ReadOnlySpan<int> alike, int room, ref int next)
    {
        RequireRoom(room);
        for (; next < alike.Length; next++)
        {
            var prefix = routes[alike[next]].Prefix;
            room -= PrefixCodec.LengthOf(prefix);
            if (room < 0)
            {
                return;
            }

            PrefixCodec.Write(_writer, prefix);
        }
    }

    // The octets that were written.
    private int WritePrefixes(ReadOnlySpan<IPNetwork> prefixes, RouteFamily family, int room, ref int next)
    {
        RequireRoom(room);
        var written = 0;
        for (; next < prefixes.Length; next++)
        {
            if (FamilyOf(prefixes[next]) != family)
            {
                continue;
            }

            var length = PrefixCodec.LengthOf(prefixes[next]);
            if (written + length > room)
            {
                break;
            }

            PrefixCodec.Write(_writer, prefixes[next]);
            written += length;
        }

        return written;
    }

    // AdjRibOut bounds the attributes so that there always is some. Without it no pass would write anything, and there would be no last one.
    private static void RequireRoom(int room)
    {
        if (room < PrefixCodec.MaxLength)
        {
            throw new InvalidOperationException("The attributes leave no room for a prefix.");
        }
    }

    private int Room(int attributes) => UpdateCodec.MaxContent(context.Wire) - attributes;

    // At most: a message may stay short of its room by less than the longest prefix.
    private static int MessagesFor(int octets, int room) => (octets / (room - PrefixCodec.MaxLength)) + 1;

    private static RouteFamily FamilyOf(IPNetwork prefix) =>
        prefix.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? RouteFamily.Ipv6Unicast : RouteFamily.Ipv4Unicast;

    // Everything but the prefix is equal: such routes share an UPDATE.
    private sealed class SameAttributes : IEqualityComparer<Advertisement>
    {
        public static readonly SameAttributes Instance = new();

        public bool Equals(Advertisement? x, Advertisement? y) => x is not null && y is not null && x.Family == y.Family && x.HasAttributesOf(y);

        public int GetHashCode(Advertisement advertisement)
        {
            var hash = new HashCode();
            hash.Add(advertisement.Family);
            hash.Add(advertisement.Origin);
            foreach (var community in advertisement.Communities)
            {
                hash.Add(community);
            }

            foreach (var community in advertisement.LargeCommunities)
            {
                hash.Add(community);
            }

            return hash.ToHashCode();
        }
    }
}
