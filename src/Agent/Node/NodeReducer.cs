using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Session;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Node;

/// <summary>
/// The whole behaviour of a node: what it knows, an event and the time go in; what it knows now and what is to be done come out.
/// Nothing here touches a socket, a disk or a clock.
/// </summary>
internal static class NodeReducer
{
    // A dial that goes on failing: each reason is said once, the whole again after this time.
    private static readonly TimeSpan _outageReminder = TimeSpan.FromMinutes(10);
    private const int MostReasons = 4;

    public static (NodeState State, ImmutableArray<NodeEffect> Effects) Apply(NodeState state, NodeEvent occurred, Moment now)
    {
        var step = new NodeStep(state, now);
        switch (occurred)
        {
            case NodeEvent.Started started:
                Start(step, started);
                break;
            case NodeEvent.AddressesChanged changed:
                ChangeAddresses(step, changed);
                break;
            case NodeEvent.AddressTrouble trouble:
                TakeAddressTrouble(step, trouble.Problem);
                break;
            case NodeEvent.InstanceLearned learned:
                Instance.Learn(step, learned.Facts);
                break;
            case NodeEvent.IntentReceived received:
                ReceiveIntent(step, received.Intent);
                break;
            case NodeEvent.IntentMalformed malformed:
                Reject(step, malformed.Revision, malformed.OperationId, malformed.Problem);
                break;
            case NodeEvent.IntentSuperseded superseded when superseded.Revision != superseded.By && superseded.Revision != state.Intent?.Revision:
                Reject(step, superseded.Revision, superseded.OperationId, $"intent {superseded.By} came before this one was looked at");
                break;
            case NodeEvent.IntentSuperseded:
                // The other one has the same revision, and its answer is for both.
                break;
            case NodeEvent.ResetRequested asked:
                SessionResets.Reset(step, asked.Request);
                break;
            case NodeEvent.HubConnected when state.Intent is { } inForce:
                AnswerAgain(step, inForce.Revision, awaitsSessions: true);
                break;
            case NodeEvent.HubConnected:
                break;
            case NodeEvent.MembershipChanged changed:
                step.Do(new NodeEffect.Record(changed.Kind, changed.Text) { Level = changed.Kind is TransitionKind.CertificateRefused or TransitionKind.CertificateExpired ? LogLevel.Error : null });
                break;
            case NodeEvent.IntentPersisted persisted:
                ObeyIntent(step, persisted.Intent);
                break;
            case NodeEvent.IntentNotPersisted failed:
                Reject(step, failed.Intent.Revision, failed.Intent.OperationId, failed.Problem);
                step.Do(new NodeEffect.MarkDrained(state.Drained));
                break;
            case NodeEvent.FailbackPersisted persisted:
                Failback.TakePersisted(step, persisted.Problem);
                break;
            case NodeEvent.CommandReceived received:
                LocalCommands.Receive(step, received.Command);
                break;
            case NodeEvent.FileWritten written:
                step.Record(TransitionKind.LocalCommand, $"{written.Actor} had doctor write {written.Path}, which makes shared addresses permanent on this machine", actor: written.Actor);
                break;
            case NodeEvent.OrdersPersisted persisted:
                LocalCommands.Obey(step, persisted.Orders, persisted.Command);
                break;
            case NodeEvent.OrdersNotPersisted failed:
                LocalCommands.Refuse(step, failed.Command, failed.Problem);
                step.Do(new NodeEffect.MarkDrained(state.Drained));
                break;
            case NodeEvent.SessionChanged changed:
                ChangeSession(step, changed);
                break;
            case NodeEvent.SessionEstablished established:
                EstablishSession(step, established);
                break;
            case NodeEvent.SessionFailed failed:
                FailSession(step, failed);
                break;
            case NodeEvent.UpdateMalformed malformed:
                step.Do(new NodeEffect.Log(LogLevel.Warning, $"{malformed.Neighbor} sent a malformed UPDATE: {malformed.Problem}; the session goes on, 'failoverhub-agent trace' shows the message"));
                break;
            case NodeEvent.AdvertisementsWritten written:
                TakeWritten(step, written);
                break;
            case NodeEvent.HealthChanged changed:
                HealthVerdicts.Change(step, changed);
                break;
            case NodeEvent.Reconfigured changed:
                Reconfiguration.Apply(step, changed);
                break;
            case NodeEvent.ConfigurationRefused refused:
                Reconfiguration.Refuse(step, refused.Problem);
                break;
            case NodeEvent.StopRequested stop:
                Departure.Stop(step, stop);
                break;
            case NodeEvent.Tick:
                LookAtTheTime(step);
                break;
            default:
                throw new InvalidOperationException($"No behaviour for {occurred.GetType().Name}.");
        }

        AnswerPending(step);
        LocalCommands.AnswerPending(step);
        if (occurred is NodeEvent.Started || (state.Drained && !step.State.Drained))
        {
            // Last of all: nobody waits for it.
            step.Do(new NodeEffect.MarkDrained(step.State.Drained));
        }

        return (step.State, step.Effects);
    }

