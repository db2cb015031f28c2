using System.Collections.Immutable;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Rules;

/// <summary>When people are told of what.</summary>
public sealed record AlertRule
{
    /// <summary>Never changes.</summary>
    public required string Id { get; init; }

    /// <summary>For people; unique, 1 to 80 characters.</summary>
    public required string Name { get; init; }

    /// <summary>What it looks at; never changes.</summary>
    public required AlertKind Kind { get; init; }

    /// <summary>It is asked. When it is switched off its alerts end.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>How much its alerts matter.</summary>
    public EventSeverity Severity { get; init; } = EventSeverity.Warning;

    /// <summary>So long something has to be wrong without a break before it is an alert: 0 s to 7 days.</summary>
    public TimeSpan RaiseAfter { get; init; }

    /// <summary>So long it has to be right again before the alert ends: 0 s to 7 days.</summary>
    public TimeSpan ResolveAfter { get; init; }

    /// <summary>So often people are told again while nobody acknowledges it, 1 min to 30 days; null: once.</summary>
    public TimeSpan? RemindEvery { get; init; }

    /// <summary>Its number, where its kind has one.</summary>
    public double? Threshold { get; init; }

    /// <summary>Its states, where its kind has some: at least one.</summary>
    public ImmutableArray<string> States { get; init; } = [];

    /// <summary>Names of the pairs that it is about; empty: all.</summary>
    public ImmutableArray<string> Pairs { get; init; } = [];

    /// <summary>Names of the nodes that it is about; empty: all.</summary>
    public ImmutableArray<string> Nodes { get; init; } = [];

    /// <summary>Names of the targets that operators have added that it is about, where its kind looks at them; empty: all.</summary>
    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>Ids of the channels that are told; null: all there are; empty: none, it only stands on the page.</summary>
    public ImmutableArray<string>? Channels { get; init; }

    /// <summary>Nobody is told while the pair is frozen.</summary>
    public bool QuietInFreeze { get; init; }

    /// <summary>Nobody is told in a maintenance window; of what is about the hub itself people are told all the same.</summary>
    public bool QuietInMaintenance { get; init; } = true;

    /// <summary>Grows with each change.</summary>
    public long Revision { get; init; }

    /// <summary>Whether it is about that pair and one of those nodes. Of names that are written into a rule case does not matter.</summary>
    internal bool IsAbout(string? pair, params IEnumerable<string> nodes) =>
        (Pairs.IsDefaultOrEmpty || (pair is not null && Pairs.Contains(pair, StringComparer.OrdinalIgnoreCase)))
        && (Nodes.IsDefaultOrEmpty || nodes.Any(node => Nodes.Contains(node, StringComparer.OrdinalIgnoreCase)));

    /// <summary>The rule for a node that has another name from now on; null: it does not name that node, and stays as it is.</summary>
    internal AlertRule? WithNodeRenamed(string from, string to)
    {
        bool Is(string node) => string.Equals(node, from, StringComparison.OrdinalIgnoreCase);
        return Nodes.IsDefaultOrEmpty || !Nodes.Any(Is) ? null : this with { Nodes = [.. Nodes.Select(node => Is(node) ? to : node).Distinct(StringComparer.OrdinalIgnoreCase)], Revision = Revision + 1 };
    }

    /// <summary>Whether it is about what operators have added under that name: a rule for some pairs, or some nodes, is not.</summary>
    internal bool IsAboutTarget(string name) =>
        Pairs.IsDefaultOrEmpty && Nodes.IsDefaultOrEmpty && (Targets.IsDefaultOrEmpty || Targets.Contains(name, StringComparer.OrdinalIgnoreCase));
}
