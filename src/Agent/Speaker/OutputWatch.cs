using System.Collections.Immutable;
using FailoverHub.Agent.Speaker.Sockets;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// How far the output of one connection has come: which advertisements the kernel has taken, and whether output waits, which is the session's to judge
/// (RFC 9687). Belongs to the speaker's thread.
/// </summary>
internal sealed class OutputWatch
{
    private readonly Queue<(long Position, long Version, ImmutableArray<SkippedPrefix> Skipped)> _marks = new();
    private bool _waits;
    private ulong _messagesBefore;

    /// <summary>A new connection begins.</summary>
    public void StartOver()
    {
        _messagesBefore = 0;
        _waits = false;
    }

    /// <summary>Advertisements of this version end with what is queued now.</summary>
    public void Mark(PeerSocket socket, long version, ImmutableArray<SkippedPrefix> skipped) => _marks.Enqueue((socket.Queued, version, skipped));

    /// <summary>What was marked will not be written.</summary>
    public void Forget() => _marks.Clear();

    /// <summary>The next version of which the last byte is written; false: none.</summary>
    public bool TryTake(PeerSocket socket, out long version, out ImmutableArray<SkippedPrefix> skipped)
    {
        if (_marks.TryPeek(out var mark) && mark.Position <= socket.Written)
        {
            (_, version, skipped) = _marks.Dequeue();
            return true;
        }

        (version, skipped) = (0, []);
        return false;
    }

    /// <summary>What the session is to hear of the output after a write; null: nothing new.</summary>
    public SessionInput? Look(PeerSocket socket)
    {
        var waited = _waits;
        var progress = socket.MessagesWritten != _messagesBefore;
        _waits = socket.WantsWrite;
        _messagesBefore = socket.MessagesWritten;
        return (waited, progress, _waits) switch
        {
            (true, true, true) => SessionInput.OutputProgress.Some,
            (true, true, false) => SessionInput.OutputProgress.All,
            (false, _, true) => SessionInput.OutputBlocked.Instance,
            _ => null,
        };
    }
}