    private static void Start(NodeStep step, NodeEvent.Started started)
    {
        step.State = step.State with { OnInterfaces = started.Prefixes, PutHere = started.Own };
        var cause = step.State.Intent is { } intent ? $"start, obeying {intent.Describe()}" : "start";
        step.Replan(new Cause(cause), () => step.Record(TransitionKind.Started, started.Text));
    }

    private static void ChangeAddresses(NodeStep step, NodeEvent.AddressesChanged changed)
    {
        var found = changed.Prefixes;
        var appeared = found.Except(step.State.OnInterfaces);
        var gone = step.State.OnInterfaces.Except(found);
        if (appeared.IsEmpty && gone.IsEmpty && changed.Own.SetEquals(step.State.PutHere))
        {
            return;
        }

        step.State = step.State with { OnInterfaces = found, PutHere = changed.Own };
        var cause = (appeared.IsEmpty, gone.IsEmpty) switch
        {
            (false, true) => "its address is on an interface now",
            (true, false) => "no interface has its address any more",
            (true, true) => "it is known which addresses the agent itself has put there",
            _ => "the addresses of the interfaces changed",
        };

        // An address that was a left-over of the agent's own and is somebody else's now has its role again without anybody's word.
        step.Replan(new Cause(cause) { Involuntary = true, EndsDoubt = true });
    }

    private static void TakeAddressTrouble(NodeStep step, string? problem)
    {
        if (problem == step.State.AddressProblem)
        {
            return;
        }

        // Who does it has said it in the log, with what to do.
        step.State = step.State with { AddressProblem = problem };
        step.Record(TransitionKind.AddressProblem, problem ?? "the addresses on the interfaces are as they are to be again");
    }

    private static void LookAtTheTime(NodeStep step)
    {
        Departure.EndWhenDue(step);
        Failback.EndWhenDue(step);
        Failback.SaveAgainWhenDue(step);
        SilentNeighbors.SayWhenDue(step);
        if (step.State.DampingEnd <= step.Now.Monotonic)
        {
            step.Replan(new Cause("it is no longer damped"));
        }
    }

    private static void ReceiveIntent(NodeStep step, NodeIntent intent)
    {
        var state = step.State;
        var problem = state.Stopping || state.Leaving is { Stops: true } ? "the agent is stopping" : IntentRules.Problem(intent, state.Settings);
        if (problem is null && state.Intent is { } current && intent.Revision <= current.Revision)
        {
            if (intent.Revision == current.Revision && intent.WantsTheSameAs(current))
            {
                AnswerAgain(step, intent.Revision);
                return;
            }

            problem = intent.Revision == current.Revision
                ? $"revision {current.Revision} is in force with another content"
                : $"revision {current.Revision} is in force, which is newer";
        }

        problem ??= IntentRules.Forbidden(intent, state);

        if (problem is not null)
        {
            Reject(step, intent.Revision, intent.OperationId, problem);
            return;
        }

        var obeying = state with { Intent = intent, Orders = state.Orders.Under(intent) };
        var atOnce = intent.Prefixes
            .Where(entry => entry.AtOnce && Failback.MayHold(PrefixOrders.Of(obeying, entry.Prefix, state.Settings.Announce.FirstOrDefault(own => own.Prefix.Equals(entry.Prefix)), entry).Failback))
            .Select(entry => entry.Prefix);
        step.Do(new NodeEffect.PersistIntent(intent)
        {
            Entry = new NodeEffect.Record(TransitionKind.IntentAccepted, $"{intent.Describe()} accepted and kept; {NodeStep.EndedThen(atOnce)}", OperationId: intent.OperationId),
        });
    }

