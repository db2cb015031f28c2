using System.Collections.Immutable;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// Where other threads ask how the sessions are and the speaker's thread answers. Whoever asks while an answer is awaited gets that one, so
/// there is never more than one question, however many ask.
/// </summary>
/// <param name="wake">Wakes the speaker's thread.</param>
internal sealed class DiagnosticsDesk(Action wake)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<ImmutableArray<PeerDiagnostics>>? _asked;
    private Task<ImmutableArray<PeerDiagnostics>>? _last;

    /// <summary>From any thread.</summary>
    public Task<ImmutableArray<PeerDiagnostics>> AskAsync(CancellationToken cancellationToken)
    {
        Task<ImmutableArray<PeerDiagnostics>> answer;
        lock (_gate)
        {
            if (_last is not null)
            {
                return _last;
            }

            // The continuations are the askers' work: not on the speaker's thread.
            _asked ??= new TaskCompletionSource<ImmutableArray<PeerDiagnostics>>(TaskCreationOptions.RunContinuationsAsynchronously);
            answer = _asked.Task;
        }

        wake();
        return answer.WaitAsync(cancellationToken);
    }

    /// <summary>On the speaker's thread: answers whoever waits.</summary>
    public void Answer(Func<ImmutableArray<PeerDiagnostics>> read)
    {
        // Looked at on the way to each keepalive: the lock is taken only when somebody waits.
        if (Volatile.Read(ref _asked) is null)
        {
            return;
        }

        TaskCompletionSource<ImmutableArray<PeerDiagnostics>>? asked;
        lock (_gate)
        {
            (asked, _asked) = (_asked, null);
        }

        asked?.SetResult(read());
    }

    /// <summary>On the speaker's thread, at its end: nothing changes any more, so this answers everybody from now on.</summary>
    public void Close(Task<ImmutableArray<PeerDiagnostics>> last)
    {
        TaskCompletionSource<ImmutableArray<PeerDiagnostics>>? asked;
        lock (_gate)
        {
            _last = last;
            (asked, _asked) = (_asked, null);
        }

        asked?.SetFromTask(last);
    }
}
