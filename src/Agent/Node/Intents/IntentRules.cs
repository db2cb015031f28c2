using System.Net;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Node.Intents;

/// <summary>What an intent has to fulfil before it is kept, and what its answer is.</summary>
internal static class IntentRules
{
    /// <summary>Characters.</summary>
    public const int LongestOperationId = 128;

    private const int LongestReason = 1000;
    private const int MostPrefixes = 16_384;

    /// <summary>
    /// Null: acceptable. A prefix that the node has not got (yet) is acceptable: it is announced when its address appears, and reported
    /// as address-missing until then. One that could never be announced is not.
    /// </summary>
    public static string? Problem(NodeIntent intent, NodeSettings settings)
    {
        if (intent.Revision == 0)
        {
            return "revision 0 means no intent; revisions begin at 1";
        }

        if (TooMuch(intent) is { } excess)
        {
            return excess;
        }

        var seen = new HashSet<IPNetwork>();
        foreach (var entry in intent.Prefixes)
        {
            if (!seen.Add(entry.Prefix))
            {
                return $"{entry.Prefix} is in it twice";
            }

            if (!SharedPrefix.IsShareable(entry.Prefix))
            {
                return $"{entry.Prefix} cannot be shared; only an IPv4 /32 and an IPv6 /64 or /56 can";
            }

            if (IPAddress.IsLoopback(entry.Prefix.BaseAddress) && !settings.Announce.Any(configured => configured.Prefix.Equals(entry.Prefix)))
            {
                return $"{entry.Prefix} is a loopback address that was not given to this node with --announce";
            }
        }

        return null;
    }

    /// <summary>Null: this node's limits allow it. Else which of them does not, and by which key of the configuration it can be changed.</summary>
    public static string? Forbidden(NodeIntent intent, NodeState state)
    {
        var limits = state.Settings.Limits;
        if (limits is { Drain: true, Promote: true, Demote: true })
        {
            return null;
        }

        if (intent.LiftLocalDrain && state.Orders.Drain is not null && !limits.Drain)
        {
            return Forbids("drain", "lift the drain that was ordered on it", "undrain");
        }

        if (intent.Drained && !limits.Drain)
        {
            return Forbids("drain", "drain it", "drain");
        }

        var known = state.Prefixes.ToDictionary(prefix => prefix.Prefix);
        var configured = state.Settings.Announce.ToDictionary(announced => announced.Prefix);
        var wanted = intent.Prefixes.ToDictionary(entry => entry.Prefix);
        var obeying = state with { Intent = intent, Orders = state.Orders.Under(intent) };
        foreach (var prefix in known.Keys.Union(wanted.Keys).Order(Comparer<IPNetwork>.Create(SharedPrefix.Compare)))
        {
            var own = configured.GetValueOrDefault(prefix);
            var isPrimary = (known.TryGetValue(prefix, out var now) ? now.AssignedRole : PrefixOrders.Of(state, prefix, own, null).Role) == Role.Primary;
            var entry = wanted.GetValueOrDefault(prefix);
            var will = PrefixOrders.Of(obeying, prefix, own, entry);
            var willBePrimary = will.Role == Role.Primary;
            if (willBePrimary && !isPrimary && !limits.Promote)
            {
                return Forbids("promote", $"make {prefix} primary", $"role {prefix} primary");
            }

            // An assigned primary that is held back, or will be when it returns, is secondary for the neighbors: to let it go is what makes it primary there.
            var hold = now?.FailbackPolicy ?? PrefixOrders.Of(state, prefix, own, null).Failback;
            var isLetGo = (now?.Failback ?? Failback.Remembered(state, prefix)).Phase is FailbackPhase.Away or FailbackPhase.Held
                && (entry is { AtOnce: true } ? Failback.LongestHold(hold) > TimeSpan.Zero : Failback.LongestHold(will.Failback) < Failback.LongestHold(hold));
            if (willBePrimary && isLetGo && !limits.Promote)
            {
                return Forbids("promote", $"make {prefix} primary sooner than it would be by itself", $"failback {prefix}");
            }

            if (isPrimary && !willBePrimary && !limits.Demote)
            {
                return Forbids("demote", $"take the role of primary from {prefix}", $"role {prefix} secondary");
            }
        }

        return null;

        static string Forbids(string limit, string what, string command) =>
            $"this node's configuration does not let the hub {what} (limits.{limit} is false); change that key there, or give the command there: failoverhub-agent {command}";
    }

    // A hub that errs must not fill our disk, our memory or the neighbors' tables.
    private static string? TooMuch(NodeIntent intent) => intent switch
    {
        { Revision: > long.MaxValue } => $"revision {intent.Revision} is greater than any ({long.MaxValue})",
        { Prefixes.Length: > MostPrefixes } => $"it has {intent.Prefixes.Length} prefixes, more than {MostPrefixes}",
        { OperationId.Length: > LongestOperationId } => $"its operation id has more than {LongestOperationId} characters",
        { OperationId: var id } when id.Any(char.IsControl) => "its operation id has control characters",
        { Reason.Length: > LongestReason } => $"its reason has more than {LongestReason} characters",
        _ => null,
    };

    /// <summary>The answer that can be given now, null while sockets are still to be waited for.</summary>
    public static IntentOutcome? Outcome(NodeState state, long version, bool waitIsOver)
    {
        var established = state.EstablishedSessions;
        if (established == 0)
        {
            return new IntentOutcome.AcceptedNotAnnounced("no session is established; the neighbors are told when one is");
        }

        var written = state.Sessions.Where(session => session.IsEstablished && session.WrittenVersion >= version).ToList();
        var carrying = written.Count(session => session.Skipped.IsEmpty);
        return (written.Count, waitIsOver) switch
        {
            _ when written.Count < established && !waitIsOver => null,
            (0, _) => new IntentOutcome.AcceptedNotAnnounced($"none of {established} established sessions took the UPDATE in time"),
            _ when carrying == 0 => new IntentOutcome.AcceptedNotAnnounced($"no established session can carry all of it: {written[0].Skipped[0].Describe(written[0].Neighbor)}"),
            _ => new IntentOutcome.Applied(carrying),
        };
    }
}
