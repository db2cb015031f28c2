using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Wire.Rfc7606;

// One way for one attribute to be wrong (or unusual and right), in an UPDATE that is otherwise right, and what has to follow.
internal sealed record AttributeErrorCase(
    string Name, string Fault, string Clause, AttributeFault Outcome, byte[] Body, UpdateContext Context, byte Code, bool? StaysPresent, byte ResetSubcode)
{
    public const string Right = "right";
    public const string Twice = "twice";

    private const byte Optional = 0x80;
    private const byte Transitive = 0x40;
    private const byte Partial = 0x20;
    private const byte Extended = 0x10;
    private const byte MalformedList = 1;
    private const byte OptionalAttribute = 9;

    private static readonly Dictionary<byte, string> Mandatory = new()
    {
        [1] = "400101 00",
        [2] = "400206 0201 0000fde9",
        [3] = "400304 c0000209",
    };

    public static IReadOnlyList<AttributeErrorCase> All { get; } = [.. AttributeSpec.All.SelectMany(Of)];

    public string Key => $"{Name}: {Fault}";

    private static IEnumerable<AttributeErrorCase> Of(AttributeSpec spec)
    {
        var right = Hex(spec.Right);
        var reads = spec.OnFault == AttributeFault.SessionReset;
        yield return Case(spec, Right, spec.Clause, AttributeFault.None, Attribute(spec.Flags, spec.Code, right), stays: true);
        foreach (var value in spec.AlsoRight)
        {
            yield return Case(spec, $"right, {value}", spec.Clause, AttributeFault.None, Attribute(spec.Flags, spec.Code, Hex(value)), stays: null);
        }

        // Flags.
        foreach (var wrong in (byte[])[Optional, Transitive, Optional | Transitive])
        {
            var outcome = wrong == Transitive ? spec.OnWrongTransitive : AttributeFault.TreatAsWithdraw;
            var clause = outcome == AttributeFault.Discard ? spec.Clause : "RFC 7606 3 c";
            yield return Case(spec, $"flags {spec.Flags ^ wrong:x2} for {spec.Flags:x2}", clause, outcome, Attribute((byte)(spec.Flags ^ wrong), spec.Code, right), stays: null);
        }

        yield return Case(spec, "partial bit", "RFC 7606 3 c", AttributeFault.None, Attribute((byte)(spec.Flags | Partial), spec.Code, right), stays: true);
        yield return Case(spec, "the four unused bits", "RFC 4271 4.3", AttributeFault.None, Attribute((byte)(spec.Flags | 0x0f), spec.Code, right), stays: true);
        yield return Case(spec, "a short value with the long length", "RFC 4271 4.3", AttributeFault.None, Attribute((byte)(spec.Flags | Extended), spec.Code, right), stays: true);

        // Length and value.
        foreach (var value in spec.WrongLengths)
        {
            var bytes = Hex(value);
            var outcome = bytes.Length == 0 ? spec.OnEmpty ?? spec.OnFault : spec.OnFault;
            yield return Case(spec, $"{bytes.Length} octets long", spec.Clause, outcome, Attribute(spec.Flags, spec.Code, bytes), stays: false, OptionalAttribute);
        }

        foreach (var (what, value) in spec.WrongValues)
        {
            yield return Case(spec, $"{what}, {value}", spec.Clause, spec.OnFault, Attribute(spec.Flags, spec.Code, Hex(value)), stays: false, OptionalAttribute);
        }

        // Twice, the second time with another value where there is one: the first counts.
        var one = Attribute(spec.Flags, spec.Code, right);
        var second = Attribute(spec.Flags, spec.Code, Hex(spec.AlsoRight.FirstOrDefault(spec.Right)));
        yield return Case(spec, Twice, "RFC 7606 3 g", reads ? AttributeFault.SessionReset : AttributeFault.Discard, [.. one, .. second], stays: true, MalformedList);

        // At the end of the list, which it overruns; and its header cut short.
        var overrun = reads ? AttributeFault.SessionReset : AttributeFault.TreatAsWithdraw;
        yield return Case(spec, "overruns the list by one octet", "RFC 7606 4", overrun, Attribute(spec.Flags, spec.Code, right, claimed: right.Length + 1), stays: false, MalformedList);
        yield return Case(spec, "overruns the list by far", "RFC 7606 4", overrun, Attribute((byte)(spec.Flags | Extended), spec.Code, right, claimed: 65535), stays: false, MalformedList);
        yield return Case(spec, "without a length", "RFC 7606 4", overrun, [spec.Flags, spec.Code], stays: false, MalformedList);
        yield return Case(spec, "half of a long length", "RFC 7606 4", overrun, [(byte)(spec.Flags | Extended), spec.Code, 0], stays: false, MalformedList);
        yield return Case(spec, "flags and no type", "RFC 7606 4", AttributeFault.TreatAsWithdraw, [.. one, spec.Flags], stays: true);

        // Not there.
        var missing = Mandatory.ContainsKey(spec.Code);
        yield return Case(spec, "missing", "RFC 7606 3 d", missing ? AttributeFault.TreatAsWithdraw : AttributeFault.None, [], stays: false);

        if (spec.InternalOnly)
        {
            foreach (var value in (string[])[spec.Right, .. spec.WrongLengths])
            {
                var bytes = Hex(value);
                yield return Case(spec, $"from another AS, {bytes.Length} octets", spec.Clause, AttributeFault.Discard, Attribute(spec.Flags, spec.Code, bytes), stays: false, from: Codec.FourOctets);
            }
        }

        if (spec.TwoOctetsOnly)
        {
            yield return Case(spec, "right, where AS numbers have four octets", "RFC 6793 4.1", AttributeFault.None, one, stays: false, from: Codec.FourOctets);
        }

        foreach (var (value, outcome) in spec.InTwoOctets)
        {
            yield return Case(spec, $"{value}, where AS numbers have two octets", spec.Clause, outcome, Attribute(spec.Flags, spec.Code, Hex(value)), stays: null, from: Codec.TwoOctets);
        }
    }

    private static AttributeErrorCase Case(AttributeSpec spec, string fault, string clause, AttributeFault outcome, byte[] attribute, bool? stays, byte resetSubcode = 0, UpdateContext? from = null)
    {
        // The mandatory ones first, then the one under test, so that an overrun is at the end.
        var context = from ?? (spec.TwoOctetsOnly ? Codec.TwoOctets : spec.InternalOnly ? Codec.Internal : Codec.FourOctets);
        var path = context.FourOctetAs ? Mandatory[2] : "400204 0201 fde9";
        var others = Mandatory.Where(one => one.Key != spec.Code).SelectMany(one => Hex(one.Key == 2 ? path : one.Value));
        byte[] list = [.. others, .. attribute];
        byte[] body = [0, 0, (byte)(list.Length >> 8), (byte)list.Length, .. list, 32, 192, 0, 2, 1];
        // Null: it depends on the value.
        return new AttributeErrorCase(spec.Name, fault, clause, outcome, body, context, spec.Code, stays ?? (outcome == AttributeFault.None ? null : false), resetSubcode);
    }

    private static byte[] Attribute(byte flags, byte code, byte[] value, int? claimed = null)
    {
        var length = claimed ?? value.Length;
        return (flags & Extended) != 0
            ? [flags, code, (byte)(length >> 8), (byte)length, .. value]
            : [flags, code, checked((byte)length), .. value];
    }

    private static byte[] Hex(string hex) => [.. Codec.Hex(hex)];
}
