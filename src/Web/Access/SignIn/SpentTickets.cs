namespace FailoverHub.Web.Access.SignIn;

/// <summary>
/// Encrypted cookies that were good once: a copy of one opens nothing a second time. Only what was used with success is kept, so strangers cannot fill it, and only
/// for as long as the cookie would be good. Cookies name the run of the hub that made them, and those of an earlier run are not taken: this memory does not outlive it.
/// </summary>
internal sealed class SpentTickets(TimeProvider time)
{
    /// <summary>More than a hub's people sign in within ten minutes; beyond it the oldest is forgotten.</summary>
    public const int Most = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _spent = new(StringComparer.Ordinal);
    private readonly Queue<(string Id, DateTimeOffset Until)> _inOrder = new();

    /// <summary>Of this start of the hub; a purpose of the keys that encrypt the cookies.</summary>
    public string Run { get; } = Secret.New();

    /// <summary>Spends it. False: it was spent already.</summary>
    /// <param name="id">Random, of one cookie.</param>
    /// <param name="until">When the cookie would be too old anyway.</param>
    public bool TrySpend(string id, DateTimeOffset until)
    {
        lock (_gate)
        {
            DateTimeOffset now = time.GetUtcNow();
            while (_inOrder.TryPeek(out var oldest) && (oldest.Until <= now || _spent.Count >= Most))
            {
                _inOrder.Dequeue();
                _spent.Remove(oldest.Id);
            }

            if (!_spent.TryAdd(id, until))
            {
                return false;
            }

            _inOrder.Enqueue((id, until));
            return true;
        }
    }

    /// <summary>Whether it was spent.</summary>
    public bool IsSpent(string id)
    {
        lock (_gate)
        {
            return _spent.ContainsKey(id);
        }
    }
}
