namespace FailoverHub.Web.Access.SignIn;

/// <summary>Tells open pages and streams at once that some session or token has ended; which one, they ask the database. One of another process is found at their next look.</summary>
internal sealed class SessionSignals
{
    private TaskCompletionSource _next = New();

    /// <summary>Done when a session or token ends after this was asked for.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>A session or token may have ended; it is committed.</summary>
    public void Ended() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
