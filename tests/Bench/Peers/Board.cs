using System.Diagnostics;

namespace FailoverHub.Bench.Peers;

/// <summary>All that the four route servers see of one subject.</summary>
/// <param name="name">The subject's, for complaints.</param>
internal sealed class Board(string name)
{
    /// <summary>Route servers of a data center.</summary>
    public const int Servers = 4;

    private readonly Lock _gate = new();
    private readonly PeerSession?[] _sessions = new PeerSession?[Servers];
    private readonly List<string> _complaints = [];
    private Expectation? _expectation;
    private Goodbye? _goodbye;

    /// <summary>Seconds, offered to the subject from the next session on.</summary>
    public int HoldTime { get; set; } = 9;

    /// <summary>Sessions that ended since <see cref="Forget"/>.</summary>
    public int Losses { get; private set; }

    /// <summary>When the first connection since <see cref="Forget"/> was accepted, in the clock of <see cref="Stopwatch"/>; 0: none was.</summary>
    public long FirstAcceptedAt { get; private set; }

    /// <summary>The present sessions, in the order of the servers.</summary>
    public IReadOnlyList<PeerSession> Sessions
    {
        get
        {
            lock (_gate)
            {
                return [.. _sessions.OfType<PeerSession>()];
            }
        }
    }

    /// <summary>UPDATEs that all four have taken.</summary>
    public int Updates
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Sum(session => session?.Table.Updates ?? 0);
            }
        }
    }

    /// <summary>
    /// Completes when the tables of all four servers hold just <paramref name="count"/> routes of this kind and no other, with the moment at which the last
    /// of them came to that. To be called before what leads to it.
    /// </summary>
    /// <param name="route"><see cref="Route.None"/>: no route at all, <paramref name="count"/> does not matter.</param>
    /// <param name="count">Routes on each server.</param>
    public Task<long> Expect(Route route, int count)
    {
        lock (_gate)
        {
            _expectation = new Expectation(route, count);
            return _expectation.Done.Task;
        }
    }

    /// <summary>
    /// Completes when all four servers know that the subject leaves, with the moment at which the last of them did: its routes are withdrawn, or it says Cease, or
    /// its connection ends, whichever comes first. To be called before what leads to it.
    /// </summary>
    public Task<long> ExpectGoodbye()
    {
        lock (_gate)
        {
            _goodbye = new Goodbye();
            return _goodbye.Done.Task;
        }
    }

    /// <summary>A server knows that the subject leaves; the first time counts.</summary>
    public void Left(PeerSession session, long now)
    {
        lock (_gate)
        {
            _goodbye?.Look(session, now);
        }
    }

    /// <summary>Begins anew, for the subject's next start.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            Array.Clear(_sessions);
            _expectation = null;
            _goodbye = null;
            Losses = 0;
            FirstAcceptedAt = 0;
        }
    }

    /// <summary>Fails when a session was not as it should be.</summary>
    /// <exception cref="InvalidOperationException">Something was wrong; it says what.</exception>
    public void Check()
    {
        lock (_gate)
        {
            if (_complaints.Count > 0)
            {
                throw new InvalidOperationException($"{name}: {string.Join("; ", _complaints)}");
            }
        }
    }

    public void Complain(string text)
    {
        lock (_gate)
        {
            _complaints.Add(text);
            _expectation?.Done.TrySetException(new InvalidOperationException($"{name}: {text}"));
        }
    }

    public void Accepted(PeerSession session)
    {
        lock (_gate)
        {
            _sessions[session.Server - 1] = session;
            FirstAcceptedAt = FirstAcceptedAt == 0 ? session.AcceptedAt : FirstAcceptedAt;
        }
    }

    public void Lost(PeerSession session)
    {
        lock (_gate)
        {
            if (_sessions[session.Server - 1] == session)
            {
                _sessions[session.Server - 1] = null;
                Losses++;
            }
        }
    }

    /// <summary>Runs what takes the messages of a session in, and sees whether what is waited for has come.</summary>
    public int Take(PeerSession session, long now, Func<int> takeAll)
    {
        lock (_gate)
        {
            var taken = takeAll();
            if (_expectation is { } expectation && _sessions[session.Server - 1] == session)
            {
                expectation.Look(session, now);
            }

            return taken;
        }
    }

    private sealed class Expectation(Route route, int count)
    {
        private readonly long[] _reached = new long[Servers];

        public TaskCompletionSource<long> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Look(PeerSession session, long now)
        {
            var holds = route == Route.None
                ? session.Table.Total == 0
                : session.Table.Count(route) == count && session.Table.Total == count;
            ref var reached = ref _reached[session.Server - 1];
            reached = !holds ? 0 : reached == 0 ? now : reached;
            if (_reached.All(at => at != 0))
            {
                Done.TrySetResult(_reached.Max());
            }
        }
    }

    private sealed class Goodbye
    {
        private readonly long[] _left = new long[Servers];

        public TaskCompletionSource<long> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Look(PeerSession session, long now)
        {
            ref var left = ref _left[session.Server - 1];
            left = left == 0 ? now : left;
            if (_left.All(at => at != 0))
            {
                Done.TrySetResult(_left.Max());
            }
        }
    }
}
