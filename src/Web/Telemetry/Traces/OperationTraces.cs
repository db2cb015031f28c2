using System.Collections.Concurrent;
using System.Diagnostics;
using FailoverHub.Web.Api;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Telemetry.Traces;

/// <summary>When a node did what an intent asked, by its own clocks.</summary>
/// <param name="Parent">The `traceparent` that it gave back.</param>
/// <param name="ReceivedAt">When the intent came, by the node's wall clock.</param>
/// <param name="StoredAfter">From then until it was on the node's disk; null: it was not kept, or had been kept before.</param>
/// <param name="AnsweredAfter">From then until the answer: where it is `applied`, the UPDATE was written on the sessions by then.</param>
internal sealed record NodeTimes(string Parent, DateTimeOffset ReceivedAt, TimeSpan? StoredAfter, TimeSpan AnsweredAfter);

/// <summary>
/// The spans of an operation behind its request: one for the operation, one for each of its steps, one for each intent from its sending to its answer, and below that what the node says of
/// its own times. They are begun and ended by what is told anyway; nothing waits for a span.
/// </summary>
internal sealed class OperationTraces : IDisposable
{
    /// <summary>Operations and intents that are followed at one time; of more there are no spans.</summary>
    public const int Most = 4_096;

    private readonly ConcurrentDictionary<string, Activity> _operations = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Node, long Revision), Activity> _intents = new();
    private readonly OperationFeed _feed;

    public OperationTraces(OperationFeed feed)
    {
        _feed = feed;
        feed.Published += Follow;
    }

    /// <summary>An intent is given to a node's stream.</summary>
    /// <returns>Its `traceparent`, as W3C Trace Context has it; null: nobody traces it.</returns>
    public string? Sent(string node, IntentFacts intent)
    {
        if (intent.OperationId is not { } id || _intents.Count >= Most || !_operations.TryGetValue(id, out Activity? operation)
            || HubTraces.Start($"intent {node}", ActivityKind.Producer, operation.Context) is not { } span)
        {
            return null;
        }

        span.SetTag("failoverhub.node", node).SetTag("failoverhub.revision", intent.Revision).SetTag(HubTraces.OperationTag, id);
        if (_intents.TryRemove((node, intent.Revision), out Activity? before))
        {
            before.SetStatus(ActivityStatusCode.Error, "sent again on another stream").Dispose();
        }

        _intents[(node, intent.Revision)] = span;
        return span.Id;
    }

    /// <summary>A node has answered an intent.</summary>
    public void Answered(string node, IntentAnswer answer, NodeTimes? times)
    {
        _intents.TryRemove((node, answer.Revision), out Activity? intent);
        if (intent is not null)
        {
            // An answer to another sending, or of an agent that keeps no times, says nothing about this one.
            if (times?.Parent == intent.Id)
            {
                OfNode(node, answer, times!, intent.Context);
            }

            intent.SetTag("failoverhub.outcome", ApiWords.Kebab(answer.Outcome)).SetTag("failoverhub.sessions_updated", answer.SessionsUpdated);
            intent.SetStatus(answer.Outcome == IntentOutcome.Applied ? ActivityStatusCode.Ok : ActivityStatusCode.Error, answer.Reason).Dispose();
        }
    }

    public void Dispose()
    {
        _feed.Published -= Follow;
        foreach (Activity open in _operations.Values.Concat(_intents.Values))
        {
            open.Dispose();
        }
    }

    // Called where the change is made, so that whoever asked for it is the parent.
    private void Follow(OperationView operation)
    {
        if (operation.IsFinished)
        {
            if ((_operations.TryRemove(operation.Id, out Activity? known) ? known : Begin(operation)) is { } span)
            {
                End(span, operation);
            }
        }
        else if (_operations.Count < Most && !_operations.ContainsKey(operation.Id) && Begin(operation) is { } begun)
        {
            _operations[operation.Id] = begun;
        }
    }

    private static Activity? Begin(OperationView operation)
    {
        Activity? begun = HubTraces.Start($"operation {ApiWords.Kebab(operation.Type)}", ActivityKind.Internal, HubTraces.ParentOf(operation.Id), operation.RequestedAt);
        return begun?.SetTag(HubTraces.OperationTag, operation.Id).SetTag("failoverhub.pair", operation.PairName).SetTag("failoverhub.title", operation.Title);
    }

    private static void End(Activity span, OperationView operation)
    {
        DateTimeOffset end = operation.FinishedAt ?? operation.RequestedAt;
        foreach (OperationStep step in operation.Steps)
        {
            if (step.StartedAt is not { } startedAt || HubTraces.Start(step.Title, ActivityKind.Internal, span.Context, startedAt) is not { } child)
            {
                continue;
            }

            child.SetTag(HubTraces.OperationTag, operation.Id).SetTag("failoverhub.observed", step.Detail);
            child.SetStatus(step.Status == StepStatus.Succeeded ? ActivityStatusCode.Ok : ActivityStatusCode.Error, step.Detail);
            child.SetEndTime((step.FinishedAt ?? end).UtcDateTime);
            child.Dispose();
        }

        span.SetTag("failoverhub.status", operation.Status.ToString()).SetTag("failoverhub.outcome", operation.Outcome);
        span.SetStatus(operation.Status == OperationStatus.Succeeded ? ActivityStatusCode.Ok : ActivityStatusCode.Error, operation.Outcome);
        span.SetEndTime(end.UtcDateTime);
        span.Dispose();
    }

    private static void OfNode(string node, IntentAnswer answer, NodeTimes times, ActivityContext parent)
    {
        DateTimeOffset answeredAt = times.ReceivedAt + times.AnsweredAfter;
        if (Between($"{node}: receipt to answer", times.ReceivedAt, answeredAt, parent) is not { } whole)
        {
            return;
        }

        if (times.StoredAfter is { } storedAfter)
        {
            Between($"{node}: to the disk", times.ReceivedAt, times.ReceivedAt + storedAfter, whole.Context)?.Dispose();
            if (answer.Outcome == IntentOutcome.Applied)
            {
                Between($"{node}: UPDATE on {answer.SessionsUpdated} sessions", times.ReceivedAt + storedAfter, answeredAt, whole.Context)?.Dispose();
            }
        }

        whole.Dispose();

        Activity? Between(string name, DateTimeOffset from, DateTimeOffset to, ActivityContext of)
        {
            Activity? span = HubTraces.Start(name, ActivityKind.Consumer, of, from);
            span?.SetTag("failoverhub.node", node).SetTag("failoverhub.revision", answer.Revision).SetTag(HubTraces.OperationTag, of.TraceId.ToHexString()).SetEndTime(to.UtcDateTime);
            return span;
        }
    }
}
