using System.Collections.Immutable;
using System.Globalization;

namespace FailoverHub.Bgp.Messages;

/// <summary>A large community (RFC 8092), written <c>4200000001:1:2</c>.</summary>
/// <param name="GlobalAdministrator">The AS number of whoever gives the other two their meaning.</param>
/// <param name="LocalData1">For that AS to define.</param>
/// <param name="LocalData2">For that AS to define.</param>
public readonly record struct LargeCommunity(uint GlobalAdministrator, uint LocalData1, uint LocalData2) : IComparable<LargeCommunity>
{
    /// <summary>Reads the canonical notation (RFC 8092 4.1): three decimal numbers without leading zeros.</summary>
    /// <param name="text"><c>4200000001:1:2</c>.</param>
    /// <param name="community">What it says; the default value when it says none.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(string? text, out LargeCommunity community)
    {
        community = default;
        var parts = text?.Split(':');
        if (parts is not { Length: 3 } || !TryNumber(parts[0], out var administrator) || !TryNumber(parts[1], out var first) || !TryNumber(parts[2], out var second))
        {
            return false;
        }

        community = new LargeCommunity(administrator, first, second);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(LargeCommunity other)
    {
        var order = GlobalAdministrator.CompareTo(other.GlobalAdministrator);
        order = order != 0 ? order : LocalData1.CompareTo(other.LocalData1);
        return order != 0 ? order : LocalData2.CompareTo(other.LocalData2);
    }

    /// <summary>The canonical notation, <c>4200000001:1:2</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{GlobalAdministrator}:{LocalData1}:{LocalData2}");

    /// <summary>Ordering by wire value.</summary>
    public static bool operator <(LargeCommunity left, LargeCommunity right) => left.CompareTo(right) < 0;

    /// <summary>Ordering by wire value.</summary>
    public static bool operator >(LargeCommunity left, LargeCommunity right) => left.CompareTo(right) > 0;

    /// <summary>Ordering by wire value.</summary>
    public static bool operator <=(LargeCommunity left, LargeCommunity right) => left.CompareTo(right) <= 0;

    /// <summary>Ordering by wire value.</summary>
    public static bool operator >=(LargeCommunity left, LargeCommunity right) => left.CompareTo(right) >= 0;

    // The attribute is a set (RFC 8092 3 and 5): the order means nothing, and nothing is in it twice. The same set is always the same bytes.
    internal static ImmutableArray<LargeCommunity> Canonical(ImmutableArray<LargeCommunity> communities)
    {
        for (var i = 1; i < communities.Length; i++)
        {
            if (communities[i - 1] >= communities[i])
            {
                return [.. communities.Order().Distinct()];
            }
        }

        return communities;
    }

    private static bool TryNumber(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && (text.Length == 1 || text[0] != '0');
}
