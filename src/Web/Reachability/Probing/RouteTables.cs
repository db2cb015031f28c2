using System.Collections.Immutable;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>The kernel's tables of routes, each read by itself: a machine on which a family is turned off has no table of that family, and its other routes all the same.</summary>
internal static class RouteTables
{
    /// <summary>Where Linux tells of them.</summary>
    public const string Folder = "/proc/net";

    /// <summary>What is found in the table of IPv4; empty: it cannot be read.</summary>
    public static ImmutableArray<T> IPv4<T>(string folder, Func<IEnumerable<string>, IEnumerable<T>> find) => Read(Path.Combine(folder, "route"), find);

    /// <summary>What is found in the table of IPv6; empty: it cannot be read.</summary>
    public static ImmutableArray<T> IPv6<T>(string folder, Func<IEnumerable<string>, IEnumerable<T>> find) => Read(Path.Combine(folder, "ipv6_route"), find);

    private static ImmutableArray<T> Read<T>(string path, Func<IEnumerable<string>, IEnumerable<T>> find)
    {
        try
        {
            return [.. find(File.ReadLines(path))];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
