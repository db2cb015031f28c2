using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Book;

/// <summary>A channel as far as the book needs to know it.</summary>
internal sealed record ChannelChoice(string Id, EventSeverity MinimumSeverity);

/// <summary>What keeps alerts quiet.</summary>
internal enum QuietReason
{
    /// <summary>The pair is frozen.</summary>
    Freeze,

    /// <summary>Work is done on it.</summary>
    Maintenance,

    /// <summary>People have been told from memory, while it could not be written.</summary>
    Told,
}

/// <summary>Something keeps alerts quiet now.</summary>
/// <param name="Words">"frozen by alice until …", for people.</param>
/// <param name="Reason">What.</param>
internal sealed record Quiet(string Words, QuietReason Reason)
{
    private static readonly ImmutableHashSet<string> Nobody = ImmutableHashSet.Create<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>It is about everything.</summary>
    public bool IsOfAll { get; init; }

    /// <summary>Names of the pairs that it is about, with all that is said of them and their nodes.</summary>
    public ImmutableHashSet<string> Pairs { get; init; } = Nobody;

    /// <summary>Names of the nodes that it is about.</summary>
    public ImmutableHashSet<string> Nodes { get; init; } = Nobody;

    /// <summary>The one rule that it is about; null: all that may be kept quiet for that reason.</summary>
    public string? RuleId { get; init; }

    public static Quiet OfPairs(string words, QuietReason reason, params IEnumerable<string> pairs) => new(words, reason) { Pairs = Nobody.Union(pairs) };

    public static Quiet OfNodes(string words, QuietReason reason, params IEnumerable<string> nodes) => new(words, reason) { Nodes = Nobody.Union(nodes) };

    public bool Concerns(AlertRule rule, string? pair, string? node) =>
        Reason switch
        {
            QuietReason.Freeze => rule.QuietInFreeze,
            QuietReason.Maintenance => rule.QuietInMaintenance && AlertKinds.Of(rule.Kind).Subject != AlertSubjectKind.Hub,
            _ => true,
        }
        && (RuleId is null || RuleId == rule.Id)
        && (IsOfAll || (pair is not null && Pairs.Contains(pair)) || (node is not null && Nodes.Contains(node)));
}

/// <summary>By what the book decides: the rules, the channels that are on, and what keeps quiet now.</summary>
internal sealed record AlertPolicy(ImmutableDictionary<string, AlertRule> Rules, ImmutableArray<ChannelChoice> Channels, ImmutableArray<Quiet> Quiet)
{
    /// <summary>How what an alert is about is now, for its end.</summary>
    public Func<Alert, string> Afterwards { get; init; } = _ => "Nothing of it is found any more.";

    public static AlertPolicy Of(IEnumerable<AlertRule> rules, ImmutableArray<ChannelChoice> channels, ImmutableArray<Quiet> quiet) =>
        new(rules.ToImmutableDictionary(r => r.Id), channels, quiet);

    /// <summary>Whom the rule tells of something so severe.</summary>
    public ImmutableArray<string> ChannelsFor(AlertRule rule, EventSeverity severity) =>
        [.. Channels.Where(c => severity >= c.MinimumSeverity && (rule.Channels is not { } chosen || chosen.Contains(c.Id))).Select(c => c.Id)];

    /// <summary>Why nobody is told, null: nothing stands against it.</summary>
    public string? QuietFor(AlertRule rule, string? pair, string? node) =>
        Quiet.FirstOrDefault(q => q.Concerns(rule, pair, node))?.Words;
}
