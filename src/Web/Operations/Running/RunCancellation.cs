namespace FailoverHub.Web.Operations.Running;

/// <summary>Whether a run is cancelled, or ends by itself: whichever comes first, once.</summary>
internal sealed class RunCancellation : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _cancel = new();
    private bool _ending;

    /// <summary>Who has cancelled it; null: nobody.</summary>
    public string? By { get; private set; }

    /// <summary>Cancelled when it is.</summary>
    public CancellationToken Token => _cancel.Token;

    /// <summary>It is to stop where it is.</summary>
    /// <returns>False: how it ends is decided already.</returns>
    public bool TryCancel(string by)
    {
        lock (_gate)
        {
            if (_ending || By is not null)
            {
                return false;
            }

            By = by;
        }

        _cancel.Cancel();
        return true;
    }

    /// <summary>How it ends is decided from here on.</summary>
    /// <returns>False: somebody has cancelled it before.</returns>
    public bool TryBeginEnding()
    {
        lock (_gate)
        {
            _ending |= By is null;
            return _ending;
        }
    }

    /// <summary>After the run has ended: then nobody cancels it any more.</summary>
    public void Dispose()
    {
        TryBeginEnding();
        _cancel.Dispose();
    }
}