    // The hub asks no more for a revision that our Hello names, so each stream begins with its answer; a pending answer covers it.
    private static void AnswerAgain(NodeStep step, ulong revision, bool awaitsSessions = false)
    {
        if (step.State.Pending?.Revision != revision)
        {
            step.State = step.State with { Pending = Await(step, revision) with { AwaitsSessions = awaitsSessions } };
        }
    }

    private static void Reject(NodeStep step, ulong revision, string operationId, string problem)
    {
        operationId = operationId.Length > IntentRules.LongestOperationId ? operationId[..IntentRules.LongestOperationId] : operationId;
        step.Do(new NodeEffect.AnswerIntent(new IntentAnswer(revision, new IntentOutcome.Rejected(problem))));
        var rejected = new RejectedIntent(revision, operationId, problem);
        if (rejected == step.State.LastRejection)
        {
            // Answered each time, recorded once: whoever repeats himself must not fill our disk.
            return;
        }

        step.State = step.State with { LastRejection = rejected };
        step.Record(TransitionKind.IntentRejected, $"intent {revision} rejected, nothing changed: {problem}", operationId: operationId);
    }

    private static void ObeyIntent(NodeStep step, NodeIntent intent)
    {
        var before = step.State;
        if (before.Pending is { } superseded)
        {
            Answer(step, superseded, IntentRules.Outcome(before, superseded.Version, waitIsOver: true)!);
        }

        var orders = before.Orders.Under(intent);
        step.State = before with { Intent = intent, LastRejection = null, IntentDrainPresumed = false, Orders = orders };
        var cancelled = Departure.BeginOrCancelDrain(step, before, intent.Describe(), intent.OperationId);
        step.Replan(
            new Cause(intent.Describe(), intent.OperationId)
            {
                Forgives = step.State.Drained != before.Drained,
                FailsBack = [.. intent.Prefixes.Where(entry => entry.AtOnce).Select(entry => entry.Prefix)],

                // The first one that is newer than the loss. A later one is somebody's word as ever.
                EndsDoubt = before.IntentIsLost || (before.Orders.RolesLostAfter is { } lost && (before.Intent?.Revision ?? 0) <= lost),
            },
            () =>
            {
                step.Record(TransitionKind.IntentAccepted, $"{intent.Describe()} accepted and kept{(intent.Drained || orders.Drain is null ? "" : "; the node stays drained by a local command")}", operationId: intent.OperationId);
                Departure.RecordDrainedOrNot(step, before, cancelled, intent.Describe(), intent.OperationId);
            });

        if (orders != before.Orders)
        {
            step.Do(new NodeEffect.PersistOrders(orders, null));
        }

        step.State = step.State with { Pending = Await(step, intent.Revision) };
    }

    private static PendingAnswer Await(NodeStep step, ulong revision) =>
        new(revision, step.State.Version, step.Now.Monotonic + step.State.Settings.IntentAnswerWait);

    private static void AnswerPending(NodeStep step)
    {
        if (step.State.Pending is not { } pending)
        {
            return;
        }

        var waitIsOver = step.State.Stopping || step.Now.Monotonic >= pending.Deadline;
        if (pending.AwaitsSessions && step.State.EstablishedSessions == 0 && !waitIsOver)
        {
            return;
        }

        if (IntentRules.Outcome(step.State, pending.Version, waitIsOver) is { } outcome)
        {
            Answer(step, pending, outcome);
        }
    }

    private static void Answer(NodeStep step, PendingAnswer pending, IntentOutcome outcome)
    {
        step.State = step.State with { Pending = null };
        step.Do(new NodeEffect.AnswerIntent(new IntentAnswer(pending.Revision, outcome)));
    }

