namespace FailoverHub.Agent.Vantage;

/// <summary>Counts the probes of this node since the agent started, over all plans. From any thread.</summary>
internal sealed class VantageMeter
{
    private readonly Lock _gate = new();
    private long _begun;
    private long _answered;
    private long _lost;
    private long _notSent;
    private TimeSpan _lateness;
    private TimeSpan _worst;

    /// <summary>A probe begins, so long after its time.</summary>
    public void Begin(TimeSpan late)
    {
        lock (_gate)
        {
            _begun++;
            _lateness += late;
            _worst = late > _worst ? late : _worst;
        }
    }

    /// <summary>One has ended, and somebody still wants to know.</summary>
    public void End(ProbeOutcome outcome)
    {
        lock (_gate)
        {
            _ = outcome switch
            {
                { Problem: not null } => _notSent++,
                { RoundTrip: null } => _lost++,
                _ => _answered++,
            };
        }
    }

    /// <summary>All of it at one moment.</summary>
    /// <param name="outbox">Of the same vantage point: what is asked, and what was given up.</param>
    public VantageReading Read(ProbeOutbox outbox)
    {
        var (revision, targets, problems, dropped) = outbox.Read();
        lock (_gate)
        {
            return new VantageReading
            {
                Targets = targets,
                Revision = revision,
                Problems = problems,
                Answered = _answered,
                Lost = _lost,
                NotSent = _notSent,
                Dropped = dropped,
                Begun = _begun,
                Lateness = _lateness,
                WorstLateness = _worst,
            };
        }
    }
}
