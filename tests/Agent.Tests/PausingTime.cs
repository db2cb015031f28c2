using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests;

/// <summary>A clock that stands, and tells when somebody begins to wait for it, and for how long.</summary>
internal sealed class PausingTime : FakeTimeProvider
{
    public Signal<TimeSpan> Pauses { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Pauses.Add(dueTime);
        return timer;
    }
}
