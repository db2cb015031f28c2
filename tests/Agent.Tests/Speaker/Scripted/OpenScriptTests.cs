using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>OPENs of a neighbor that are not to our liking, and some that only look so.</summary>
public sealed class OpenScriptTests : ScriptedTest
{
    private const uint RouterId = 0xc0000201;

    [Theory]
    [InlineData(3, "the neighbor speaks BGP version 3 (OPEN Message Error/Unsupported Version Number)")]
    [InlineData(5, "the neighbor speaks BGP version 5 (OPEN Message Error/Unsupported Version Number)")]
    public Task WrongVersion_IsToldOurs(byte version, string words) => RefusedAsync(Octets.Open(version: version), "02 01 0004", words);

    [Fact]
    public Task WrongAs_IsRefused() =>
        RefusedAsync(
            Octets.Open(asNumber: 64999, capabilities: []),
            "02 02",
            "the neighbor is in AS 64999 and should be in AS 65000 (OPEN Message Error/Bad Peer AS)");

    [Fact]
    public Task WrongAsInFourOctets_IsRefused_WhateverTheTwoOctetsSay() =>
        RefusedAsync(
            Octets.Open(asNumber: 65000, capabilities: [65, 4, 0, 1, 0, 0]),
            "02 02",
            "the neighbor is in AS 65536 and should be in AS 65000 (OPEN Message Error/Bad Peer AS)");

    [Fact]
    public Task RouterIdZero_IsRefused() =>
        RefusedAsync(Octets.Open(routerId: 0), "02 03", "the neighbor's router id is zero (OPEN Message Error/Bad BGP Identifier)");

    [Theory]
    [InlineData(1, "the neighbor wants a hold time of 1 s (OPEN Message Error/Unacceptable Hold Time)")]
    [InlineData(2, "the neighbor wants a hold time of 2 s (OPEN Message Error/Unacceptable Hold Time)")]
    [InlineData(0, "the neighbor wants no hold time, its death would never be noticed (OPEN Message Error/Unacceptable Hold Time)")]
    public Task HoldTimeTooShort_IsRefused(ushort holdTime, string words) => RefusedAsync(Octets.Open(holdTime: holdTime), "02 06", words);

    [Fact]
    public Task UnknownOptionalParameter_IsRefused() =>
        RefusedAsync(
            Octets.OpenWith(65000, 9, 4, RouterId, Octets.Parameter(200, [1, 2, 3])),
            "02 04",
            "the OPEN has an optional parameter of type 200, which is not known (OPEN Message Error/Unsupported Optional Parameter)");

    [Fact]
    public Task NoFamilyInCommon_IsRefused_NamingOurs() =>
        RefusedAsync(
            Octets.Open(capabilities: [1, 4, 0x40, 4, 0, 71]),
            "02 07 010400010001010400020001",
            "the neighbor offers none of our address families (OPEN Message Error/Unsupported Capability)");

    [Theory]
    [InlineData(new byte[] { 2, 20, 1, 4, 0, 1, 0, 1 })]
    [InlineData(new byte[] { 2 })]
    [InlineData(new byte[] { 255, 255, 0 })]
    public Task ParametersThatDoNotFit_AreRefused(byte[] parameters) =>
        RefusedAsync(
            Octets.OpenWith(65000, 9, 4, RouterId, parameters),
            "02 00",
            "the optional parameters of the OPEN do not fit its length (OPEN Message Error)");

    [Fact]
    public async Task UnknownCapability_IsNoReasonToRefuse()
    {
        await EstablishedAsync(Octets.Open(capabilities: [.. Octets.Capabilities, 239, 3, 1, 2, 3, 131, 0]));

        Assert.Equal(SessionState.Established, (await DiagnosticsAsync()).State);
    }

    [Fact]
    public async Task NoCapabilityAtAll_IsAnOldNeighbor_AndIsAnnouncedIpv4()
    {
        await EstablishedAsync(Octets.Open(capabilities: []));

        var negotiated = (await DiagnosticsAsync()).Session.Negotiated!;
        Assert.Equal((false, false), (negotiated.FourOctetAs, negotiated.RouteRefresh));
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(30, 9)]
    public async Task HoldTime_IsTheSmallerOfBoth(ushort theirs, int agreed)
    {
        await EstablishedAsync(Octets.Open(holdTime: theirs));

        Assert.Equal(agreed, (await DiagnosticsAsync()).Session.Negotiated!.HoldTime.Seconds);
    }

    [Fact]
    public async Task OurCapabilitiesAreRefused_TheNextOpenIsWithout()
    {
        var connection = await OpenSentAsync();
        await connection.SendAsync(Octets.Notification(2, 4));
        await NeighborEndedItAsync(SessionState.Idle, "the neighbor says OPEN Message Error/Unsupported Optional Parameter", 2, 4);

        Pass(TimeSpan.FromSeconds(1.5));
        var again = await Peer.AcceptAsync();

        var open = await again.ReadAsync(Octets.OpenType, "An OPEN");
        Assert.Equal((29, 0), (open.Length, open[28]));
    }

    private async Task RefusedAsync(byte[] open, string notification, string words)
    {
        var connection = await OpenSentAsync();

        // What stands behind the OPEN belongs to nobody any more.
        await connection.SendAsync([.. open, .. Octets.Keepalive]);

        await WeEndItAsync(connection, notification, words);
        Assert.True(Peer.IsLeftAlone);
    }
}
