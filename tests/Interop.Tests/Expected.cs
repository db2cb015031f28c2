using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests;

/// <summary>What the platform wants to see from a node.</summary>
internal static class Expected
{
    public static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();

    /// <summary>Every shared prefix with this community.</summary>
    public static IReadOnlyDictionary<string, string> All(string community) => These(Addresses.Shared, community);

    /// <summary>These prefixes with this community.</summary>
    public static IReadOnlyDictionary<string, string> These(IEnumerable<string> prefixes, string community) => prefixes.ToDictionary(prefix => prefix, _ => community);

    /// <summary>AS path, origin and next hop of a route, whatever its role.</summary>
    public static void AsThePlatformWantsIt(SeenRoute route, string node)
    {
        Assert.Equal("65001", route.AsPath);
        Assert.Equal("incomplete", route.Origin);
        Assert.Equal(Addresses.Node(node), route.NextHop);
    }
}
