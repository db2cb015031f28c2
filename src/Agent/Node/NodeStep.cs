using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>One application of an event while it is being worked out: the state so far and the effects so far.</summary>
internal sealed class NodeStep(NodeState state, Moment now)
{
    // In ascending order. 65535:0 is GRACEFUL_SHUTDOWN (RFC 8326 5): prefer any other route, this one is about to go.
    private static readonly ImmutableArray<Community> _primary = [new(65000, 1)];
    private static readonly ImmutableArray<Community> _secondary = [new(65000, 2)];
    private static readonly ImmutableArray<Community> _leavingPrimary = [.. _primary, new(65535, 0)];
    private static readonly ImmutableArray<Community> _leavingSecondary = [.. _secondary, new(65535, 0)];

    /// <summary>For the entry of what was kept and of which nobody has written down what came of it.</summary>
    /// <param name="atOnce">
    /// What it wanted to be primary whatever the failback policy holds. That is an act of the moment and not kept: a start is a return, and after it they are held
    /// like others that return. To let them go then, perhaps days later, would be what nobody asked for.
    /// </param>
    public static string EndedThen(IEnumerable<System.Net.IPNetwork> atOnce)
    {
        const string ended = "the agent ended before it wrote down what came of that, and obeys it since its next start";
        var held = atOnce.Order(Comparer<System.Net.IPNetwork>.Create(SharedPrefix.Compare)).ToList();
        return held.Count == 0
            ? ended
            : $"{ended}, but for 'at once': {string.Join(" and ", held.Take(MostNamed))}{(held.Count > MostNamed ? $" and {held.Count - MostNamed} more" : "")} may be held back by the failback policy, and 'failoverhub-agent failback' lets go what is";
    }

    // An entry is for people to read.
    private const int MostNamed = 3;

    private string _onSessions = "";
    private readonly ImmutableArray<NodeEffect>.Builder _effects = ImmutableArray.CreateBuilder<NodeEffect>();

    public NodeState State { get; set; } = state;

    public Moment Now { get; } = now;

    public ImmutableArray<NodeEffect> Effects => _effects.ToImmutable();

    public void Do(NodeEffect effect) => _effects.Add(effect);

    public void Record(TransitionKind kind, string text, string prefix = "", string neighbor = "", string operationId = "", string actor = "") =>
        Do(new NodeEffect.Record(kind, text, prefix, neighbor, operationId) { Actor = actor });

    /// <summary>Decides every prefix anew and hands the routes on when they differ.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="first">What has to be recorded before the prefixes' own transitions; the sessions are told before, as a rule.</param>
    public void Replan(Cause cause, Action? first = null)
    {
        _onSessions = OnSessions();

        // By prefix, because ten thousand of them are too many to be looked for one by one.
        var before = State.Prefixes.ToDictionary(old => old.Prefix);
        var configured = State.Settings.Announce.ToDictionary(announced => announced.Prefix);
        var assigned = State.Intent?.Prefixes.DistinctBy(entry => entry.Prefix).ToDictionary(entry => entry.Prefix) ?? [];
        var decided = KnownPrefixes().Select(prefix => Decide(before.GetValueOrDefault(prefix), Said(prefix, configured, assigned), cause)).ToList();
        ImmutableArray<Advertisement> advertisements = [.. decided
            .Where(item => item.Decision is AdvertisementDecision.Announce)
            .Select(item => Advertise(item.Prefix, (AdvertisementDecision.Announce)item.Decision))];

        var changed = State.Version == 0 || !advertisements.SequenceEqual(State.Advertisements);
        var version = changed ? State.Version + 1 : State.Version;
        State = State with
        {
            Version = version,
            Advertisements = advertisements,
            DampingEnd = decided.Min(item => item.Flaps?.Suppression?.Until.Monotonic),
            FailbackEnd = decided.Min(item => item.Failback.ReleaseAt(item.Policy)),
            Prefixes = [.. decided.Select(item => new PrefixState(
                item.Prefix,
                item.Facts.AddressPresent,
                item.Facts.Assigned,
                item.Facts.Health,
                item.Decision,
                item.Old is not null && item.Old.Decision == item.Decision ? item.Old.Version : version)
            {
                Seen = item.Facts.AddressPresent || item.Old is { Seen: true },
                Flaps = item.Flaps,
                HeldBack = item.HeldBack,
                Demoted = item.IsDemoted,
                AwaitsVerdict = item.Facts.AwaitsVerdict,
                Failback = item.Failback,
                FailbackPolicy = item.Policy,
            })],
        };

        // Before anybody hears that it is primary: whoever dies right after that must know of it in the next life.
        Failback.Remember(this);

        if (cause.IsRecordedFirst)
        {
            first?.Invoke();
        }

        // While stopping, the sessions withdraw by themselves: StopSessions.
        if (changed && !State.Stopping)
        {
            Do(new NodeEffect.SetAdvertisements(version, advertisements));
        }

        if (!cause.IsRecordedFirst)
        {
            first?.Invoke();
        }

        // One kind after the other, so that what is said of many prefixes at once stands together: the journal keeps it as one.
        Each(place => RecordDampingEnd(decided[place], cause));
        Each(place => Failback.RecordEnd(this, decided[place].Old, State.Prefixes[place], cause));
        Each(place => RecordChange(decided[place], cause));
        Each(place => RecordDampingBegin(decided[place], cause));
        Each(place => Failback.RecordBegin(this, decided[place].Old, State.Prefixes[place]));

        void Each(Action<int> record)
        {
            var first = _effects.Count;
            for (var place = 0; place < decided.Count; place++)
            {
                record(place);
            }

            Gather(first);
        }
    }

