using System.Collections.Immutable;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Alerts.Rules;

/// <summary>What a rule looks at.</summary>
public enum AlertKind
{
    /// <summary>A pair is in one of some states.</summary>
    PairState,

    /// <summary>A node is silent.</summary>
    NodeLink,

    /// <summary>BGP sessions of a node are not established.</summary>
    SessionsDown,

    /// <summary>A health check of a node fails.</summary>
    CheckUnhealthy,

    /// <summary>A shared address does not answer.</summary>
    AddressLost,

    /// <summary>Probes of a shared address are lost.</summary>
    ProbeLoss,

    /// <summary>A node's certificate expires.</summary>
    CertificateExpiring,

    /// <summary>The last operation of a pair did not succeed.</summary>
    OperationFailed,

    /// <summary>A node waits to become primary again.</summary>
    FailbackPending,

    /// <summary>The hub's own gateway does not answer.</summary>
    HubCutOff,

    /// <summary>The hub cannot write its history.</summary>
    HubStorage,

    /// <summary>The hub's disk is nearly full.</summary>
    HubDisk,

    /// <summary>A channel does not take messages.</summary>
    ChannelFailing,

    /// <summary>A node that asks for the hub is of no use as a vantage point.</summary>
    VantageLost,

    /// <summary>Nodes of a pair run on one physical host.</summary>
    SharedHost,

    /// <summary>What operators have added, or a node's own address, does not answer.</summary>
    TargetLost,

    /// <summary>Who answers on a shared address is not who should.</summary>
    AnswersWrong,
}

/// <summary>What an alert is about.</summary>
internal enum AlertSubjectKind
{
    Pair,
    Node,
    Address,
    Hub,
    Target,
}

/// <summary>What there is to say of a kind of rule.</summary>
/// <param name="Word">As the API writes it.</param>
/// <param name="Title">For people.</param>
/// <param name="About">What it looks at, one sentence.</param>
/// <param name="Subject">What its alerts are about.</param>
internal sealed record AlertKindFacts(string Word, string Title, string About, AlertSubjectKind Subject)
{
    /// <summary>Words that a rule chooses among; empty: there is nothing to choose.</summary>
    public ImmutableArray<string> States { get; init; } = [];

    /// <summary>What its number means; null: it has none.</summary>
    public AlertThreshold? Threshold { get; init; }
}

/// <summary>The number of a rule.</summary>
/// <param name="Words">What it means, for a form.</param>
/// <param name="Least">The least that may be written.</param>
/// <param name="Most">The most.</param>
/// <param name="Default">What it is when nobody says.</param>
internal sealed record AlertThreshold(string Words, double Least, double Most, double Default);

/// <summary>The kinds there are.</summary>
internal static class AlertKinds
{
    /// <summary>Of <see cref="AlertKind.TargetLost"/>: what operators have added.</summary>
    public const string AddedTarget = "Added";

    /// <summary>Likewise: a node's own address.</summary>
    public const string NodeTarget = "Node";

