using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using static FailoverHub.Web.Fleet.PairWords;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// The state of a pair and the sentence that says why. Several may hold; the first in this order is shown: NoAnnouncer, DualPrimary,
/// Unknown, Switching, FailedOver, Degraded, Healthy. Silence is never read as "announces nothing".
/// </summary>
internal static class PairStateRules
{
    /// <summary>Judges.</summary>
    /// <param name="pair">What is kept of the pair.</param>
    /// <param name="members">Its nodes.</param>
    /// <param name="outsiders">Nodes that are in no or another pair but have a prefix of this one.</param>
    /// <param name="active">The active node of each prefix, null: not known.</param>
    public static (PairState State, string Reason) Judge(
        PairFacts pair, ImmutableArray<MemberView> members, ImmutableArray<MemberView> outsiders, IReadOnlyDictionary<IPNetwork, string?> active)
    {
        // Also what an earlier hub has left: nothing to announce is the opposite of healthy.
        if (pair.Prefixes.IsEmpty)
        {
            return (PairState.NoAnnouncer, $"{Names(pair.Members, "and")} share no address any more.");
        }

        if (!members.Any(m => m.Node.IsFresh))
        {
            return (PairState.Unknown, $"No fresh report from {Names(members.Select(m => m.Node.Name), "or")}: what they announce now is not known.");
        }

        return NoAnnouncer(pair, members)
            ?? DualPrimary(pair, members, outsiders)
            ?? NobodyHeardAnnounces(pair, members)
            ?? Switching(pair)
            ?? FailedOver(pair, members, active)
            ?? Degraded(pair, members, active)
            ?? (PairState.Healthy, Healthy(pair, members, active));
    }

    private static (PairState State, string Reason)? NoAnnouncer(PairFacts pair, ImmutableArray<MemberView> members)
    {
        if (members.Length != pair.Members.Count || !members.All(m => m.Node.IsFresh))
        {
            return null;
        }

        foreach (var prefix in pair.Prefixes.Where(p => !members.Any(m => FleetProjection.AnnouncedRole(m, p) is not null)))
        {
            return (PairState.NoAnnouncer, $"Nobody announces {prefix}: {string.Join("; ", members.Select(m => $"{m.Node.Name} {WhyNot(m, prefix)}"))}.");
        }

        return null;
    }

    private static (PairState State, string Reason)? DualPrimary(PairFacts pair, ImmutableArray<MemberView> members, ImmutableArray<MemberView> outsiders)
    {
        foreach (var prefix in pair.Prefixes)
        {
            var everywhere = members.Concat(outsiders).Where(m => FleetProjection.AnnouncedRole(m, prefix) == Role.Primary).ToList();
            if (everywhere.Count > 1 && everywhere.Exists(outsiders.Contains))
            {
                return (PairState.DualPrimary, $"{Names(everywhere.Select(m => m.Node.Name), "and")} announce {prefix} as primary, and they are not of one pair.");
            }

            var primaries = members.Where(m => FleetProjection.AnnouncedRole(m, prefix) == Role.Primary).ToList();

            // The same role on both is a documented mode of the platform when somebody wants it so.
            if (primaries.Count > 1 && !IsSticky(pair, primaries, prefix) && !primaries.TrueForAll(m => View(m, prefix)?.AssignedRole == Role.Primary))
            {
                var asked = primaries.Where(m => View(m, prefix)?.LocalRole == Role.Primary).Select(m => m.Node.Name).ToList();
                return (PairState.DualPrimary, $"{Names(primaries.Select(m => m.Node.Name), "and")} announce {prefix} as primary, and {(asked.Count == 0 ? "nobody asked for that" : $"{Names(asked, "and")} was made so on the node itself")}.");
            }
        }

        return null;
    }

    private static bool IsSticky(PairFacts pair, List<MemberView> primaries, IPNetwork prefix) =>
        pair.Failback is { } set ? set.Policy == FailbackPolicy.Sticky : primaries.TrueForAll(m => View(m, prefix)?.Failback?.Policy == FailbackPolicy.Sticky);

