using System.Buffers.Binary;

namespace FailoverHub.Bench.Peers;

/// <summary>What a route server has of one prefix.</summary>
internal enum Route : byte
{
    None,
    Primary,
    Secondary,

    /// <summary>Announced without a community that says its role.</summary>
    Unmarked,
}

/// <summary>
/// What one route server has from one subject, read from UPDATEs by a parser of its own: it shares no code with what is measured, and no more than the RFCs
/// with any of the daemons.
/// </summary>
internal sealed class PeerTable
{
    private const byte Communities = 8;
    private const byte MpReach = 14;
    private const byte MpUnreach = 15;
    private const byte ExtendedLength = 0x10;
    private const uint PrimaryCommunity = (65000u << 16) | 1;
    private const uint SecondaryCommunity = (65000u << 16) | 2;

    private readonly Route[] _routes = new Route[Prefixes.Most + 1];
    private readonly int[] _counts = new int[4];

    /// <summary>Routes of this kind.</summary>
    public int Count(Route route) => _counts[(int)route];

    /// <summary>Routes of any kind.</summary>
    public int Total => _counts[1] + _counts[2] + _counts[3];

    /// <summary>UPDATEs taken.</summary>
    public int Updates { get; private set; }

    /// <summary>Applies the body of an UPDATE (RFC 4271 4.3, RFC 4760).</summary>
    /// <exception cref="InvalidDataException">It is malformed, or about prefixes that nobody asked the subject to announce.</exception>
    public void Apply(ReadOnlySpan<byte> body)
    {
        Updates++;
        var withdrawn = BinaryPrimitives.ReadUInt16BigEndian(body);
        var attributes = BinaryPrimitives.ReadUInt16BigEndian(body[(2 + withdrawn)..]);
        if (withdrawn != 0 || 4 + attributes != body.Length)
        {
            throw new InvalidDataException("An UPDATE has IPv4 routes in it.");
        }

        var rest = body[4..];
        var route = Route.Unmarked;
        ReadOnlySpan<byte> reach = default;
        while (rest.Length > 0)
        {
            var isLong = (rest[0] & ExtendedLength) != 0;
            var length = isLong ? BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) : rest[2];
            var value = rest.Slice(isLong ? 4 : 3, length);
            switch (rest[1])
            {
                case Communities:
                    route = RoleOf(value);
                    break;
                case MpReach:
                    CheckFamily(value);
                    reach = value[(5 + value[3])..];
                    break;
                case MpUnreach:
                    CheckFamily(value);
                    SetAll(value[3..], Route.None);
                    break;
                default:
                    break;
            }

            rest = rest[((isLong ? 4 : 3) + length)..];
        }

        SetAll(reach, route);
    }

    private static Route RoleOf(ReadOnlySpan<byte> communities)
    {
        for (; communities.Length >= 4; communities = communities[4..])
        {
            switch (BinaryPrimitives.ReadUInt32BigEndian(communities))
            {
                case PrimaryCommunity:
                    return Route.Primary;
                case SecondaryCommunity:
                    return Route.Secondary;
                default:
                    break;
            }
        }

        return Route.Unmarked;
    }

    private static void CheckFamily(ReadOnlySpan<byte> value)
    {
        if (value is not [0, 2, 1, ..] and not [0, 1, 1])
        {
            throw new InvalidDataException($"An UPDATE is about the family {Convert.ToHexString(value[..3])}.");
        }
    }

    private void SetAll(ReadOnlySpan<byte> nlri, Route route)
    {
        for (; nlri.Length > 0; nlri = nlri[9..])
        {
            var number = nlri[0] == Prefixes.Length ? Prefixes.Number(nlri[1..]) : 0;
            if (number == 0)
            {
                throw new InvalidDataException($"An UPDATE is about a prefix that is none of the bench's: {Convert.ToHexString(nlri[..Math.Min(nlri.Length, 17)])}.");
            }

            _counts[(int)_routes[number]]--;
            _counts[(int)route]++;
            _routes[number] = route;
        }
    }
}
