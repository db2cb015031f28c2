using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Threading.Channels;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>
/// The loop "prober": owns the <see cref="ProbeBoard"/>, sends what is due, takes in what comes back, publishes what is known. It decides
/// nothing itself.
/// <code>
///   fleet (read each turn) ──targets──▶ board ──due──▶ one task per probe, at most 8192 ──result──▶ channel ──▶ board
///                                         │                                                                     │
///                                         └──▶ view (snapshot, at most 5 a second)      store, events ◀─────────┘
/// </code>
/// </summary>
internal sealed partial class Prober : BackgroundService
{
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(250);

    /// <summary>While an answer may come: so much later it is noticed. Its time was taken where it came in.</summary>
    private static readonly TimeSpan AnsweringTurn = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ShortestTurn = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ShortestTurnInABurst = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan TargetsAtLeastEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadGatewaysEvery = TimeSpan.FromMinutes(1);

    /// <summary>The same while something speaks against the way out: a link that is down takes its gateway with it, and one that is back brings it.</summary>
    private static readonly TimeSpan ReadGatewaysInDoubtEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PublishEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RepublishEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TellOfMissesEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FollowAgainAfter = TimeSpan.FromSeconds(1);
    private const int MostInFlight = 8_192;

    private readonly IFleetView _fleet;
    private readonly IProbe _probe;
    private readonly ReachabilityView _view;
    private readonly IProbeRecord _record;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    // Gateways answer ICMP or nothing, however addresses are asked; what answers TCP on a port of theirs says little.
    private readonly IProbe? _echo;
    private readonly Func<ImmutableArray<IPAddress>> _readGateways;
    private readonly Func<ImmutableArray<IPNetwork>> _readLinks;
    private readonly Func<ImmutableArray<ProbeTarget>> _named;
    private readonly ProbeBoard _board;
    private readonly HashSet<Task> _inFlight = [];
    // Never full: there is room for every probe that may be in flight.
    private readonly Channel<Result> _results = Channel.CreateBounded<Result>(new BoundedChannelOptions(2 * MostInFlight) { SingleReader = true });
    private readonly Histogram<double> _lateness;
    private readonly Counter<long> _missed;
    private volatile TaskCompletionSource _woken = NewAlarm();

    private FleetSnapshot? _fleetSeen;
    private ImmutableArray<ProbeTarget> _namedSeen = [];
    private TimeSpan _targetsSetAt;
    private ImmutableArray<IPAddress> _gateways = [];
    private TimeSpan? _gatewaysReadAt;
    private HubCutOff? _hubProblem;
    private bool _couldNotAsk;
    private TimeSpan? _publishedAt;
    private TimeSpan? _missTold;
    private bool _dirty;

