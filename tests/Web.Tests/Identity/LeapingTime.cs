using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>
/// A clock for tests that leap over days. A timer that has missed any number of its periods fires once and goes on from there, as the system's
/// own timers do after a machine was asleep; <see cref="FakeTimeProvider"/> runs each missed period, which is two and a half million ticks of a
/// one-second timer for a month.
/// </summary>
internal sealed class LeapingTime(DateTimeOffset start) : FakeTimeProvider(start)
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new OneAtATime(() => callback(state), fire => base.CreateTimer(_ => fire(), null, dueTime, Timeout.InfiniteTimeSpan), period);

    private sealed class OneAtATime : ITimer
    {
        private readonly Action _callback;
        private readonly Lock _gate = new();
        private readonly ITimer _next;
        private TimeSpan _period;

        public OneAtATime(Action callback, Func<Action, ITimer> create, TimeSpan period)
        {
            _callback = callback;
            _period = period;

            // A timer that is due at once fires while it is made: it then finds no timer to set again before the gate opens.
            lock (_gate)
            {
                _next = create(Fire);
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                _period = period;
                return _next.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }

        public void Dispose() => _next.Dispose();

        public ValueTask DisposeAsync() => _next.DisposeAsync();

        private void Fire()
        {
            lock (_gate)
            {
                if (_period > TimeSpan.Zero)
                {
                    _next?.Change(_period, Timeout.InfiniteTimeSpan);
                }
            }

            _callback();
        }
    }
}
