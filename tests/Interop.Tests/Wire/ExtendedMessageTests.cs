using System.Globalization;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Wire;

/// <summary>Messages of more than 4096 octets (RFC 8654): where both sides offer them, and nowhere else.</summary>
public sealed class ExtendedMessageTests : DataCenterTest
{
    private const int Ordinary = 4096;
    private static readonly string FromUs = $"ipv6.src == {Addresses.Node("a")}";

    // FRR 8.4 offers them unasked, BIRD when it is told, GoBGP 3.10 never.
    [Theory]
    [InlineData(RouteServerKind.Frr)]
    [InlineData(RouteServerKind.Bird)]
    public async Task BothOffer_TwoThousandPrefixes_InMessagesLongerThanTheOrdinary(RouteServerKind kind)
    {
        var (center, capture) = await AnnounceAsync(kind, extended: true, "--extended-messages");

        Assert.InRange(await LongestAsync(capture), Ordinary + 1, ushort.MaxValue);
        // Wireshark 4.0 does not know RFC 8654: a length is what it complains of, and nothing else.
        Assert.Empty(await capture.PacketsAsync($"bgp && _ws.expert.severity >= 0x00600000 && !(_ws.expert.message contains \"Length is invalid\")", Cancellation));
        var said = await center.RouteServers[0].DescribeAsync("a", Cancellation);
        Assert.Matches(kind == RouteServerKind.Frr ? "Extended Message: advertised and received" : "(?s)Neighbor capabilities.*Extended message", said);
    }

    [Theory]
    [InlineData(RouteServerKind.Bird, "--extended-messages")]
    [InlineData(RouteServerKind.GoBgp, "--extended-messages")]
    [InlineData(RouteServerKind.Frr, null)]
    public async Task OneOfBothDoesNot_TwoThousandPrefixes_InOrdinaryMessages(RouteServerKind kind, string? flag)
    {
        var (_, capture) = await AnnounceAsync(kind, extended: false, flag);

        Assert.InRange(await LongestAsync(capture), 1, Ordinary);
        Assert.Empty(await capture.ComplaintsAsync(Cancellation));
    }

    private async Task<(DataCenter Center, Capture Capture)> AnnounceAsync(RouteServerKind kind, bool extended, string? flag)
    {
        var center = await StartOneAsync(kind, new RouteServerOptions { ManyPrefixes = true, ExtendedMessages = extended });
        var capture = await Capture.StartAsync(center, Cancellation);
        var prefixes = Addresses.Many(2000);

        Agent.Start(center, "a", prefixes, [.. new[] { "--primary", flag }.OfType<string>()]);

        await center.SeeRoutesAsync("a", Expected.These(prefixes, Addresses.Primary), Cancellation);
        await capture.StopAfterAsync($"bgp.type == 4 && {FromUs}", 2, Cancellation);
        return (center, capture);
    }

    private static async Task<int> LongestAsync(Capture capture) =>
        (await capture.FieldsAsync($"bgp && {FromUs}", ["bgp.length"], Cancellation))
            .SelectMany(packet => packet[0]).Max(length => int.Parse(length, CultureInfo.InvariantCulture));
}
