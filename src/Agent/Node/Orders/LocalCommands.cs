using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Node.Orders;

/// <summary>
/// Commands that are given on the node itself. They need no hub; each is kept on disk before it is acted on, and each, also a refused one,
/// leaves an entry with who gave it.
/// </summary>
internal static class LocalCommands
{
    /// <summary>A client waits for each; there are fewer of those.</summary>
    private const int MostPending = 64;

    public static void Receive(NodeStep step, LocalCommand command)
    {
        if (command.Until is { } until && until < step.Now.Monotonic)
        {
            // Somebody was told that no agent answers, and may have done something else since.
            Refuse(step, command, $"the agent had no time for it until {Words.Lasted(step.Now.Monotonic - until)} after its time was over (its disk may be slow: see the log); give it again if it is still wanted");
        }
        else if (Problem(step.State, command) is { } problem)
        {
            Refuse(step, command, problem);
        }
        else if (command is LocalCommand.FailBack)
        {
            // An act and no order: there is nothing to be kept.
            Obey(step, step.State.Orders, command);
        }
        else
        {
            var atOnce = FailsBack(step.State, command) ?? [];
            var held = step.State.Prefixes.Where(known => Failback.MayHold(known.FailbackPolicy) && atOnce.Contains(known.Prefix)).Select(known => known.Prefix);
            step.Do(new NodeEffect.PersistOrders(After(step.State, command, step.Now.At), command)
            {
                Entry = new NodeEffect.Record(TransitionKind.LocalCommand, $"{command.Actor} ordered to {command.What}{command.Because}; {NodeStep.EndedThen(held)}") { Actor = command.Actor },
            });
        }
    }

    /// <summary>The orders are on the disk.</summary>
    public static void Obey(NodeStep step, LocalOrders orders, LocalCommand command)
    {
        var before = step.State;
        step.State = before with
        {
            Orders = orders,
            IntentDrainPresumed = before.IntentDrainPresumed && command is not LocalCommand.UndrainNode,
        };
        var cancelled = Departure.BeginOrCancelDrain(step, before, command.Describe());
        var text = "";
        step.Replan(
            new Cause(command.Describe()) { Forgives = step.State.Drained != before.Drained, FailsBack = FailsBack(before, command), IsRecordedFirst = command is LocalCommand.FailBack },
            () =>
            {
                text = $"{Said(step.State, before, command)}: {(cancelled ? "its graceful shutdown is cancelled and nothing was withdrawn" : Consequence(before, step.State))}";
                step.Record(TransitionKind.LocalCommand, $"{command.Actor} ordered to {command.What}{command.Because}; {text}", actor: command.Actor);
                Departure.RecordDrainedOrNot(step, before, cancelled, command.Describe());
            });
        if (before.Commands.Length < MostPending)
        {
            var pending = new PendingCommand(command.Id, step.State.Version, step.Now.Monotonic + step.State.Settings.IntentAnswerWait, text, step.State.Version != before.Version);
            step.State = step.State with { Commands = step.State.Commands.Add(pending) };
        }
    }

    public static void Refuse(NodeStep step, LocalCommand command, string problem)
    {
        step.Do(new NodeEffect.AnswerCommand(new LocalAnswer(command.Id, new IntentOutcome.Rejected(problem))));
        step.Record(TransitionKind.LocalCommand, $"{command.Actor} was refused to {command.What}{command.Because}, nothing changed: {problem}", actor: command.Actor);
    }

    /// <summary>Those whose UPDATEs are on the sockets, or whose time is over.</summary>
    public static void AnswerPending(NodeStep step)
    {
        foreach (var pending in step.State.Commands)
        {
            var waitIsOver = step.State.Stopping || step.Now.Monotonic >= pending.Deadline;
            if (IntentRules.Outcome(step.State, pending.Version, waitIsOver) is { } outcome)
            {
                step.State = step.State with { Commands = step.State.Commands.Remove(pending) };
                step.Do(new NodeEffect.AnswerCommand(new LocalAnswer(pending.Id, outcome, pending.Text, pending.Changed, step.State.EstablishedSessions)));
            }
        }
    }

    private static string? Problem(NodeState state, LocalCommand command) => command switch
    {
        _ when state.Stopping || state.Leaving is { Stops: true } => "the agent is stopping",
        LocalCommand.UndrainNode when state is { Orders.Drain: null, Intent: { Drained: true } intent } =>
            $"no local command drains this node, {intent.Describe()} of the hub does: undrain it there; when there is no hub any more, stop the agent, remove intent.json from its state directory and start it again",
        LocalCommand.SetRole { Prefix: { } prefix } => Unknown(state, prefix),
        LocalCommand.FailBack { Prefix: { } prefix } => Unknown(state, prefix)
            ?? (state.Prefixes.First(known => known.Prefix.Equals(prefix)) is { AssignedRole: not Role.Primary } other
                ? $"{prefix} is assigned {other.AssignedRole?.Word() ?? "no role"}; 'failoverhub-agent role {prefix} primary' makes it primary"
                : null),
        LocalCommand.SetRole { Prefix: null, Role: not null } when state.Prefixes.IsEmpty => "this node knows no prefix",
        _ => null,
    };