    private static void ChangeSession(NodeStep step, NodeEvent.SessionChanged changed)
    {
        var (state, before) = (step.State, step.State.Session(changed.Neighbor));
        if (before is null || before.State == changed.To)
        {
            return;
        }

        var lost = before.IsEstablished;
        Update(step, changed.Neighbor, session => SilentNeighbors.Follow(session with
        {
            State = changed.To,
            Since = lost || changed.To == SessionState.Established ? step.Now : session.Since,
            HoldTime = lost ? null : session.HoldTime,
            WrittenVersion = lost ? 0 : session.WrittenVersion,
            Flaps = lost && !changed.Asked && !step.State.Stopping ? session.Flaps + 1 : session.Flaps,
        }, step.Now.Monotonic));
        if (!lost)
        {
            Failback.FollowSessions(step, state);
            return;
        }

        if (step.State.Stopping)
        {
            step.Do(new NodeEffect.Log(LogLevel.Information, $"session with {changed.Neighbor} closed after {Lasted(step, before)}: {changed.Reason}"));
            return;
        }

        step.Record(
            changed.Asked ? TransitionKind.SessionReset : TransitionKind.SessionLost,
            $"session with {changed.Neighbor} {(changed.Asked ? "ended by the agent itself" : "lost")} after {Lasted(step, before)}: {changed.Reason}; {step.State.EstablishedSessions} of {step.State.Sessions.Length} sessions remain",
            neighbor: changed.Neighbor.ToString());
        Failback.FollowSessions(step, state);
    }

    private static void EstablishSession(NodeStep step, NodeEvent.SessionEstablished established)
    {
        if (step.State.Session(established.Neighbor) is null)
        {
            // Taken out of the configuration while this was on its way.
            return;
        }

        var hold = established.Parameters.HoldTime;
        Update(step, established.Neighbor, session => session with { HoldTime = hold, Outage = null });
        step.Record(
            TransitionKind.SessionEstablished,
            $"session with {established.Neighbor} established: hold {hold.Seconds} s, {Announced(step.State)}",
            neighbor: established.Neighbor.ToString());
    }

    private static void TakeWritten(NodeStep step, NodeEvent.AdvertisementsWritten written)
    {
        foreach (var skipped in written.Skipped.Except(step.State.Session(written.Neighbor)?.Skipped ?? []))
        {
            step.Do(new NodeEffect.Log(LogLevel.Warning, skipped.Describe(written.Neighbor)));
        }

        Update(step, written.Neighbor, session => session with { WrittenVersion = written.Version, Skipped = written.Skipped });
    }

    private static void FailSession(NodeStep step, NodeEvent.SessionFailed failed)
    {
        var before = step.State.Session(failed.Neighbor);
        if (before is null)
        {
            return;
        }

        Update(step, failed.Neighbor, session => session with
        {
            LastTrouble = new SessionTrouble(failed.Error.Text, failed.Error.FromPeer, step.Now.At),
        });

        // A loss is a transition with a line of its own; a dial that goes on failing is worth a line only when its reason is a new one.
        if (!before.IsEstablished && !step.State.Stopping && NextLine(before.Outage, failed.Error.Text, step.Now.Monotonic) is { } outage)
        {
            Update(step, failed.Neighbor, session => session with { Outage = outage });
            var advice = failed.Error.Advice is { } known ? $" ({known})" : "";
            step.Do(new NodeEffect.Log(
                LogLevel.Warning,
                $"no session with {failed.Neighbor} yet: {failed.Error.Text}{advice}; trying again, {step.State.EstablishedSessions} of {step.State.Sessions.Length} sessions are established"));
        }
    }

    /// <summary>Null: the log has heard enough of this.</summary>
    public static OutageLines? NextLine(OutageLines? said, string text, TimeSpan now) =>
        said is null || now - said.Since >= _outageReminder ? new OutageLines(now, [text])
        : said.Texts.Contains(text) || said.Texts.Length == MostReasons ? null
        : said with { Texts = said.Texts.Add(text) };

    private static void Update(NodeStep step, NeighborEndpoint neighbor, Func<SessionStatus, SessionStatus> change) =>
        step.State = step.State with
        {
            Sessions = [.. step.State.Sessions.Select(session => session.Neighbor == neighbor ? change(session) : session)],
        };

    private static string Announced(NodeState state)
    {
        var roles = state.Prefixes.Select(prefix => prefix.Decision).OfType<AdvertisementDecision.Announce>().Select(announce => announce.Role).ToList();
        if (roles.Count == 0)
        {
            return state.Drained ? "nothing announced (drained)" : "nothing announced";
        }

        var words = Enum.GetValues<Role>()
            .Select(role => (Role: role, Count: roles.Count(other => other == role)))
            .Where(group => group.Count > 0)
            .Select(group => $"{group.Count} {(group.Count == 1 ? "prefix" : "prefixes")} announced as {group.Role.Word()}");
        return string.Join(", ", words);
    }

    private static string Lasted(NodeStep step, SessionStatus session) => Words.Lasted(step.Now.Monotonic - session.Since.Monotonic);
}