    private static readonly ImmutableDictionary<AlertKind, AlertKindFacts> Facts = new Dictionary<AlertKind, AlertKindFacts>
    {
        [AlertKind.PairState] = new("pair-state", "State of a pair", "A pair is in one of the chosen states.", AlertSubjectKind.Pair)
        {
            States = [.. new[] { PairState.NoAnnouncer, PairState.DualPrimary, PairState.Unknown, PairState.FailedOver, PairState.Degraded }.Select(s => s.ToString())],
        },
        [AlertKind.NodeLink] = new("node-link", "A node is silent", "Nothing is heard of a node, as one of the chosen links says.", AlertSubjectKind.Node)
        {
            States = [nameof(NodeLink.Offline), nameof(NodeLink.Stale)],
        },
        [AlertKind.SessionsDown] = new("sessions-down", "BGP sessions down", "So many sessions of a node are not established.", AlertSubjectKind.Node)
        {
            Threshold = new("sessions down, at least", 1, 1_000, 1),
        },
        [AlertKind.CheckUnhealthy] = new("check-unhealthy", "A health check fails", "A health check of a node says unhealthy.", AlertSubjectKind.Node),
        [AlertKind.AddressLost] = new("address-lost", "An address does not answer", "A shared address does not answer the hub.", AlertSubjectKind.Address),
        [AlertKind.ProbeLoss] = new("probe-loss", "Probes are lost", "So many of the probes of the last two minutes were lost.", AlertSubjectKind.Address)
        {
            Threshold = new("percent lost, at least", 0.1, 100, 5),
        },
        [AlertKind.VantageLost] = new("vantage-lost", "A vantage point is lost", "A node that asks targets for the hub does not do so any more, as one of the chosen troubles says. What its targets do from there is not known; it is no loss of theirs.", AlertSubjectKind.Node)
        {
            States = [.. Enum.GetNames<VantageTrouble>()],
        },
        [AlertKind.SharedHost] = new("shared-host", "A pair on one host", "Nodes of a pair run on one physical host: when that breaks nobody can take over.", AlertSubjectKind.Pair),
        [AlertKind.CertificateExpiring] = new("certificate-expiring", "A certificate expires", "A node's certificate is good for less than so many days, and for less than a quarter of its life.", AlertSubjectKind.Node)
        {
            Threshold = new("days left, fewer than", 0.1, 365, 7),
        },
        [AlertKind.OperationFailed] = new("operation-failed", "An operation did not succeed", "An operation ended in one of the chosen ways, within so many hours. It is over when somebody acknowledges it, or a later one of its pair succeeds; of the same kind again it is the same alert.", AlertSubjectKind.Pair)
        {
            States = [nameof(OperationStatus.Failed), nameof(OperationStatus.TimedOut), nameof(OperationStatus.Refused), nameof(OperationStatus.OutcomeUnknown)],
            Threshold = new("hours that it is news", 1, 168, 24),
        },
        [AlertKind.FailbackPending] = new("failback-pending", "A failback waits", "A node is held back from being primary.", AlertSubjectKind.Pair),
        [AlertKind.HubCutOff] = new("hub-cut-off", "The hub is cut off", "The hub's own gateway does not answer, so it cannot say how addresses and nodes are.", AlertSubjectKind.Hub),
        [AlertKind.HubStorage] = new("hub-storage", "The hub cannot write", "The hub's database takes no writes: history waits in memory, and no operation is accepted.", AlertSubjectKind.Hub),
        [AlertKind.HubDisk] = new("hub-disk", "The hub's disk is nearly full", "The disk of the hub's data folder has less free room than that.", AlertSubjectKind.Hub)
        {
            Threshold = new("percent free, less than", 0.1, 90, 10),
        },
        [AlertKind.ChannelFailing] = new("channel-failing", "A channel takes no messages", "The newest message to a channel could not be delivered.", AlertSubjectKind.Hub),
        [AlertKind.TargetLost] = new("target-lost", "A target does not answer", "What operators have added, or a node's own address that has answered before, does not answer the hub twice in a row.", AlertSubjectKind.Target)
        {
            States = [AddedTarget, NodeTarget],
        },
        [AlertKind.AnswersWrong] = new("answers-wrong", "The wrong machine answers", "Two nodes answer on a shared address in turn, another one than announced, or somebody who cannot prove who he is.", AlertSubjectKind.Address)
        {
            States = [.. Enum.GetNames<AnswerMarkKind>()],
        },
    }.ToImmutableDictionary();

    private static readonly ImmutableDictionary<string, AlertKind> ByWord = Facts.ToImmutableDictionary(f => f.Value.Word, f => f.Key);

    /// <summary>What there is to say of it.</summary>
    public static AlertKindFacts Of(AlertKind kind) => Facts[kind];

    /// <summary>The kind of a word, null: there is none.</summary>
    public static AlertKind? Parse(string word) => ByWord.TryGetValue(word, out AlertKind kind) ? kind : null;

