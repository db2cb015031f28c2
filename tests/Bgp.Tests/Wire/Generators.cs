using System.Net;
using CsCheck;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Bgp.Tests.Wire;

// Any valid message, for properties.
internal static class Generators
{
    public static readonly Gen<ReadOnlyMemory<byte>> SomeBytes = Gen.Byte.Array[0, 40].Select(bytes => (ReadOnlyMemory<byte>)bytes);

    private static readonly Gen<IPNetwork> Ipv4Prefix = Prefix(4);

    private static readonly Gen<IPNetwork> Ipv6Prefix = Prefix(16);

    // An IPv4 address in 16 octets would come back as itself all the same: ::ffff:a.b.c.d is an IPv6 address here.
    public static readonly Gen<IPAddress> Ipv6Address = Gen.Byte.Array[16].Select(bytes => new IPAddress(bytes));

    private static readonly Gen<AfiSafi> AnyFamily = Gen.Select(Gen.UShort, Gen.Byte, (afi, safi) => new AfiSafi(afi, safi));

    private static readonly Gen<Capability> AnyCapability = Gen.OneOf<Capability>(
        AnyFamily.Select(family => (Capability)new Capability.Multiprotocol(family)),
        Gen.Const<Capability>(Capability.RouteRefresh.Instance),
        Gen.Const<Capability>(Capability.ExtendedMessage.Instance),
        Gen.Const<Capability>(Capability.EnhancedRouteRefresh.Instance),
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Int[0, 4095], Gen.Select(AnyFamily, Gen.Bool, (family, kept) => new GracefulRestartFamily(family, kept)).Array[0, 3])
            .Select((restarted, notification, seconds, families) =>
                (Capability)new Capability.GracefulRestart(restarted, notification, (ushort)seconds, [.. families])),
        Gen.UInt.Select(number => (Capability)new Capability.FourOctetAs(number)),
        Gen.Select(Gen.UShort, Gen.UShort, Gen.UShort, (afi, safi, nextHop) => new ExtendedNextHopEntry(afi, safi, nextHop)).Array[0, 4]
            .Select(entries => (Capability)new Capability.ExtendedNextHop([.. entries])),
        Gen.Select(Gen.Byte.Where(code => code is not (1 or 2 or 5 or 6 or 64 or 65 or 70)), SomeBytes, (code, value) => (Capability)new Capability.Other(code, value)));

    private static readonly Gen<MpReach> AnyReach = Gen.OneOf(
        Gen.Select(Ipv6Address, Ipv6Address, Gen.Bool, Ipv6Prefix.Array[0, 30], (global, local, two, prefixes) =>
            new MpReach(new AfiSafi(2, 1), global, two ? local : null, [.. prefixes])),
        Gen.Select(Ipv6Address, Ipv4Prefix.Array[0, 30], (nextHop, prefixes) => new MpReach(new AfiSafi(1, 1), nextHop, null, [.. prefixes])));

    private static readonly Gen<MpUnreach> AnyUnreach = Gen.OneOf(
        Ipv6Prefix.Array[0, 30].Select(prefixes => new MpUnreach(new AfiSafi(2, 1), [.. prefixes])),
        Ipv4Prefix.Array[0, 30].Select(prefixes => new MpUnreach(new AfiSafi(1, 1), [.. prefixes])));

    public static readonly Gen<OpenMessage> Open = Gen.Select(Gen.UShort, Gen.UShort, Gen.UInt, AnyCapability.Array[0, 20], (asNumber, hold, id, capabilities) =>
        new OpenMessage { MyAs = asNumber, HoldTimeSeconds = hold, BgpIdentifier = id, Capabilities = [.. capabilities] });

    public static readonly Gen<NotificationMessage> Notification = Gen.Select(Gen.Byte, Gen.Byte, Gen.Byte.Array[0, 300], (code, subcode, data) =>
        new NotificationMessage(new NotificationCode(code, subcode), data));

    public static readonly Gen<RouteRefreshMessage> RouteRefresh =
        Gen.Select(AnyFamily, Gen.Byte, (family, subtype) => new RouteRefreshMessage(family, (RouteRefreshSubtype)subtype));

    public static readonly Gen<UpdateMessage> Update = Gen.Select(
        AttributeGenerators.Any,
        Gen.Select(AnyReach, AnyUnreach, Gen.Int[0, 3]),
        Gen.Select(Ipv4Prefix.Array[0, 30], Ipv4Prefix.Array[0, 30]),
        (attributes, multiprotocol, classic) =>
        {
            var (reach, unreach, which) = multiprotocol;
            var (withdrawn, announced) = classic;
            return new UpdateMessage
            {
                Withdrawn = [.. withdrawn],
                Announced = [.. announced],
                Attributes = attributes with
                {
                    MpReach = (which & 1) != 0 ? reach : null,
                    MpUnreach = (which & 2) != 0 ? unreach : null,
                },
            };
        });

    public static readonly Gen<BgpMessage> Message = Gen.OneOf(
        Open.Select(message => (BgpMessage)message),
        Update.Select(message => (BgpMessage)message),
        Notification.Select(message => (BgpMessage)message),
        RouteRefresh.Select(message => (BgpMessage)message),
        Gen.Const<BgpMessage>(KeepaliveMessage.Instance));

    private static Gen<IPNetwork> Prefix(int octets) => Gen.Select(Gen.Byte.Array[octets], Gen.Int[0, octets * 8], (address, length) =>
    {
        for (var bit = length; bit < octets * 8; bit++)
        {
            address[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(address), length);
    });
}
