using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Reachability;

/// <summary>A machine on which one family is turned off (ipv6.disable=1) has no table of its routes at all.</summary>
public sealed class RouteTablesTests : IDisposable
{
    private static readonly string[] Four =
    [
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
        "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    ];

    private static readonly string[] Six =
    [
        "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0",
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0",
    ];

    private readonly string _folder = WholeHub.NewFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true, true, "192.0.2.1 fd00::1", "192.0.2.0/24 fd00::/64")]
    [InlineData(true, false, "192.0.2.1", "192.0.2.0/24")]
    [InlineData(false, true, "fd00::1", "fd00::/64")]
    [InlineData(false, false, "", "")]
    public void FamilyWithoutATable_TakesNothingFromTheOther(bool four, bool six, string gateways, string networks)
    {
        if (four)
        {
            File.WriteAllLines(Path.Combine(_folder, "route"), Four);
        }

        if (six)
        {
            File.WriteAllLines(Path.Combine(_folder, "ipv6_route"), Six);
        }

        Assert.Equal(gateways, string.Join(' ', DefaultGateways.Read(_folder)));
        Assert.Equal($"127.0.0.0/8 ::1/128 {networks}".TrimEnd(), string.Join(' ', LinkedNetworks.Read(_folder)));
    }
}
