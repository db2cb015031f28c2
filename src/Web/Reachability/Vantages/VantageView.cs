using System.Collections.Immutable;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>What <see cref="VantageRunner"/> last published, with its age judged when it is read.</summary>
internal sealed class VantageView(VantageNames names, TimeProvider time)
{
    /// <summary>So long a node gathers before it tells: a sample may be so much older than the hub's own would be.</summary>
    internal static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);

    /// <summary>So long a target's page names who asked it and was lost.</summary>
    private static readonly TimeSpan NamedFor = TimeSpan.FromHours(1);

    private volatile VantageSnapshot _newest = VantageSnapshot.Empty;

    /// <summary>How every node stands that asks something, or did until it was lost; who is lost first.</summary>
    public ImmutableArray<VantageStanding> Standings => [.. _newest.Standings.OrderBy(s => s.Trouble is null).ThenBy(s => s.Name, StringComparer.OrdinalIgnoreCase)];

    /// <summary>Only the owner of the board calls this.</summary>
    public void Publish(VantageSnapshot snapshot) => _newest = snapshot;

    /// <summary>What the nodes that ask a target see of it, by name; empty: none does.</summary>
    public ImmutableArray<VantagePoint> Of(string target)
    {
        if (!_newest.ByTarget.TryGetValue(target, out ImmutableArray<KnownVantage> known))
        {
            return [];
        }

        TimeSpan now = Moment.Of(time).Uptime;
        return
        [
            .. known.Select(k => new VantagePoint { Id = k.Id, Name = names.Of(k.Id).Name, State = k.Known.StateAt(now, Gathering), Recent = k.Known.Recent, Problem = k.Known.Problem })
                .OrderBy(v => v.Name, StringComparer.OrdinalIgnoreCase),
        ];
    }

    /// <summary>Nodes that asked a target within the last hour, and are lost since: nothing is known from there.</summary>
    public ImmutableArray<VantageStanding> LostOf(string target)
    {
        DateTimeOffset now = time.GetUtcNow();
        return [.. _newest.Standings.Where(s => s is { Trouble: VantageTrouble.LinkDown or VantageTrouble.NotOffered, Since: { } since } && now - since < NamedFor && s.Targets.Contains(target, StringComparer.Ordinal))];
    }

    /// <summary>Why no node asks it, one English sentence or two; null: one does, or it is nothing that nodes ask.</summary>
    public string? WhyNone(string target) => _newest.Short.TryGetValue(target, out VantageShortage why) ? Sentence(why) : null;

    internal static string Sentence(VantageShortage why) => "Only the hub asks it: " + why switch
    {
        VantageShortage.TurnedOff => "further vantage points are turned off (--vantage-points 0).",
        VantageShortage.NoNode => "no connected node offers itself as a further vantage point.",
        VantageShortage.OnlyItsOwn => "every node that offers itself has this address, and what a node says of its own address tells nothing of the network. A node beside the pair would be a further vantage point.",
        VantageShortage.NotElsewhere => "its address has a zone, which means something on the hub's machine only.",
        _ => $"each node that could has its {VantageAssignment.MostTasks} targets already.",
    };
}