    // What differs in nothing but its prefix goes to where the first of it stands. Of each prefix there is one at most.
    private void Gather(int first)
    {
        if (_effects.Count - first < 3)
        {
            return;
        }

        var gathered = _effects.Skip(first).GroupBy(Alike).SelectMany(alike => alike).ToList();
        for (var place = 0; place < gathered.Count; place++)
        {
            _effects[first + place] = gathered[place];
        }

        static NodeEffect? Alike(NodeEffect effect) => effect is NodeEffect.Record record && record.Text.StartsWith(record.Prefix, StringComparison.Ordinal)
            ? record with { Prefix = "", Text = record.Text[record.Prefix.Length..] }
            : null;
    }

    // With damping: what was announced, or would have been but for the damping, and is lost by itself, is a flap. So is a demotion.
    private Decided Decide(PrefixState? old, PrefixOrders said, Cause cause)
    {
        var facts = Facts(said);
        var wasAnnounced = old is { Decision: AdvertisementDecision.Announce };
        facts = facts with
        {
            Leaving = wasAnnounced && State.Leaving is not null,

            // What is announced waits for no verdict: it is kept until there is one.
            AwaitsVerdict = facts.AwaitsVerdict && !wasAnnounced,

            // On the way to the end nothing new begins.
            Stopping = facts.Stopping || (State.Leaving is { Stops: true } && !wasAnnounced),
        };
        var flaps = old?.Flaps;
        var undamped = AdvertisementPlanner.Decide(facts);
        if (flaps is not null && (cause.Forgives || old!.AssignedRole != facts.Assigned))
        {
            flaps = null;
        }

        var lost = (wasAnnounced || old is { HeldBack: true }) && undamped is AdvertisementDecision.Withdraw;
        var demoted = (old is { Demoted: false } && wasAnnounced || old is { HeldBack: true }) && IsDemotion(facts, undamped);
        if (State.Settings.Damping is { } damping && cause.Involuntary && (lost || demoted))
        {
            flaps = FlapHistory.Add(flaps, Now, damping);
        }

        if (flaps?.Suppression is { } suppression && suppression.Until.Monotonic <= Now.Monotonic)
        {
            flaps = flaps with { Suppression = null };
        }

        // Damping delays an announcement and never ends one.
        facts = facts with
        {
            Damped = flaps?.Suppression is not null && !wasAnnounced,
            StaysDemoted = flaps?.Suppression is not null && wasAnnounced && old is { Demoted: true },
        };
        var unheld = facts.Damped || facts.StaysDemoted ? AdvertisementPlanner.Decide(facts) : undamped;
        var failback = Failback.Next(old?.Failback ?? Failback.Remembered(State, said.Prefix), new FailbackFacts(
            said.Failback,
            unheld is AdvertisementDecision.Announce { Role: Role.Primary },
            State.EstablishedSessions > 0,
            old is null ? State.FailbackMemory.Returned(cause.Text) : cause.Text,
            Now.Monotonic)
        {
            Disconnected = cause.Disconnected,
            Leaving = unheld is AdvertisementDecision.Announce { GracefulShutdown: true },
            Released = cause.FailsBack?.Contains(said.Prefix) == true
                || (old is not null && old.AssignedRole != Role.Primary && facts.Assigned == Role.Primary && !cause.EndsDoubt),
        });
        facts = facts with { Held = failback.IsHeld };
        return new Decided(said.Prefix, old, facts, facts.Held ? AdvertisementPlanner.Decide(facts) : unheld, flaps)
        {
            HeldBack = undamped is AdvertisementDecision.Announce && unheld != undamped,
            IsDemoted = IsDemotion(facts, unheld),
            Failback = failback,
            Policy = said.Failback,
        };
    }

