using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Alerts.Maintenance;

/// <summary>Which windows make sense, and what those in force keep quiet. Pure.</summary>
internal static class MaintenancePlan
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>A window is planned at most so long before it begins.</summary>
    public static readonly TimeSpan FarthestAhead = TimeSpan.FromDays(366);

    public const int ShortestReason = 3;
    public const int LongestReason = 500;

    /// <summary>A form takes its time: what was to begin a moment ago begins now.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMinutes(5);

    /// <summary>What is wrong, by field; empty: nothing.</summary>
    public static ImmutableSortedDictionary<string, string> Problems(MaintenanceRequest request, FleetSnapshot fleet, DateTimeOffset now)
    {
        var problems = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (ProblemOfTarget(request, fleet) is { } problem)
        {
            problems["target"] = problem;
        }

        DateTimeOffset from = BeginOf(request, now);
        if (from < now)
        {
            problems["from"] = "That is over: write a time to come, or leave it out for now.";
        }
        else if (from - now > FarthestAhead)
        {
            problems["from"] = string.Create(CultureInfo.InvariantCulture, $"Plan it at most {FarthestAhead.TotalDays:0} days ahead.");
        }

        if (request.To - from < Shortest)
        {
            problems["until"] = "It has to end at least a minute after it begins, and in the future.";
        }
        else if (request.To - from > Longest)
        {
            problems["until"] = string.Create(CultureInfo.InvariantCulture, $"It lasts at most {Longest.TotalDays:0} days: plan another one after it.");
        }

        if (request.Reason.Trim().Length is < ShortestReason or > LongestReason)
        {
            problems["reason"] = $"Say why, in {ShortestReason} to {LongestReason} characters.";
        }

        return problems.ToImmutable();
    }

    /// <summary>When it begins.</summary>
    public static DateTimeOffset BeginOf(MaintenanceRequest request, DateTimeOffset now) => request.From is not { } from || (from < now && now - from <= Moment) ? now : from;

    /// <summary>The target as the fleet writes it, so that its case does not matter later; empty: everything.</summary>
    public static string TargetOf(MaintenanceRequest request, FleetSnapshot fleet) => request.Scope switch
    {
        MaintenanceScope.All => "",
        MaintenanceScope.Pair => fleet.Pairs.First(p => Same(p.Name, request.Target)).Name,
        MaintenanceScope.Node => fleet.Nodes.First(n => Same(n.Name, request.Target)).Name,
        _ => request.Target!,
    };

    /// <summary>What windows keep quiet now; of several that are about the same the one that ends last, so that its words stay when the others end.</summary>
    public static ImmutableArray<Quiet> QuietNow(IEnumerable<MaintenanceWindow> windows, FleetSnapshot fleet, DateTimeOffset now) =>
        [.. InForce(windows, now).Select(w => QuietOf(w, fleet))];

    /// <summary>Windows in force that are about everything, who ends last first.</summary>
    public static ImmutableArray<MaintenanceWindow> OfAll(IEnumerable<MaintenanceWindow> windows, DateTimeOffset now) =>
        [.. InForce(windows, now).Where(w => w.Scope == MaintenanceScope.All)];

    /// <summary>Windows in force that are about a pair, its data center or one of its nodes, who ends last first; not those of everything.</summary>
    public static ImmutableArray<MaintenanceWindow> OfPair(IEnumerable<MaintenanceWindow> windows, PairView pair, DateTimeOffset now) =>
        [.. InForce(windows, now).Where(w => w.Scope switch
        {
            MaintenanceScope.Pair => Same(pair.Name, w.Target),
            MaintenanceScope.Node => pair.Members.Any(m => Same(m.Node.Name, w.Target)),
            MaintenanceScope.DataCenter => pair.Members.Any(m => m.Node.DataCenter == w.Target),
            _ => false,
        })];

    private static IEnumerable<MaintenanceWindow> InForce(IEnumerable<MaintenanceWindow> windows, DateTimeOffset now) =>
        windows.Where(w => w.StateAt(now) == MaintenanceState.InForce).OrderByDescending(w => w.Until).ThenBy(w => w.Id, StringComparer.Ordinal);

    private static Quiet QuietOf(MaintenanceWindow window, FleetSnapshot fleet)
    {
        string words = $"maintenance of {window.About} by {window.By} until {window.Until.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC";
        return window.Scope switch
        {
            MaintenanceScope.All => new Quiet(words, QuietReason.Maintenance) { IsOfAll = true },
            MaintenanceScope.Pair => Quiet.OfPairs(words, QuietReason.Maintenance, window.Target),
            MaintenanceScope.Node => Quiet.OfNodes(words, QuietReason.Maintenance, window.Target),
            _ => Quiet.OfPairs(words, QuietReason.Maintenance, fleet.Pairs.Where(p => p.Members.Any(m => m.Node.DataCenter == window.Target)).Select(p => p.Name)) with
            {
                Nodes = Quiet.OfNodes(words, QuietReason.Maintenance, fleet.Nodes.Where(n => n.DataCenter == window.Target).Select(n => n.Name)).Nodes,
            },
        };
    }

    // A name that is misspelt would keep nothing quiet, and nobody would know before it is night.
    private static string? ProblemOfTarget(MaintenanceRequest request, FleetSnapshot fleet) => request.Scope switch
    {
        MaintenanceScope.All => request.Target is { Length: > 0 } ? "Everything has no name: leave it out." : null,
        MaintenanceScope.Pair => fleet.Pairs.Any(p => Same(p.Name, request.Target)) ? null : $"No pair is called '{request.Target}'.",
        MaintenanceScope.Node => fleet.Nodes.Any(n => Same(n.Name, request.Target)) ? null : $"No node is called '{request.Target}'.",
        _ => request.Target is { Length: > 0 } && fleet.Nodes.Any(n => n.DataCenter == request.Target) ? null : $"No node is in a data center '{request.Target}'.",
    };

    private static bool Same(string name, string? other) => string.Equals(name, other?.Trim(), StringComparison.OrdinalIgnoreCase);
}
