using System.Collections.Immutable;
using System.Text;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Pages.Reachability;

/// <summary>What the list of probed targets shows, as it stands in its URL. Pure.</summary>
public sealed record ReachabilityQuery
{
    /// <summary>The page's address.</summary>
    public const string Path = "/reachability";

    /// <summary>So many rows are shown; the filters find the others.</summary>
    public const int Most = 100;

    /// <summary>Part of an id, label, address or pair.</summary>
    public string? Text { get; init; }

    /// <summary>Only in this state.</summary>
    public ReachabilityState? State { get; init; }

    /// <summary>Only of this kind.</summary>
    public ProbedKind? Kind { get; init; }

    /// <summary>As this vantage point sees it, by its name, and only what it asks; null: as the hub does.</summary>
    public string? Vantage { get; init; }

    /// <summary>Nothing is filtered.</summary>
    public bool IsEmpty => this == new ReachabilityQuery();

    /// <summary>What it finds: what does not answer first, then what is not known.</summary>
    public ImmutableArray<ProbedTarget> Of(ImmutableArray<ProbedTarget> all) =>
    [
        .. SeenIn(all).Where(t => (State is null || t.State == State) && (Kind is null || t.Kind == Kind)
                && (Text is not { Length: > 0 } text || new[] { t.Id, t.Label, t.Address, t.Pair }.Any(w => w?.Contains(text, StringComparison.OrdinalIgnoreCase) == true)))
            .OrderBy(t => t.State switch { ReachabilityState.Unreachable => 0, ReachabilityState.Unknown => 1, _ => 2 })
            .ThenBy(t => t.Kind).ThenBy(t => t.Label, StringComparer.OrdinalIgnoreCase),
    ];

    /// <summary>All that the vantage point asks, as it sees it.</summary>
    public IEnumerable<ProbedTarget> SeenIn(ImmutableArray<ProbedTarget> all) => Vantage is { } asker ? all.Select(t => t.SeenFrom(asker)).OfType<ProbedTarget>() : all;

    /// <summary>The nodes that ask something, by name.</summary>
    public static ImmutableArray<string> VantagesOf(ImmutableArray<ProbedTarget> all) =>
        [.. all.SelectMany(t => t.Further).Select(v => v.Name).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>The page's address with this query.</summary>
    public string ToUrl()
    {
        var url = new StringBuilder(Path);
        char next = '?';
        foreach ((string name, string? value) in new[] { ("q", Text), ("state", State?.ToString()), ("kind", Kind?.ToString()), ("vantage", Vantage) })
        {
            if (!string.IsNullOrEmpty(value))
            {
                url.Append(next).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                next = '&';
            }
        }

        return url.ToString();
    }

    /// <summary>The address of one target's page.</summary>
    /// <param name="id">Of the target.</param>
    /// <param name="range">One of <see cref="ChartRange"/>; null: the first.</param>
    /// <param name="vantage">From where; null: the hub.</param>
    public static string UrlOf(string id, string? range = null, string? vantage = null)
    {
        // The slash of a prefix stays one: the page takes all that follows.
        string url = $"{Path}/{Uri.EscapeDataString(id).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal)}";
        string query = string.Join('&', new[] { ("range", range), ("vantage", vantage) }.Where(p => p.Item2 is not null).Select(p => $"{p.Item1}={Uri.EscapeDataString(p.Item2!)}"));
        return query.Length == 0 ? url : $"{url}?{query}";
    }
}

/// <summary>A length of time that a chart may show.</summary>
/// <param name="Name">As it stands in the URL.</param>
/// <param name="Words">As it stands on the button.</param>
/// <param name="Length">How long.</param>
public sealed record ChartRange(string Name, string Words, TimeSpan Length)
{
    /// <summary>All of them, the shortest first.</summary>
    public static ImmutableArray<ChartRange> All { get; } =
    [
        new("1h", "1 h", TimeSpan.FromHours(1)),
        new("6h", "6 h", TimeSpan.FromHours(6)),
        new("24h", "24 h", TimeSpan.FromHours(24)),
        new("7d", "7 d", TimeSpan.FromDays(7)),
        new("30d", "30 d", TimeSpan.FromDays(30)),
        new("400d", "400 d", TimeSpan.FromDays(400)),
    ];

    /// <summary>By its name; what there is not is the first.</summary>
    public static ChartRange Of(string? name) => All.FirstOrDefault(r => r.Name == name) ?? All[0];
}
