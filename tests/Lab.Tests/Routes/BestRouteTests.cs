using System.Net;
using FailoverHub.Bgp.Messages;
using FailoverHub.Lab.Routes;

namespace FailoverHub.Lab.Tests.Routes;

public sealed class BestRouteTests
{
    // Each row: what makes the routes differ, the first, the second, the session that is best until now, the session that must win.
    // Sessions are 1 and 2. Written "preference path-length origin arrival".
    public static TheoryData<string, string, string, long?, long> Rows => new()
    {
        { "primary before secondary, whichever came first", "secondary 1 Incomplete 1", "primary 1 Incomplete 2", null, 2 },
        { "primary before secondary, even against the incumbent", "secondary 1 Incomplete 1", "primary 1 Incomplete 2", 1, 2 },
        { "primary with a long path before secondary with a short one", "primary 4 Incomplete 2", "secondary 1 Igp 1", 2, 1 },
        { "shorter AS path among primaries", "primary 2 Incomplete 1", "primary 1 Incomplete 2", null, 2 },
        { "shorter AS path before the better origin", "primary 2 Igp 1", "primary 1 Incomplete 2", 1, 2 },
        { "IGP before INCOMPLETE: a takeover wins while the dead route is held", "primary 1 Incomplete 1", "primary 1 Igp 2", 1, 2 },
        { "IGP before EGP", "secondary 1 Egp 1", "secondary 1 Igp 2", 1, 2 },
        { "EGP before INCOMPLETE", "secondary 1 Incomplete 1", "secondary 1 Egp 2", 1, 2 },
        { "a secondary with IGP never beats a primary", "primary 1 Incomplete 2", "secondary 1 Igp 1", null, 1 },
        { "among equals the one that was there first", "primary 1 Incomplete 1", "primary 1 Incomplete 2", null, 1 },
        { "among equals the one that was there first, in the other order", "primary 1 Incomplete 2", "primary 1 Incomplete 1", null, 2 },
        { "among equals the address stays where it is", "primary 1 Incomplete 1", "primary 1 Incomplete 2", 2, 2 },
        { "a role taken back to equal does not move the address", "secondary 1 Incomplete 9", "secondary 1 Incomplete 2", 1, 1 },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Select_TwoRoutes_TheBetterOneWins(string why, string first, string second, long? incumbent, long winner)
    {
        Assert.NotEmpty(why);
        Route[] routes = [Parse(1, first), Parse(2, second)];

        Assert.Equal(winner, BestRoute.Select(routes, incumbent)?.Session);
        Assert.Equal(winner, BestRoute.Select(routes.Reverse(), incumbent)?.Session);
    }

    [Fact]
    public void Select_NoRoute_ChoosesNothing() => Assert.Null(BestRoute.Select([], incumbentSession: 1));

    [Fact]
    public void Select_IncumbentIsGone_TheNextBestTakesOver() =>
        Assert.Equal(2, BestRoute.Select([Parse(2, "secondary 1 Incomplete 5")], incumbentSession: 1)?.Session);

    private static Route Parse(long session, string row)
    {
        var words = row.Split(' ');
        return new Route
        {
            Session = session,
            Arrival = long.Parse(words[3], null),
            ReceivedAt = DateTimeOffset.UnixEpoch,
            Offer = new OfferedRoute
            {
                Prefix = IPNetwork.Parse("203.0.113.10/32"),
                NextHop = IPAddress.Parse($"192.0.2.{session}"),
                Preference = Enum.Parse<RoutePreference>(words[0], ignoreCase: true),
                AsPathLength = int.Parse(words[1], null),
                Origin = Enum.Parse<Origin>(words[2]),
            },
        };
    }
}
