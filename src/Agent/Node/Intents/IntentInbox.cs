namespace FailoverHub.Agent.Node.Intents;

/// <summary>
/// The one place for what the hub wants and the node has not looked at yet. A newer intent takes the place of an older one, and whoever brings a second one
/// waits until the place is free: a hub that sends without end has one intent looked at after the other, in between what happens to the node and what is
/// ordered on it, and fills neither memory nor queue.
/// </summary>
internal sealed class IntentInbox
{
    private readonly Lock _gate = new();
    private NodeEvent? _waiting;
    private NodeEvent.IntentSuperseded? _superseded;
    private TaskCompletionSource? _taken;

    /// <summary>Leaves an intent, or what cannot be one. Completes at once when the place was free, else when what stands in it then has been taken.</summary>
    /// <param name="brought">A <see cref="NodeEvent.IntentReceived"/> or <see cref="NodeEvent.IntentMalformed"/>.</param>
    /// <param name="ring">Called when there was nothing, from the caller's thread.</param>
    /// <param name="cancellationToken">Ends the wait; what was left stays.</param>
    public Task OfferAsync(NodeEvent brought, Action ring, CancellationToken cancellationToken)
    {
        Task taken;
        lock (_gate)
        {
            if (_waiting is { } before)
            {
                (_waiting, var dropped) = IsNewer(brought, before) ? (brought, before) : (before, brought);
                var (revision, operationId) = Name(dropped);
                _superseded = new NodeEvent.IntentSuperseded(revision, operationId, Name(_waiting).Revision);
                taken = (_taken ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                return taken.WaitAsync(cancellationToken);
            }

            _waiting = brought;
        }

        ring();
        return Task.CompletedTask;
    }

    /// <summary>What waits, and what gave way to it; none: nothing waits.</summary>
    public (NodeEvent? Brought, NodeEvent.IntentSuperseded? Superseded) Take()
    {
        TaskCompletionSource? taken;
        (NodeEvent?, NodeEvent.IntentSuperseded?) found;
        lock (_gate)
        {
            found = (_waiting, _superseded);
            (taken, _waiting, _superseded, _taken) = (_taken, null, null, null);
        }

        taken?.TrySetResult();
        return found;
    }

    // What makes no sense never takes the place of what does.
    private static bool IsNewer(NodeEvent brought, NodeEvent waiting) => (brought, waiting) switch
    {
        (NodeEvent.IntentReceived now, NodeEvent.IntentReceived before) => now.Intent.Revision >= before.Intent.Revision,
        (NodeEvent.IntentReceived, _) => true,
        (_, NodeEvent.IntentReceived) => false,
        _ => true,
    };

    private static (ulong Revision, string OperationId) Name(NodeEvent brought) => brought switch
    {
        NodeEvent.IntentReceived received => (received.Intent.Revision, received.Intent.OperationId),
        NodeEvent.IntentMalformed malformed => (malformed.Revision, malformed.OperationId),
        _ => throw new ArgumentException($"{brought.GetType().Name} is no intent.", nameof(brought)),
    };
}
