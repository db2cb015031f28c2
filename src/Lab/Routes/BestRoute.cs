namespace FailoverHub.Lab.Routes;

/// <summary>
/// The decision process of the trial's route servers, as the platform's: one best route per prefix, no equal-cost multipath.
/// </summary>
internal static class BestRoute
{
    /// <summary>
    /// Chooses among the routes of one prefix (RFC 4271 9.1): preference by community, then the shorter AS path, then the lower ORIGIN,
    /// then the one that is there already (RFC 5004: nothing moves among equals), then the one that came first.
    /// </summary>
    /// <param name="candidates">Accepted routes of one prefix, at most one per session.</param>
    /// <param name="incumbentSession">Session of the route that is best until now, null when there is none.</param>
    /// <returns>The best, or null without candidates.</returns>
    public static Route? Select(IEnumerable<Route> candidates, long? incumbentSession) =>
        candidates
            .OrderByDescending(route => route.Offer.Preference)
            .ThenBy(route => route.Offer.AsPathLength)
            .ThenBy(route => route.Offer.Origin)
            .ThenByDescending(route => route.Session == incumbentSession)
            .ThenBy(route => route.Arrival)
            .FirstOrDefault();
}
