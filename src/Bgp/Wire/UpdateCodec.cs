using System.Collections.Immutable;
using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Wire.Attributes;

namespace FailoverHub.Bgp.Wire;

// What an UPDATE said and the worst that was wrong with it: None, Discard or TreatAsWithdraw. Problem says it in words, null when nothing was.
internal readonly record struct DecodedUpdate(UpdateMessage Message, AttributeFault Worst, string? Problem)
{
    // The family whose End-of-RIB this is (RFC 4724 2); null: an ordinary UPDATE.
    public RouteFamily? EndOfRib { get; init; }
}

// The body of an UPDATE, with the error handling of RFC 7606.
internal static class UpdateCodec
{
    // The two length fields.
    private const int BareBody = 4;

    // The body of an End-of-RIB that is not the bare one: MP_UNREACH_NLRI of three octets, with its length in one octet or in two.
    private const int LongestEndOfRib = BareBody + 4 + 3;

    // What is left for attributes and prefixes.
    public static int MaxContent(UpdateContext context) => context.MaxMessageLength - WireWriter.HeaderLength - BareBody;

    public static DecodedUpdate Read(ReadOnlySpan<byte> body, UpdateContext context)
    {
        var reader = new WireReader(body);
        if (!reader.TryUInt16(out var withdrawnLength) || !reader.TryBytes(withdrawnLength, out var withdrawnBytes)
            || !reader.TryUInt16(out var attributesLength) || !reader.TryBytes(attributesLength, out var attributeBytes))
        {
            throw new SessionFaultException(NotificationCode.MalformedAttributeList, "the lengths inside of the UPDATE do not fit its own");
        }

        // RFC 7606 3 i and 5.3.
        if (!PrefixCodec.TryRead(withdrawnBytes, ipv6: false, out var withdrawn) || !PrefixCodec.TryRead(reader.Rest, ipv6: false, out var announced))
        {
            throw new SessionFaultException(NotificationCode.InvalidNetworkField, "the UPDATE has a prefix that cannot be one");
        }

        var faults = new FaultLog();
        var attributes = new PathAttributes();
        Span<bool> seen = stackalloc bool[256];
        seen.Clear();
        AttributeListCodec.Read(attributeBytes, context, attributes, faults, seen);
        CheckMandatory(attributes, context.Ipv4Unicast ? announced : [], faults);
        CheckSomethingToWithdraw(attributes, announced, seen, faults);
        faults.ThrowIfSessionReset();
        if (!context.Ipv4Unicast)
        {
            // As with MP_REACH_NLRI of a family that was not negotiated.
            (withdrawn, announced) = ([], []);
        }

        return new DecodedUpdate(new UpdateMessage { Withdrawn = withdrawn, Attributes = attributes, Announced = announced }, faults.Worst, faults.Problem)
        {
            EndOfRib = EndOfRib(body, attributes),
        };
    }

    // Told by the length: attributes that were passed over, or prefixes of a family that was not agreed on, would otherwise look like nothing at all.
    private static RouteFamily? EndOfRib(ReadOnlySpan<byte> body, PathAttributes attributes) =>
        body.Length == BareBody ? RouteFamily.Ipv4Unicast
        : body.Length <= LongestEndOfRib && attributes.MpUnreach is { Prefixes.IsEmpty: true } unreach ? unreach.Family.Known
        : null;

    // RFC 4271 5, RFC 7606 3 d. Withdrawals need no attributes.
    private static void CheckMandatory(PathAttributes attributes, ImmutableArray<IPNetwork> announced, FaultLog faults)
    {
        if (announced.IsEmpty && attributes.MpReach is null or { Prefixes.IsEmpty: true })
        {
            return;
        }

        // A malformed attribute is missing too; then it has been said already.
        if (faults.Worst < AttributeFault.TreatAsWithdraw && (attributes.Origin is null || attributes.AsPath is null || (!announced.IsEmpty && attributes.NextHop is null)))
        {
            var missing = attributes.Origin is null ? "ORIGIN" : attributes.AsPath is null ? "AS_PATH" : "NEXT_HOP";
            faults.Add(AttributeFault.TreatAsWithdraw, $"{missing} is missing");
        }
    }

    // RFC 7606 5.2: treat-as-withdraw needs prefixes to withdraw. Attributes without any are a sign that the error has hidden them, and nothing smaller than
    // a new start is safe. MP_UNREACH_NLRI alone is complete in itself; MP_REACH_NLRI of a family that we pass over does name routes, none of ours.
    private static void CheckSomethingToWithdraw(PathAttributes attributes, ImmutableArray<IPNetwork> announced, ReadOnlySpan<bool> seen, FaultLog faults)
    {
        var namesRoutes = !announced.IsEmpty || (seen[AttributeTable.MpReachCode] && attributes.MpReach is not { Prefixes.IsEmpty: true });
        if (faults.Worst == AttributeFault.TreatAsWithdraw && !namesRoutes && (!seen[AttributeTable.MpUnreachCode] || seen.Count(true) > 1))
        {
            faults.AddReset(NotificationCode.MalformedAttributeList, $"the UPDATE names no route that it is about, and {faults.Problem}");
        }
    }

    public static void Write(WireWriter writer, UpdateMessage update, UpdateContext context)
    {
        writer.BeginMessage(BgpMessageType.Update);
        var withdrawn = writer.ReserveUInt16();
        PrefixCodec.Write(writer, update.Withdrawn);
        writer.PatchUInt16(withdrawn);
        var attributes = writer.ReserveUInt16();
        AttributeListCodec.Write(writer, update.Attributes, context);
        writer.PatchUInt16(attributes);
        PrefixCodec.Write(writer, update.Announced);
        writer.EndMessage(context.MaxMessageLength);
    }
}
