using FailoverHub.Agent.Speaker.Sockets;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// The dial of one neighbor, which may take several sockets: one that nobody answers is begun again, and a path that is missing may be there a moment later.
/// Belongs to the speaker's thread.
/// </summary>
internal sealed class PeerDial(PeerOptions options)
{
    private readonly DialPace _pace = new(options.DialTimeout, new Random());
    private string? _pathProblem;

    public bool IsUnderWay { get; private set; }

    /// <summary>When <see cref="IsOver"/> or <see cref="IsDue"/> is to be asked; null: not at all.</summary>
    public TimeSpan? NextDeadline => IsUnderWay ? _pace.NextAt ?? _pace.GiveUpAt : null;

    /// <summary>Why there was no connection in the time for a dial.</summary>
    public string Silence => _pathProblem ?? $"no answer within {options.DialTimeout.TotalSeconds:0.#} s{SocketSecurity.SilenceMayMean(options)}";

    /// <summary>Its time is over.</summary>
    public bool IsOver(TimeSpan now) => IsUnderWay && now >= _pace.GiveUpAt;

    /// <summary>It is to be begun again with another socket.</summary>
    public bool IsDue(TimeSpan now) => IsUnderWay && now >= _pace.NextAt;

    public void Begin(TimeSpan now)
    {
        IsUnderWay = true;
        _pace.Begin(now);
    }

    /// <summary>A socket that dials; none: there is no path just now, or, with a refusal, it is no use to go on.</summary>
    public (PeerSocket? Socket, string? Refusal) Open(TimeSpan now)
    {
        var (socket, problem) = PeerSocket.Dial(options);
        if (problem is not null)
        {
            return (null, Judge(problem, now));
        }

        _pathProblem = null;
        _pace.Dialled(now, isUnderWay: true);
        return (socket, null);
    }

    /// <summary>Null: it goes on. Else why it is no use to go on.</summary>
    public string? Judge(DialProblem problem, TimeSpan now)
    {
        if (problem.OfThePath)
        {
            _pathProblem = problem.Words;
            _pace.Dialled(now, isUnderWay: false);
            return null;
        }

        _pace.Refused();
        return problem.Words;
    }

    public void Connected(TimeSpan now)
    {
        IsUnderWay = false;
        _pace.Connected(now);
    }

    /// <summary>It is given up.</summary>
    public void End()
    {
        IsUnderWay = false;
        _pathProblem = null;
    }
}