    /// <summary>The kinds that there were before a hub noted which ones it had begun with.</summary>
    public static ImmutableArray<AlertKind> First { get; } = [.. Enum.GetValues<AlertKind>().Where(kind => kind <= AlertKind.ChannelFailing)];

    /// <summary>The rules that a hub begins with.</summary>
    public static ImmutableArray<AlertRule> Defaults { get; } =
    [
        New("No announcer", AlertKind.PairState, EventSeverity.Critical, 3, 10, 30, nameof(PairState.NoAnnouncer)),
        New("Dual primary", AlertKind.PairState, EventSeverity.Critical, 5, 10, 30, nameof(PairState.DualPrimary)),
        New("Failed over", AlertKind.PairState, EventSeverity.Warning, 15, 15, 240, nameof(PairState.FailedOver)) with { QuietInFreeze = true },
        New("Degraded pair", AlertKind.PairState, EventSeverity.Warning, 60, 30, 240, nameof(PairState.Degraded)) with { QuietInFreeze = true },
        New("Silent node", AlertKind.NodeLink, EventSeverity.Warning, 30, 10, 240, nameof(NodeLink.Offline)),
        New("Sessions down", AlertKind.SessionsDown, EventSeverity.Warning, 30, 30, 240),
        New("Check fails", AlertKind.CheckUnhealthy, EventSeverity.Warning, 10, 15, 240),
        New("Address does not answer", AlertKind.AddressLost, EventSeverity.Critical, 5, 10, 30),
        New("Probes lost", AlertKind.ProbeLoss, EventSeverity.Warning, 60, 120, 240),
        New("Vantage point lost", AlertKind.VantageLost, EventSeverity.Warning, 30, 10, 240, [.. Enum.GetNames<VantageTrouble>()]),
        New("Pair on one host", AlertKind.SharedHost, EventSeverity.Warning, 60, 60, 1_440),
        New("Certificate expires", AlertKind.CertificateExpiring, EventSeverity.Warning, 60, 5, 1_440),
        New("Operation did not succeed", AlertKind.OperationFailed, EventSeverity.Warning, 0, 0, null, nameof(OperationStatus.Failed), nameof(OperationStatus.TimedOut), nameof(OperationStatus.Refused), nameof(OperationStatus.OutcomeUnknown)),
        New("Failback waits", AlertKind.FailbackPending, EventSeverity.Warning, 900, 5, 240) with { QuietInFreeze = true },
        New("Hub is cut off", AlertKind.HubCutOff, EventSeverity.Critical, 15, 15, 60),
        New("Hub cannot write", AlertKind.HubStorage, EventSeverity.Critical, 10, 15, 60),
        New("Hub's disk is nearly full", AlertKind.HubDisk, EventSeverity.Warning, 60, 60, 1_440),
        New("Channel takes no messages", AlertKind.ChannelFailing, EventSeverity.Warning, 120, 10, 240),
        New("Target does not answer", AlertKind.TargetLost, EventSeverity.Warning, 15, 15, 240, AddedTarget, NodeTarget),
        New("Wrong machine answers", AlertKind.AnswersWrong, EventSeverity.Critical, 5, 10, 30, [.. Enum.GetNames<AnswerMarkKind>()]),
    ];

    private static AlertRule New(string name, AlertKind kind, EventSeverity severity, int raiseSeconds, int resolveSeconds, int? remindMinutes, params ImmutableArray<string> states) => new()
    {
        Id = name.ToLowerInvariant().Replace("'", "", StringComparison.Ordinal).Replace(' ', '-'),
        Name = name,
        Kind = kind,
        Severity = severity,
        States = states,
        Threshold = Of(kind).Threshold?.Default,
        RaiseAfter = TimeSpan.FromSeconds(raiseSeconds),
        ResolveAfter = TimeSpan.FromSeconds(resolveSeconds),
        RemindEvery = remindMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        QuietInMaintenance = Of(kind).Subject != AlertSubjectKind.Hub,
        Revision = 1,
    };
}