    private static (PairState State, string Reason)? NobodyHeardAnnounces(PairFacts pair, ImmutableArray<MemberView> members)
    {
        foreach (var prefix in pair.Prefixes.Where(p => !members.Any(m => FleetProjection.AnnouncedRole(m, p) is not null)))
        {
            var silent = pair.Members.Where(n => !members.Any(m => m.Node.IsFresh && m.Node.Name == n));
            var heard = members.Where(m => m.Node.IsFresh).Select(m => $"{m.Node.Name} {WhyNot(m, prefix)}");
            return (PairState.Unknown, $"Nothing fresh from {Names(silent, "or")}, and {string.Join("; ", heard)}: whether anyone announces {prefix} is not known.");
        }

        return null;
    }

    private static (PairState State, string Reason)? Switching(PairFacts pair) =>
        pair.Drill is { } drill ? (PairState.Switching, $"A drill is under way: {drill.Title}.")
        : pair.Running is { MovesTraffic: true } running ? (PairState.Switching, $"An operation is under way: {running.Title}.") : null;

    private static (PairState State, string Reason)? FailedOver(PairFacts pair, ImmutableArray<MemberView> members, IReadOnlyDictionary<IPNetwork, string?> active)
    {
        foreach (var prefix in pair.Prefixes)
        {
            if (active[prefix] is not { } now || Expected(pair, members, prefix) is not { } expected || Same(now, expected))
            {
                continue;
            }

            return (PairState.FailedOver, $"{prefix} is on {now} instead of {expected}: {WhyMoved(pair, members.FirstOrDefault(m => Same(m.Node.Name, expected)), prefix, now, expected)}");
        }

        return null;
    }

    private static string WhyMoved(PairFacts pair, MemberView? expected, IPNetwork prefix, string now, string expectedName)
    {
        if (expected is null || !expected.Node.IsFresh)
        {
            return $"{expectedName} is silent, and when it was last heard it was not primary.";
        }

        if (FleetProjection.AnnouncedRole(expected, prefix) is null)
        {
            return $"{expectedName} {WhyNot(expected, prefix)}.";
        }

        if (View(expected, prefix) is { Hold: not null } held)
        {
            return $"{expectedName} is back and {Held(held)}.";
        }

        if (View(expected, prefix) is { AssignedRole: Role.Primary, ReportedRole: Role.Secondary } && FailingChecks(expected.Node, prefix) is { Length: > 0 } failing)
        {
            return $"{expectedName} announces it as secondary while {failing}.";
        }

        if (View(expected, prefix) is { LocalRole: { } local })
        {
            return $"{expectedName} was made {Word(local)} on the node itself. Fail back to {expectedName} to move it back.";
        }

        if (pair.LastMove is { } move && Same(move.To, now))
        {
            var at = move.At.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            return $"moved by {move.By} at {at} UTC, as planned. Fail back to {expectedName} to move it back.";
        }

        return $"{expectedName} announces it as {Word(View(expected, prefix)?.ReportedRole)}. Fail back to {expectedName} to move it back.";
    }

    private static (PairState State, string Reason)? Degraded(PairFacts pair, ImmutableArray<MemberView> members, IReadOnlyDictionary<IPNetwork, string?> active)
    {
        var problems = pair.Members.Where(n => !members.Any(m => Same(m.Node.Name, n))).Select(n => $"{n} was never heard")
            .Concat(members.SelectMany(m => ProblemsOf(pair, m, members, active)))
            .Concat(pair.Prefixes.Where(p => !members.Any(m => View(m, p)?.AssignedRole == Role.Primary)).Select(p => $"no node is assigned primary for {p}, so it stays where it is"))
            .ToList();
        return problems.Count == 0 ? null : (PairState.Degraded, $"It is announced, but {string.Join("; ", problems)}.");
    }

