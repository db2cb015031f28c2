using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Components.Live;

/// <summary>Whether a snapshot of the fleet may still be called current. Pure.</summary>
internal static class FleetAge
{
    /// <summary>The fleet is computed anew at least once a second; this much silence means that nobody computes it.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public static bool IsOld(FleetSnapshot snapshot, DateTimeOffset now) => now - snapshot.At > Limit;
}
