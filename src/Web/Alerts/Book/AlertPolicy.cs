using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Book;

/// <summary>A channel as far as the book needs to know it.</summary>
internal sealed record ChannelChoice(string Id, EventSeverity MinimumSeverity);

/// <summary>Something keeps alerts quiet: a freeze or a maintenance window that is in force.</summary>
/// <param name="Words">"frozen by alice until …", for people.</param>
/// <param name="IsFreeze">Else it is maintenance.</param>
/// <param name="Pair">Name of the pair, null: not only one.</param>
/// <param name="Node">Name of the node, null: not only one.</param>
internal sealed record Quiet(string Words, bool IsFreeze, string? Pair, string? Node)
{
    public bool Concerns(string? pair, string? node) =>
        (Pair is null || string.Equals(Pair, pair, StringComparison.OrdinalIgnoreCase)) && (Node is null || string.Equals(Node, node, StringComparison.OrdinalIgnoreCase));
}

/// <summary>By what the book decides: the rules, the channels that are on, and what keeps quiet now.</summary>
internal sealed record AlertPolicy(ImmutableDictionary<string, AlertRule> Rules, ImmutableArray<ChannelChoice> Channels, ImmutableArray<Quiet> Quiet)
{
    public static AlertPolicy Of(IEnumerable<AlertRule> rules, ImmutableArray<ChannelChoice> channels, ImmutableArray<Quiet> quiet) =>
        new(rules.ToImmutableDictionary(r => r.Id), channels, quiet);

    /// <summary>Whom the rule tells of something so severe.</summary>
    public ImmutableArray<string> ChannelsFor(AlertRule rule, EventSeverity severity) =>
        [.. Channels.Where(c => severity >= c.MinimumSeverity && (rule.Channels is not { } chosen || chosen.Contains(c.Id))).Select(c => c.Id)];

    /// <summary>Why nobody is told, null: nothing stands against it.</summary>
    public string? QuietFor(AlertRule rule, string? pair, string? node) =>
        Quiet.FirstOrDefault(q => (q.IsFreeze ? rule.QuietInFreeze : rule.QuietInMaintenance) && q.Concerns(pair, node))?.Words;
}
