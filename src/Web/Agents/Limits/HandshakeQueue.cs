using System.Threading.RateLimiting;

namespace FailoverHub.Web.Agents.Limits;

/// <summary>
/// How many TLS handshakes go on at once on the agents' port. A handshake costs the hub milliseconds of a processor; when a whole fleet comes back in one moment and all of them are begun together,
/// each takes longer than its agent waits, and all of the work is for nothing. So some are done and some wait, as long as an agent surely waits; the rest are closed at once and come again by
/// their back-off, which spreads them.
/// </summary>
internal sealed partial class HandshakeQueue(TimeProvider time, ILogger<HandshakeQueue> logger) : IDisposable
{
    /// <summary>More than keep the processors busy, so that those far away, who wait for the network, do not hold up the others.</summary>
    public const int AtOnce = 64;

    /// <summary>Done within two seconds on two cores; an agent waits for five.</summary>
    public const int Waiting = 256;

    /// <summary>Whoever has begun and is not done by then counts no more: by not going on nobody keeps others from beginning.</summary>
    public static readonly TimeSpan TurnFor = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrencyLimiter _turns = new(new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = Waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
    private long _toldAt = long.MinValue;

    /// <summary>Waits for a turn; null: too many wait already.</summary>
    /// <exception cref="OperationCanceledException">The connection is gone.</exception>
    public async ValueTask<Turn?> EnterAsync(CancellationToken gone)
    {
        RateLimitLease lease = await _turns.AcquireAsync(1, gone);
        if (lease.IsAcquired)
        {
            return new Turn(lease, time);
        }

        lease.Dispose();
        long told = Interlocked.Read(ref _toldAt);
        if ((told == long.MinValue || time.GetElapsedTime(told) >= ToldEvery) && Interlocked.CompareExchange(ref _toldAt, time.GetTimestamp(), told) == told)
        {
            LogFull(logger, AtOnce, Waiting);
        }

        return null;
    }

    public void Dispose() => _turns.Dispose();

    [LoggerMessage(Level = LogLevel.Information, Message = "More agents dial than the hub can welcome at once ({AtOnce} handshakes at a time, {Waiting} wait); the rest come again within seconds. Told once a minute")]
    private static partial void LogFull(ILogger logger, int atOnce, int waiting);

    /// <summary>One handshake that may go on.</summary>
    internal sealed class Turn : IDisposable
    {
        private readonly RateLimitLease _lease;
        private readonly ITimer _over;
        private int _left;

        public Turn(RateLimitLease lease, TimeProvider time)
        {
            _lease = lease;
            _over = time.CreateTimer(_ => Leave(), null, TurnFor, Timeout.InfiniteTimeSpan);
        }

        /// <summary>It is done, or its time is over.</summary>
        public void Leave()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                _lease.Dispose();
            }
        }

        public void Dispose()
        {
            Leave();
            _over.Dispose();
        }
    }
}