    private static bool IsDemotion(AdvertisementFacts facts, AdvertisementDecision decision) =>
        facts is { Demoted: true, Assigned: Role.Primary } && decision is AdvertisementDecision.Announce;

    private List<System.Net.IPNetwork> KnownPrefixes()
    {
        var known = State.Prefixes.Where(prefix => prefix.Seen).Select(prefix => prefix.Prefix)
            .Concat(State.OnInterfaces)
            .Concat(State.Settings.Announce.Select(configured => configured.Prefix))
            .Concat(State.Intent?.Prefixes.Select(entry => entry.Prefix) ?? [])
            .Concat(State.Orders.Roles.Keys)
            .Concat(State.Instance?.Shared ?? [])
            .Distinct()
            .ToList();

        // The prefixes of the last plan come first and in order: mostly nothing is new behind them, and comparing neighbors is all it takes.
        if (!IsSorted(known))
        {
            known.Sort(SharedPrefix.Compare);
        }

        return known;

        static bool IsSorted(List<System.Net.IPNetwork> prefixes)
        {
            for (var i = 1; i < prefixes.Count; i++)
            {
                if (SharedPrefix.Compare(prefixes[i - 1], prefixes[i]) > 0)
                {
                    return false;
                }
            }

            return true;
        }
    }

    private PrefixOrders Said(System.Net.IPNetwork prefix, Dictionary<System.Net.IPNetwork, ConfiguredPrefix> configured, Dictionary<System.Net.IPNetwork, PrefixIntent> assigned) =>
        PrefixOrders.Of(State, prefix, configured.GetValueOrDefault(prefix), assigned.GetValueOrDefault(prefix));

    private AdvertisementFacts Facts(PrefixOrders said)
    {
        var health = HealthVerdicts.Of(State, said.Prefix);
        return new(State.Stopping, State.Drained, State.OnInterfaces.Contains(said.Prefix) || said.IsGiven, said.Role, health.Health)
        {
            AwaitsVerdict = health.AwaitsVerdict,
            OnlyDemotes = health.OnlyDemotes,
        };
    }

    private Advertisement Advertise(System.Net.IPNetwork prefix, AdvertisementDecision.Announce announce) => new()
    {
        Prefix = prefix,
        Communities = (announce.Role, announce.GracefulShutdown) switch
        {
            (Role.Primary, false) => _primary,
            (Role.Primary, true) => _leavingPrimary,
            (_, false) => _secondary,
            (_, true) => _leavingSecondary,
        },
        LargeCommunities = State.Settings.LargeCommunities,
    };