    private static string? Unknown(NodeState state, IPNetwork prefix) => state.Prefixes.Any(known => known.Prefix.Equals(prefix))
        ? null
        : $"{prefix} is none of this node's prefixes{(state.Prefixes.IsEmpty ? "; it knows none" : $": {string.Join(", ", state.Prefixes.Take(10).Select(known => known.Prefix))}{(state.Prefixes.Length > 10 ? ", ..." : "")}")}";

    private static LocalOrders After(NodeState state, LocalCommand command, DateTimeOffset at)
    {
        var (orders, revision) = (state.Orders, state.Intent?.Revision ?? 0);
        switch (command)
        {
            case LocalCommand.DrainNode:
                return orders with { Drain = new LocalDrain(command.Actor, command.Reason, at, revision) };
            case LocalCommand.UndrainNode:
                return orders with { Drain = null };
            case LocalCommand.SetRole { Role: { } role } set:
                var order = new RoleOrder(role, command.Actor, command.Reason, at, revision, state.IntentIsLost);
                return orders with
                {
                    Roles = orders.Roles.SetItems(Targets(state, set.Prefix).Select(prefix => KeyValuePair.Create(prefix, order))),
                    RolesLostAfter = set.Prefix is null ? null : orders.RolesLostAfter,
                };
            case LocalCommand.SetRole set:
                return set.Prefix is { } one ? orders with { Roles = orders.Roles.Remove(one) } : orders with { Roles = orders.Roles.Clear(), RolesLostAfter = null };
            default:
                throw new InvalidOperationException($"{command.GetType().Name} orders nothing.");
        }
    }

    private static IEnumerable<IPNetwork> Targets(NodeState state, IPNetwork? prefix) =>
        prefix is { } one ? [one] : state.Prefixes.Select(known => known.Prefix);

    private static ImmutableHashSet<IPNetwork>? FailsBack(NodeState before, LocalCommand command) => command switch
    {
        LocalCommand.FailBack back => [.. Targets(before, back.Prefix)],
        LocalCommand.SetRole { Role: Role.Primary } set => [.. Targets(before, set.Prefix)],
        _ => null,
    };

    private static string Said(NodeState now, NodeState before, LocalCommand command) => command switch
    {
        LocalCommand.DrainNode => now.Leaving is { Stops: false } ? "drained after a graceful shutdown" : before.Orders.Drain is null ? "drained" : "drained, as it was",
        LocalCommand.UndrainNode when now.Drained => $"no longer drained by a local command, but {now.Intent!.Describe()} still drains this node",
        LocalCommand.UndrainNode => before.Drained ? "no longer drained" : "it was not drained",
        LocalCommand.SetRole { Role: { } role } => $"{role.Word()} until 'role default' or a newer intent",
        LocalCommand.SetRole => "the role is that of the intent or the configuration again",
        LocalCommand.FailBack => before.Prefixes.Any(prefix => prefix.Failback.IsHeld) ? "failed back" : "nothing was held back",
        _ => throw new InvalidOperationException($"No words for {command.GetType().Name}."),
    } + (now.Drained && command is (LocalCommand.SetRole or LocalCommand.FailBack) ? ", while the node is drained" : "");

    // What the neighbors are told.
    private static string Consequence(NodeState before, NodeState now)
    {
        var old = before.Prefixes.ToDictionary(prefix => prefix.Prefix, prefix => prefix.Decision);
        var changes = now.Prefixes
            .Select(prefix => (From: old.GetValueOrDefault(prefix.Prefix) as AdvertisementDecision.Announce, To: prefix.Decision as AdvertisementDecision.Announce))
            .Where(change => change.From != change.To)
            .GroupBy(change => change switch
            {
                (_, null) => "withdrawn",
                (_, { GracefulShutdown: true }) => "announced with graceful shutdown, and withdrawn after it",
                (null, { } to) => $"announced as {to.Role.Word()}",
                ({ } from, { } to) => $"announced as {to.Role.Word()} instead of {from.Role.Word()}",
            })
            .Select(group => $"{Count(group.Count())} {group.Key}")
            .ToList();
        var heldBefore = before.Prefixes.Where(prefix => prefix.Failback.IsHeld).Select(prefix => prefix.Prefix).ToHashSet();
        var held = now.Prefixes.Count(prefix => prefix.Failback.IsHeld && !heldBefore.Contains(prefix.Prefix));
        if (held > 0)
        {
            changes.Add($"{Count(held)} held back by the failback policy");
        }

        return changes.Count == 0 ? "there is nothing new to tell the neighbors" : string.Join(", ", changes);
    }

    private static string Count(int prefixes) => prefixes == 1 ? "1 prefix" : $"{prefixes} prefixes";
}
