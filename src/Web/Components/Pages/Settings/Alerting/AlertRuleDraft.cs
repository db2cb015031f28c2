using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Components.Pages.Settings.Alerting;

/// <summary>A rule while it is being written in a form.</summary>
public sealed class AlertRuleDraft
{
    private readonly AlertRule _rule;

    private AlertRuleDraft(AlertRule rule)
    {
        _rule = rule;
        (Name, Kind, Enabled, Severity) = (rule.Name, rule.Kind, rule.Enabled, rule.Severity);
        (RaiseSeconds, ResolveSeconds, RemindMinutes) = ((int)rule.RaiseAfter.TotalSeconds, (int)rule.ResolveAfter.TotalSeconds, rule.RemindEvery is { } again ? (int)again.TotalMinutes : null);
        (Threshold, States, Pairs, Nodes) = (rule.Threshold, [.. rule.States], string.Join(", ", rule.Pairs), string.Join(", ", rule.Nodes));
        Targets = string.Join(", ", rule.Targets);
        (AllChannels, Channels) = (rule.Channels is null, [.. rule.Channels ?? []]);
        (QuietInFreeze, QuietInMaintenance) = (rule.QuietInFreeze, rule.QuietInMaintenance);
    }

    /// <summary>It is being made.</summary>
    public bool IsNew => _rule.Revision == 0;

    /// <summary>Of the rule; empty: it is new.</summary>
    public string Id => _rule.Id;

    /// <summary>The revision that is being looked at.</summary>
    public long Revision => _rule.Revision;

    /// <summary>Its name.</summary>
    public string Name { get; set; }

    /// <summary>What it looks at.</summary>
    public AlertKind Kind { get; private set; }

    /// <summary>It is asked.</summary>
    public bool Enabled { get; set; }

    /// <summary>How much its alerts matter.</summary>
    public EventSeverity Severity { get; set; }

    /// <summary>Raised after so many seconds.</summary>
    public int RaiseSeconds { get; set; }

    /// <summary>Over after so many seconds.</summary>
    public int ResolveSeconds { get; set; }

    /// <summary>Reminded every so many minutes; null: once.</summary>
    public int? RemindMinutes { get; set; }

    /// <summary>Its number; null: its kind has none.</summary>
    public double? Threshold { get; set; }

    /// <summary>The states that are ticked.</summary>
    public HashSet<string> States { get; private set; }

    /// <summary>Names, separated by commas; empty: all.</summary>
    public string Pairs { get; set; }

    /// <summary>Likewise.</summary>
    public string Nodes { get; set; }

    /// <summary>Likewise, of targets that operators have added.</summary>
    public string Targets { get; set; }

    /// <summary>Every channel is told.</summary>
    public bool AllChannels { get; set; }

    /// <summary>Else the ids of those that are.</summary>
    public HashSet<string> Channels { get; }

    /// <summary>Nobody is told while the pair is frozen.</summary>
    public bool QuietInFreeze { get; set; }

    /// <summary>Nobody is told in a maintenance window.</summary>
    public bool QuietInMaintenance { get; set; }

    /// <summary>Of a rule.</summary>
    public static AlertRuleDraft Of(AlertRule rule) => new(rule);

    /// <summary>A new one.</summary>
    public static AlertRuleDraft New() => new(new AlertRule { Id = "", Name = "", Kind = AlertKind.PairState, RaiseAfter = TimeSpan.FromSeconds(30), ResolveAfter = TimeSpan.FromSeconds(30) });

    /// <summary>Of a new rule: what it looks at.</summary>
    public void Choose(AlertKind kind) => (Kind, Threshold, States) = (kind, AlertKinds.Of(kind).Threshold?.Default, []);

    /// <summary>Ticks one, or takes the tick away.</summary>
    public void Toggle(HashSet<string> among, string one)
    {
        if (!among.Remove(one))
        {
            among.Add(one);
        }
    }

    /// <summary>As it is to be.</summary>
    public AlertRule ToRule() => _rule with
    {
        Name = Name,
        Kind = Kind,
        Enabled = Enabled,
        Severity = Severity,
        RaiseAfter = TimeSpan.FromSeconds(RaiseSeconds),
        ResolveAfter = TimeSpan.FromSeconds(ResolveSeconds),
        RemindEvery = RemindMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        Threshold = Threshold,
        States = [.. AlertKinds.Of(Kind).States.Where(States.Contains)],
        Pairs = Names(Pairs),
        Nodes = Names(Nodes),
        Targets = AlertKinds.Of(Kind).Subject == AlertSubjectKind.Target ? Names(Targets) : [],
        Channels = AllChannels ? null : [.. Channels],
        QuietInFreeze = QuietInFreeze,
        QuietInMaintenance = QuietInMaintenance,
    };

    private static ImmutableArray<string> Names(string text) => [.. text.Split([',', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.OrdinalIgnoreCase)];
}
