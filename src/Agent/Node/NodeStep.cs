using System.Collections.Immutable;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>One application of an event while it is being worked out: the state so far and the effects so far.</summary>
internal sealed class NodeStep(NodeState state, Moment now)
{
    private static readonly Community _primary = new(65000, 1);
    private static readonly Community _secondary = new(65000, 2);

    private readonly ImmutableArray<NodeEffect>.Builder _effects = ImmutableArray.CreateBuilder<NodeEffect>();

    public NodeState State { get; set; } = state;

    public Moment Now { get; } = now;

    public ImmutableArray<NodeEffect> Effects => _effects.ToImmutable();

    public void Do(NodeEffect effect) => _effects.Add(effect);

    public void Record(TransitionKind kind, string text, string prefix = "", string neighbor = "", string operationId = "") =>
        Do(new NodeEffect.Record(kind, text, prefix, neighbor, operationId));

    /// <summary>Decides every prefix anew and hands the routes on when they differ.</summary>
    /// <param name="cause">For sentences, behind a colon.</param>
    /// <param name="first">Told to the sessions before anything: what has to be recorded before the prefixes' own transitions.</param>
    /// <param name="operationId">Of the hub, empty: none.</param>
    public void Replan(string cause, Action? first = null, string operationId = "")
    {
        // By prefix, because ten thousand of them are too many to be looked for one by one.
        var before = State.Prefixes.ToDictionary(old => old.Prefix);
        var configured = State.Settings.Announce.ToDictionary(announced => announced.Prefix, announced => announced.Role);
        var assigned = State.Intent?.Prefixes.DistinctBy(entry => entry.Prefix).ToDictionary(entry => entry.Prefix, entry => entry.Role) ?? [];
        var known = KnownPrefixes();
        var decided = known.Select(prefix => (Prefix: prefix, Old: before.GetValueOrDefault(prefix), Facts: Facts(prefix, configured, assigned)))
            .Select(item => (item.Prefix, item.Old, item.Facts, Decision: AdvertisementPlanner.Decide(item.Facts)))
            .ToList();
        ImmutableArray<Advertisement> advertisements = [.. decided
            .Where(item => item.Decision is AdvertisementDecision.Announce)
            .Select(item => Advertise(item.Prefix, ((AdvertisementDecision.Announce)item.Decision).Role))];

        var changed = State.Version == 0 || !advertisements.SequenceEqual(State.Advertisements);
        var version = changed ? State.Version + 1 : State.Version;
        State = State with
        {
            Version = version,
            Advertisements = advertisements,
            Prefixes = [.. decided.Select(item => new PrefixState(
                item.Prefix,
                item.Facts.AddressPresent,
                item.Facts.Assigned,
                item.Facts.Health,
                item.Decision,
                item.Old is not null && item.Old.Decision == item.Decision ? item.Old.Version : version)
            {
                Seen = item.Facts.AddressPresent || item.Old is { Seen: true },
            })],
        };

        // While stopping, the sessions withdraw by themselves: StopSessions.
        if (changed && !State.Stopping)
        {
            Do(new NodeEffect.SetAdvertisements(version, advertisements));
        }

        first?.Invoke();
        foreach (var item in decided)
        {
            RecordChange(item.Prefix.ToString(), item.Old?.Decision, item.Decision, cause, operationId);
        }
    }

    private List<System.Net.IPNetwork> KnownPrefixes()
    {
        var known = State.Prefixes.Where(prefix => prefix.Seen).Select(prefix => prefix.Prefix)
            .Concat(State.OnInterfaces)
            .Concat(State.Settings.Announce.Select(configured => configured.Prefix))
            .Concat(State.Intent?.Prefixes.Select(entry => entry.Prefix) ?? [])
            .Distinct()
            .ToList();
        known.Sort(SharedPrefix.Compare);
        return known;
    }

    private AdvertisementFacts Facts(System.Net.IPNetwork prefix, Dictionary<System.Net.IPNetwork, Role?> configured, Dictionary<System.Net.IPNetwork, Role> assigned) => new(
        State.Stopping,
        State.Drained,
        State.OnInterfaces.Contains(prefix) || configured.ContainsKey(prefix),
        assigned.TryGetValue(prefix, out var role) ? role : configured.GetValueOrDefault(prefix) ?? State.Settings.DefaultRole,
        Health.Unknown);

    private static Advertisement Advertise(System.Net.IPNetwork prefix, Role role) => new()
    {
        Prefix = prefix,
        Communities = [role == Role.Primary ? _primary : _secondary],
    };

    private void RecordChange(string prefix, AdvertisementDecision? old, AdvertisementDecision decision, string cause, string operationId)
    {
        switch (old, decision)
        {
            case (AdvertisementDecision.Announce(var from), AdvertisementDecision.Announce(var to)) when from != to:
                Record(TransitionKind.RoleChanged, $"{prefix} announced as {to.Word()} instead of {from.Word()} {OnSessions()}: {cause}", prefix, operationId: operationId);
                break;
            case (null or AdvertisementDecision.Withdraw, AdvertisementDecision.Announce(var role)):
                Record(TransitionKind.Announced, $"{prefix} announced as {role.Word()} {OnSessions()}: {cause}", prefix, operationId: operationId);
                break;
            case (AdvertisementDecision.Announce(var role), AdvertisementDecision.Withdraw(var reason)):
                Record(TransitionKind.Withdrawn, $"{prefix} withdrawn ({reason.Word()}), it was announced as {role.Word()} {OnSessions()}: {cause}", prefix, operationId: operationId);
                break;
            case (null, AdvertisementDecision.Withdraw(var reason)):
                Do(new NodeEffect.Log(LogLevel.Information, $"{prefix} is not announced ({reason.Word()}): {cause}"));
                break;
            case (AdvertisementDecision.Withdraw(var from), AdvertisementDecision.Withdraw(var to)) when from != to:
                Do(new NodeEffect.Log(LogLevel.Information, $"{prefix} stays withdrawn, now because {to.Word()} instead of {from.Word()}: {cause}"));
                break;
            default:
                break;
        }
    }

    private string OnSessions() => State.EstablishedSessions switch
    {
        0 => "(no session is established)",
        1 => "on 1 session",
        var count => $"on {count} sessions",
    };
}
