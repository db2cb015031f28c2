using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Wire.Attributes;

[Flags]
internal enum AttributeFlags : byte
{
    None = 0,
    ExtendedLength = 0x10,
    Partial = 0x20,
    Transitive = 0x40,
    Optional = 0x80,

    // What an attribute's definition fixes (RFC 4271 4.3).
    Kind = Optional | Transitive,
}

// How long a value may be, in octets.
internal readonly record struct LengthRule(int Least, int Most, int Step)
{
    // It holds an AS number of two octets where four were not agreed on.
    public bool HoldsAsNumber { get; init; }

    public static LengthRule Exactly(int octets) => new(octets, octets, 1);

    public static LengthRule AtLeast(int octets) => new(octets, int.MaxValue, 1);

    // And not none at all.
    public static LengthRule MultipleOf(int octets) => new(octets, int.MaxValue, octets);

    public bool Allows(int octets, UpdateContext context)
    {
        var length = HoldsAsNumber && !context.FourOctetAs ? octets + 2 : octets;
        return length >= Least && length <= Most && length % Step == 0;
    }
}

// All there is to know about one path attribute. A new attribute is a new row of AttributeTable and nothing else.
internal sealed record AttributeRow
{
    // Reads a value of a length that the rule allows into the set. False: malformed, with the consequence OnFault; the set is as before.
    public delegate bool Reader(ReadOnlySpan<byte> value, UpdateContext context, PathAttributes into);

    public required byte Code { get; init; }

    public required string Name { get; init; }

    public required AttributeFlags Flags { get; init; }

    public required LengthRule Length { get; init; }

    // What follows from a malformed value (RFC 7606 7, or the attribute's own RFC).
    public required AttributeFault OnFault { get; init; }

    // Where that differs: a length that the rule does not allow.
    public AttributeFault? OnWrongLength { get; init; }

    // Where the attribute's own RFC says something else of a wrong transitive bit than RFC 7606 3 c does of wrong flags, which is treat-as-withdraw.
    public AttributeFault OnWrongTransitive { get; init; } = AttributeFault.TreatAsWithdraw;

    // Means something only within an AS: from a neighbor in another one it is discarded unread.
    public bool InternalOnly { get; init; }

    public required Reader Read { get; init; }

    public required Func<PathAttributes, UpdateContext, bool> IsPresent { get; init; }

    public required Action<PathAttributes, UpdateContext, WireWriter> Write { get; init; }

    // The value on one line, for whoever reads a trace. Of a present attribute.
    public required Func<PathAttributes, string> Format { get; init; }
}