    private static IEnumerable<string> ProblemsOf(PairFacts pair, MemberView member, ImmutableArray<MemberView> members, IReadOnlyDictionary<IPNetwork, string?> active)
    {
        var node = member.Node;
        if (!node.IsFresh)
        {
            yield return $"{node.Name} is silent{IfItIsDown(pair, member, members, active)}";
            yield break;
        }

        if (node.Drained)
        {
            yield return $"{node.Name} {PairWords.Drained(node)}";
            yield break;
        }

        // Where a prefix is withdrawn for that, the reason of the withdrawal says so already.
        var failing = pair.Prefixes.Where(p => FleetProjection.AnnouncedRole(member, p) is not null).Select(p => FailingChecks(node, p)).Where(c => c.Length > 0).Distinct().ToList();
        if (failing.Count > 0)
        {
            yield return $"on {node.Name} {string.Join(", ", failing)}";
        }
        else if (node.Health == Health.Unhealthy && node.Checks.IsEmpty)
        {
            yield return $"the checks of {node.Name} fail";
        }

        if (node.EstablishedSessions < node.Sessions.Length || node.Sessions.Length == 0)
        {
            yield return $"{node.Name} has {node.EstablishedSessions.ToString(CultureInfo.InvariantCulture)} of {node.Sessions.Length.ToString(CultureInfo.InvariantCulture)} sessions";
        }

        foreach (var prefix in pair.Prefixes)
        {
            var view = View(member, prefix);
            if (FleetProjection.AnnouncedRole(member, prefix) is not { } role)
            {
                yield return $"{node.Name} {WhyNot(member, prefix)}";
            }
            else if (view?.Hold is not null)
            {
                yield return $"{node.Name} {Held(view)}";
            }
            else if (view?.LocalRole is { } local)
            {
                yield return $"{node.Name} was made {Word(local)} for {prefix} on the node itself, but {Word(view.AssignedRole)} is wanted";
            }
            else if (view?.AssignedRole is { } assigned && assigned != role && FailingChecks(node, prefix).Length == 0)
            {
                yield return $"{node.Name} announces {prefix} as {Word(role)} but {Word(assigned)} is wanted";
            }
        }
    }

    /// <summary>Where the address is if a silent node that may have it is down; empty when it does not matter.</summary>
    private static string IfItIsDown(PairFacts pair, MemberView silent, ImmutableArray<MemberView> members, IReadOnlyDictionary<IPNetwork, string?> active)
    {
        var doubtful = pair.Prefixes.Where(p => active[p] is null && FleetProjection.PossibleRole(silent, p) is not null)
            .Select(p => (Prefix: p, Next: members.Where(m => FleetProjection.AnnouncedRole(m, p) is not null).MinBy(m => FleetProjection.AnnouncedRole(m, p))))
            .Where(d => d.Next is not null)
            .GroupBy(d => (d.Next!.Node.Name, Role: FleetProjection.AnnouncedRole(d.Next!, d.Prefix)))
            .Select(g => $"{Names(g.Select(d => d.Prefix.ToString()), "and")} {(g.Count() == 1 ? "is" : "are")} on {g.Key.Name}, which announces {(g.Count() == 1 ? "it" : "them")} as {Word(g.Key.Role)}")
            .ToList();
        return doubtful.Count == 0 ? "" : $": if it is down, {string.Join(", and ", doubtful)}";
    }

    private static string Healthy(PairFacts pair, ImmutableArray<MemberView> members, IReadOnlyDictionary<IPNetwork, string?> active)
    {
        var sticky = pair.Prefixes.Where(p => members.Count(m => View(m, p)?.AssignedRole == Role.Primary) > 1).ToList();
        if (sticky.Count > 0)
        {
            return $"All nodes are assigned primary for {string.Join(", ", sticky)}: the address stays where it is, and nothing moves it back.";
        }

        var places = active.Values.OfType<string>().Distinct().ToList();
        return places.Count == 1
            ? $"All nodes announce, and {places[0]} is active as it should be."
            : "All nodes announce, and every prefix is on the node that is assigned primary for it.";
    }

    /// <summary>Where the prefix should be: on the preferred node, or without one on the only node that is assigned primary.</summary>
    private static string? Expected(PairFacts pair, ImmutableArray<MemberView> members, IPNetwork prefix)
    {
        if (pair.PreferredNode is not null)
        {
            return pair.PreferredNode;
        }

        var primaries = members.Where(m => View(m, prefix)?.AssignedRole == Role.Primary).ToList();
        return primaries.Count == 1 ? primaries[0].Node.Name : null;
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static string Names(IEnumerable<string> names, string last)
    {
        var list = names.ToList();
        return list.Count < 2 ? string.Concat(list) : $"{string.Join(", ", list.SkipLast(1))} {last} {list[^1]}";
    }
}