    private void RecordChange(Decided item, Cause cause)
    {
        if (item.Old?.Decision == item.Decision)
        {
            return;
        }

        var prefix = item.Prefix.ToString();
        switch (item.Old?.Decision, item.Decision)
        {
            case (AdvertisementDecision.Announce(var from), AdvertisementDecision.Announce(var to)) when from != to:
                Record(TransitionKind.RoleChanged, $"{prefix} announced as {to.Word()} instead of {from.Word()} {_onSessions}: {cause.Text}", prefix, operationId: cause.OperationId);
                break;
            case (null or AdvertisementDecision.Withdraw, AdvertisementDecision.Announce(var role)):
                Record(TransitionKind.Announced, $"{prefix} announced as {role.Word()} {_onSessions}: {cause.Text}", prefix, operationId: cause.OperationId);
                break;
            case (AdvertisementDecision.Announce(var role), AdvertisementDecision.Withdraw(var reason)):
                Record(TransitionKind.Withdrawn, $"{prefix} withdrawn ({reason.Word()}), it was announced as {role.Word()} {_onSessions}: {cause.Text}", prefix, operationId: cause.OperationId);
                break;
            case (null, AdvertisementDecision.Withdraw(var reason)):
                Do(new NodeEffect.Log(LogLevel.Information, $"{prefix} is not announced ({(item.Facts.AwaitsVerdict && reason == WithdrawnReason.Unhealthy ? "it waits for the first verdict of its checks" : reason.Word())}): {cause.Text}"));
                break;
            // While it is damped its beginning and its end are said, and not each flap in between.
            case (AdvertisementDecision.Withdraw(var from), AdvertisementDecision.Withdraw(var to)) when from != to && item is { HeldBack: false, Old.HeldBack: false }:
                Do(new NodeEffect.Log(LogLevel.Information, $"{prefix} stays withdrawn, now because {to.Word()} instead of {from.Word()}: {cause.Text}"));
                break;
            default:
                break;
        }
    }

    private void RecordDampingBegin(Decided item, Cause cause)
    {
        if (item.Flaps is { Suppression: { } began } && item.Old?.Flaps?.Suppression is null && State.Settings.Damping is { } damping)
        {
            Record(
                TransitionKind.Damped,
                $"{item.Prefix} damped, it was lost {item.Flaps.Flaps} times lately: it stays {(item.IsDemoted ? "announced as secondary" : "withdrawn")} for {Words.Lasted(began.Until.Monotonic - Now.Monotonic)} if it is steady, for {Words.Lasted(damping.Longest)} at most, or until an operator's command: {cause.Text}",
                item.Prefix.ToString());
        }
    }

    private void RecordDampingEnd(Decided item, Cause cause)
    {
        if (item.Old?.Flaps?.Suppression is not { } ended || item.Flaps?.Suppression is not null)
        {
            return;
        }

        var why = item.Flaps is null ? cause.Text
            : Now.Monotonic - ended.Since.Monotonic < State.Settings.Damping?.Longest ? "it was steady for long enough"
            : "it is held back no longer than this, steady or not";
        Record(
            TransitionKind.DampingEnded,
            $"{item.Prefix} no longer damped after {Words.Lasted(Now.Monotonic - ended.Since.Monotonic)}: {why}",
            item.Prefix.ToString(),
            operationId: item.Flaps is null ? cause.OperationId : "");
    }

    /// <summary>For sentences: <c>on 4 sessions</c>.</summary>
    public string OnSessions() => State.EstablishedSessions switch
    {
        0 => "(no session is established)",
        1 => "on 1 session",
        var count => $"on {count} sessions",
    };

    private readonly record struct Decided(System.Net.IPNetwork Prefix, PrefixState? Old, AdvertisementFacts Facts, AdvertisementDecision Decision, FlapHistory? Flaps)
    {
        public bool HeldBack { get; init; }

        public bool IsDemoted { get; init; }

        public FailbackStatus Failback { get; init; } = FailbackStatus.Fresh;

        public required FailbackOptions Policy { get; init; }
    }
}

/// <summary>Why prefixes are decided anew.</summary>
/// <param name="Text">For sentences, behind a colon.</param>
/// <param name="OperationId">Of the hub, empty: none.</param>
internal readonly record struct Cause(string Text, string OperationId = "")
{
    /// <summary>It happened to the node and nobody wanted it: what is withdrawn now has flapped.</summary>
    public bool Involuntary { get; init; }

    /// <summary>An operator wants something else of all prefixes: whatever they were damped for is forgotten.</summary>
    public bool Forgives { get; init; }

    /// <summary>What an operator wants to be primary now, whatever is held back. Null: nothing.</summary>
    public ImmutableHashSet<System.Net.IPNetwork>? FailsBack { get; init; }

    /// <summary>It is known again what the node was told, or what it has to do with a prefix: that one is an assigned primary now is no news, and releases nothing.</summary>
    public bool EndsDoubt { get; init; }

    /// <summary>The last session was lost.</summary>
    public bool Disconnected { get; init; }

    /// <summary>It is an act of which nothing is kept on the disk: its entry is, before the neighbors are told.</summary>
    public bool IsRecordedFirst { get; init; }
}