    public Prober(IFleetView fleet, IProbe probe, ReachabilityView view, IProbeRecord record, ProberTools tools)
    {
        _fleet = fleet;
        _probe = probe;
        _view = view;
        _record = record;
        _time = tools.Time;
        _logger = tools.Logger;

        _echo = probe.Method == ProbeMethod.Icmp ? probe : tools.Echo;
        _readLinks = tools.Links;
        _readGateways = _echo is null ? () => [] : tools.Gateways;

        // A hundred connections a second are a burden to the service behind the port; a hundred echoes are none.
        _board = new ProbeBoard(probe.Method == ProbeMethod.Icmp ? ProbePace.Default : ProbePace.Default with { MostBursting = 0 }, tools.Random);
        _named = tools.Named;
        Meter meter = tools.Meters.Create("FailoverHub.Reachability");
        _lateness = meter.CreateHistogram<double>("failoverhub.probe.lateness", "ms", "How much later than planned a probe was sent");
        _missed = meter.CreateCounter<long>("failoverhub.probe.missed", null, "Probes whose answer the hub may have lost itself, because the buffer of its ICMP socket was full: they count neither as answered nor as lost");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        LogStarted(_probe.Port is { } port ? $"TCP connect to port {port}" : "ICMP echo");
        Task following = FollowMovesAsync(stoppingToken);
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                TakeResults();
                SetTargets();
                StartDue(stoppingToken);
                Publish();
                await WaitAsync(stoppingToken);
            }
        }
        finally
        {
            // They end by the same cancellation, or by their timeout.
            await Task.WhenAll([.. _inFlight, following]);
        }
    }

    private TimeSpan Now => _view.Now;

    /// <summary>
    /// The loop "prober-moves": wakes the prober when an operation begins to move an address, for what is sent before the address moves is worth most. It is begun anew when it breaks: the
    /// prober finds out by itself, a quarter of a second later.
    /// </summary>
    private async Task FollowMovesAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                FleetSnapshot? before = null;
                await foreach (FleetSnapshot fleet in _fleet.WatchAsync(stoppingToken))
                {
                    if (before is not null && ProbeTarget.BeginsToMove(before, fleet))
                    {
                        _woken.TrySetResult();
                    }

                    before = fleet;
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception defect)
            {
                LogMovesNotFollowed(defect);
            }

            await Task.Delay(FollowAgainAfter, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void SetTargets()
    {
        TimeSpan now = Now;
        bool anew = false;
        if (_gatewaysReadAt is not { } read || now - read >= (_couldNotAsk || _board.HubIsInDoubt ? ReadGatewaysInDoubtEvery : ReadGatewaysEvery))
        {
            _gatewaysReadAt = now;
            _couldNotAsk = false;
            _gateways = _readGateways();
            _board.SetLinks(_readLinks());
            anew = true;
        }

        // Turns are many, and the fleet's addresses seldom others; whether a session has just come or gone may be a second late.
        FleetSnapshot fleet = _fleet.Current;
        ImmutableArray<ProbeTarget> named = _named();
        if (anew || named != _namedSeen || _fleetSeen is null || !ProbeTarget.AreTheSame(_fleetSeen, fleet) || (!ReferenceEquals(_fleetSeen, fleet) && now - _targetsSetAt >= TargetsAtLeastEvery))
        {
            _targetsSetAt = now;
            _dirty |= _board.SetTargets(ProbeTarget.Of(fleet, named), _gateways, now);
            _fleetSeen = fleet;
            _namedSeen = named;
        }
    }

    private void TakeResults()
    {
        while (_results.Reader.TryRead(out Result? result))
        {
            _dirty = true;
            if (result.Problem is { } problem)
            {
                _couldNotAsk |= result.IsUnsent;
                if (result.IsUnsent ? _board.CouldNotAsk(result.Target, result.Sample, result.SentAt, problem) : _board.CannotProbe(result.Target, problem))
                {
                    LogCannotAsk(result.Target, problem);
                }

                continue;
            }

            if (result.IsMissed)
            {
                // No sample: what is not known soon turns unknown by its age, and is no loss of the address.
                _board.Miss(result.Target);
                Miss();
                continue;
            }

            ReachabilityChange? found = _board.Record(result.Target, result.Sample, result.SentAt);
            if (found is { } change)
            {
                if (change.Lost)
                {
                    LogLost(change.Target.Label, change.Error);
                }
                else
                {
                    LogRestored(change.Target.Label);
                }

                _record.Change(change);
            }
        }

        foreach ((ProbeTarget target, ProbeSample sample) in _board.TakeCounted(Now))
        {
            // What was shown until now may not count.
            _dirty = true;
            _record.Sample(target, sample);
        }

        _inFlight.RemoveWhere(t => t.IsCompleted);
        TellOfTheHubItself();
    }

    private void Miss()
    {
        _missed.Add(1);
        if (_missTold is not { } told || Now - told >= TellOfMissesEvery)
        {
            _missTold = Now;
            LogMissed();
        }
    }

    private void TellOfTheHubItself()
    {
        if (_board.HubProblem == _hubProblem)
        {
            return;
        }

        HubCutOff? before = _hubProblem;
        _hubProblem = _board.HubProblem;
        _dirty = true;
        if (_hubProblem is null)
        {
            LogConnected();
            _record.HubCutOff(null, _time.GetUtcNow());
        }
        else
        {
            // Also when it is another problem than before: the gateway was silent, and now there is none.
            LogCutOff(_hubProblem.Text);
            _record.HubCutOff(_hubProblem.Text, _time.GetUtcNow());
        }
    }

    private void LogCannotAsk(ProbeTarget target, string problem)
    {
        if (target.IsGateway)
        {
            LogCannotWatchItself(target.Label, problem);
        }
        else
        {
            LogCannotProbe(target.Label, problem);
        }
    }

    private void StartDue(CancellationToken stoppingToken)
    {
        foreach ((ProbeTarget target, TimeSpan lateness) in _board.TakeDue(Now, MostInFlight - _inFlight.Count))
        {
            _lateness.Record(lateness.TotalMilliseconds);
            if (ProbeOf(target).ProblemFor(target.Address) is { } problem)
            {
                if (_board.CannotProbe(target, problem))
                {
                    _dirty = true;
                    LogCannotAsk(target, problem);
                }

                continue;
            }

            _inFlight.Add(SendAsync(target, stoppingToken));
        }
    }

    private IProbe ProbeOf(ProbeTarget target) => target.Probe ?? (target.IsGateway && _echo is not null ? _echo : _probe);

    private async Task SendAsync(ProbeTarget target, CancellationToken stoppingToken)
    {
        DateTimeOffset at = _time.GetUtcNow();
        TimeSpan sentAt = Now;
        try
        {
            ProbeReply reply = await ProbeOf(target).SendAsync(target.Address, target.Timeout, stoppingToken);
            Hand(new Result(target, new ProbeSample(at, reply.RoundTrip, reply.Error), sentAt, reply.IsUnsent ? $"The hub could not ask: {reply.Error}." : null) { IsUnsent = reply.IsUnsent, IsMissed = reply.IsMissed });
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops; nobody wants to know any more.
        }
        catch (Exception exception)
        {
            // The hub could not ask, which says nothing about the address. Without a result the target would never be asked again.
            Hand(new Result(target, new ProbeSample(at, null, exception.Message), sentAt, $"The probe failed in the hub: {exception.Message}"));
        }
    }

    private void Hand(Result result)
    {
        bool written = _results.Writer.TryWrite(result);
        Debug.Assert(written, "there is room for every probe in flight");
    }

    private void Publish()
    {
        // Also without news: whoever watches judges ages by what comes, and what is old has to turn unknown before their eyes.
        TimeSpan? since = Now - _publishedAt;
        if ((_dirty && (since is null || since >= PublishEvery)) || since >= RepublishEvery)
        {
            _dirty = false;
            _publishedAt = Now;
            _view.Publish(_board.Snapshot(), _hubProblem, _board.HubHasHeard);
        }
    }

    /// <summary>Until a probe is due, what was held back may be published, or answers may have come.</summary>
    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        TimeSpan wait = _inFlight.Count > 0 ? AnsweringTurn : LongestTurn;
        if (_board.NextDue is { } due && due - Now < wait)
        {
            wait = due - Now;
        }

        if (_dirty && _publishedAt is { } last && last + PublishEvery - Now < wait)
        {
            wait = last + PublishEvery - Now;
        }

        TimeSpan shortest = _board.IsBursting ? ShortestTurnInABurst : ShortestTurn;
        Task woken = _woken.Task.WaitAsync(wait < shortest ? shortest : wait, _time, stoppingToken);
        await woken.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_woken.Task.IsCompleted)
        {
            _woken = NewAlarm();
        }
    }

    private static TaskCompletionSource NewAlarm() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Information, Message = "Probing every shared address by {Method}: each second, ten times a second while something happens to it, and in bursts while it moves")]
    private partial void LogStarted(string method);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} does not answer any more: {Error}; traffic to it is probably lost")]
    private partial void LogLost(string address, string? error);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} answers again")]
    private partial void LogRestored(string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}")]
    private partial void LogCutOff(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hub's gateway {Address} cannot be asked, so the hub would not notice that it is itself cut off: {Problem}")]
    private partial void LogCannotWatchItself(string address, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "The hub is connected again: its gateway, or an address behind it, answers; addresses are judged by their probes as before")]
    private partial void LogConnected();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The buffer of the hub's ICMP socket was full, so answers were thrown away before they were read: probes of that moment count neither as answered nor as lost. Give the hub more processor time, or raise net.core.rmem_max. Told at most once a minute")]
    private partial void LogMissed();

    [LoggerMessage(Level = LogLevel.Critical, Message = "A defect of the hub: it is not followed when operations begin to move addresses, so bursts of probes begin up to a quarter of a second later. It is begun anew in a second")]
    private partial void LogMovesNotFollowed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Address} cannot be probed, so whether it answers stays unknown: {Problem}")]
    private partial void LogCannotProbe(string address, string problem);

    /// <summary>With a problem the hub could not ask, and the sample counts for nothing.</summary>
    private sealed record Result(ProbeTarget Target, ProbeSample Sample, TimeSpan SentAt, string? Problem)
    {
        /// <summary>The hub may have lost the answer itself: likewise.</summary>
        public bool IsMissed { get; init; }

        /// <summary>The machine did not let it out, which of a gateway says that there is no way to it.</summary>
        public bool IsUnsent { get; init; }
    }
}

/// <summary>Clock, log and meters of the prober, how it learns of the machine's gateways, and of what operators have added; neither may wait.</summary>
internal sealed record ProberTools(TimeProvider Time, ILogger<Prober> Logger, IMeterFactory Meters, Func<ImmutableArray<IPAddress>> Gateways, Func<ImmutableArray<ProbeTarget>> Named)
{
    /// <summary>What makes intervals differ.</summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>Which networks the machine reaches without a gateway; may not wait.</summary>
    public Func<ImmutableArray<IPNetwork>> Links { get; init; } = () => [];

    /// <summary>How gateways are asked where addresses are not asked by ICMP; null: not at all.</summary>
    public IProbe? Echo { get; init; }
}

/// <summary>Where the prober's findings go. Neither call may wait: the prober has the next address to ask.</summary>
internal interface IProbeRecord
{
    void Sample(ProbeTarget target, ProbeSample sample);

    void Change(ReachabilityChange change);

    /// <summary>The hub found itself cut off, and why it thinks so; null: no longer.</summary>
    void HubCutOff(string? problem, DateTimeOffset at);
}
