using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using static FailoverHub.Bgp.Wire.AttributeFault;
using static FailoverHub.Bgp.Wire.Attributes.AttributeFlags;

namespace FailoverHub.Bgp.Wire.Attributes;

// The four kinds of community. All of them steer what a receiver does with a route, so without them it is better to have no route.
internal static class CommunityRows
{
    public static readonly AttributeRow Standard = new()
    {
        Code = 8,
        Name = "COMMUNITIES",
        Flags = Optional | Transitive,
        Length = LengthRule.MultipleOf(4),
        // RFC 7606 7.8.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => !a.Communities.IsEmpty,
        Read = static (value, _, a) =>
        {
            var communities = ImmutableArray.CreateBuilder<Community>(value.Length / 4);
            for (var at = 0; at < value.Length; at += 4)
            {
                communities.Add(new Community(BinaryPrimitives.ReadUInt32BigEndian(value[at..])));
            }

            a.Communities = communities.MoveToImmutable();
            return true;
        },
        Write = static (a, _, w) =>
        {
            foreach (var community in a.Communities)
            {
                w.UInt32(community.Value);
            }
        },
        Format = static a => AttributeText.List(a.Communities, AttributeText.Of),
    };

    public static readonly AttributeRow Extended = new()
    {
        Code = 16,
        Name = "EXTENDED_COMMUNITIES",
        Flags = Optional | Transitive,
        Length = LengthRule.MultipleOf(8),
        // RFC 7606 7.14. A type that is not known is no error.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => !a.ExtendedCommunities.IsEmpty,
        Read = static (value, _, a) =>
        {
            var communities = ImmutableArray.CreateBuilder<ulong>(value.Length / 8);
            for (var at = 0; at < value.Length; at += 8)
            {
                communities.Add(BinaryPrimitives.ReadUInt64BigEndian(value[at..]));
            }

            a.ExtendedCommunities = communities.MoveToImmutable();
            return true;
        },
        Write = static (a, _, w) =>
        {
            foreach (var community in a.ExtendedCommunities)
            {
                w.UInt64(community);
            }
        },
        Format = static a => AttributeText.List(a.ExtendedCommunities, AttributeText.OfExtendedCommunity),
    };

    public static readonly AttributeRow Ipv6Extended = new()
    {
        Code = 25,
        Name = "IPV6_EXTENDED_COMMUNITIES",
        Flags = Optional | Transitive,
        Length = LengthRule.MultipleOf(20),
        // RFC 7606 7.15.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => !a.Ipv6ExtendedCommunities.IsEmpty,
        Read = static (value, _, a) =>
        {
            var communities = ImmutableArray.CreateBuilder<Ipv6ExtendedCommunity>(value.Length / 20);
            var reader = new WireReader(value);
            while (reader.TryByte(out var type) && reader.TryByte(out var subtype) && reader.TryBytes(16, out var global) && reader.TryUInt16(out var local))
            {
                communities.Add(new Ipv6ExtendedCommunity(type, subtype, new IPAddress(global), local));
            }

            a.Ipv6ExtendedCommunities = communities.MoveToImmutable();
            return true;
        },
        Write = static (a, _, w) =>
        {
            foreach (var community in a.Ipv6ExtendedCommunities)
            {
                w.Byte(community.Type);
                w.Byte(community.Subtype);
                w.Address(community.Global);
                w.UInt16(community.Local);
            }
        },
        Format = static a => AttributeText.List(a.Ipv6ExtendedCommunities, AttributeText.Of),
    };

    public static readonly AttributeRow Large = new()
    {
        Code = 32,
        Name = "LARGE_COMMUNITY",
        Flags = Optional | Transitive,
        Length = LengthRule.MultipleOf(12),
        // RFC 8092 6.
        OnFault = TreatAsWithdraw,
        IsPresent = static (a, _) => !a.LargeCommunities.IsEmpty,
        Read = static (value, _, a) =>
        {
            var communities = ImmutableArray.CreateBuilder<LargeCommunity>(value.Length / 12);
            var reader = new WireReader(value);
            while (reader.TryUInt32(out var administrator) && reader.TryUInt32(out var first) && reader.TryUInt32(out var second))
            {
                communities.Add(new LargeCommunity(administrator, first, second));
            }

            a.LargeCommunities = LargeCommunity.Canonical(communities.MoveToImmutable());
            return true;
        },
        Write = static (a, _, w) =>
        {
            foreach (var community in LargeCommunity.Canonical(a.LargeCommunities))
            {
                w.UInt32(community.GlobalAdministrator);
                w.UInt32(community.LocalData1);
                w.UInt32(community.LocalData2);
            }
        },
        Format = static a => AttributeText.List(a.LargeCommunities, static community => community.ToString()),
    };
}
