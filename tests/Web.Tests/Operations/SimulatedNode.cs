using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Fleet;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>The hub of now; each start ends the one before, on the same data.</summary>
internal sealed class HubWithRestarts(string folder, TimeProvider time, TwoPersonPolicy policy) : IAsyncDisposable
{
    private HubUnderTest? _now;

    public HubUnderTest Now => _now ?? throw new InvalidOperationException("The hub is not started.");

    public async Task StartAsync()
    {
        await DisposeAsync();
        // As many moves as the test likes: it is about what they do, not about how often.
        _now = await HubUnderTest.StartAsync(folder, time, services => services.AddSingleton(new OperationLimits { MovesInARow = 0, TwoPerson = policy }));
        await People.AddAsync(_now);
    }

    public ValueTask DisposeAsync() => _now?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Which act of a run it is: what a node was sent is compared with what the hub could know.</summary>
internal sealed class Steps
{
    private int _now;

    public int Now => Volatile.Read(ref _now);

    public void Next() => Interlocked.Increment(ref _now);
}

/// <summary>A node without a network: it obeys an intent when the test says so, and forgets what waits when its connection breaks.</summary>
internal sealed class SimulatedNode(HubWithRestarts hub, Steps steps, string name, IPNetwork prefix, Role ownRole, long firstId) : IAgentStream
{
    private readonly ConcurrentQueue<(IntentFacts Intent, int At)> _waiting = new();
    private readonly ConcurrentDictionary<long, int> _firstSentAt = new();
    private readonly List<string> _story = [];
    private TaskCompletionSource _admitted = new();
    private long _revision;
    private readonly Role _own = ownRole;
    private Role _role = ownRole;
    private bool _drained;
    private ulong _sequence;
    private bool _connected;
    private long _dials;
    private int _boot;
    private bool _healthy = true;
    private int? _sickSince;
    private int _healthySince = -1;

    public long Id { get; private set; }

    public string Name => name;

    public List<(string Node, long Revision)> Seen { get; } = [];

    /// <summary>Of one run: whoever drains a data center drains only its nodes.</summary>
    public string DataCenter { get; } = (firstId / 1_000_000L).ToString(CultureInfo.InvariantCulture);

    public bool IsDrained => _drained;

    /// <summary>Every intent that reached the node and what it did with it, for whoever has to find out what went wrong.</summary>
    public string Story => $"{name}: {string.Join(", ", _story)}.";

    public bool IsPrimaryOnTheWire => !_drained && _healthy && _role == Role.Primary;

    public SimulatedNode Partner { get; set; } = null!;

    /// <summary>When it came back without what it was told, as primary by its own file; null: it has obeyed since.</summary>
    public int? ForgotAt { get; private set; }

    /// <summary>Set when it was made primary beside a node that had come back as primary by itself, and the hub knew.</summary>
    public string? MadePrimaryBeside { get; private set; }

    /// <summary>Set when it was drained beside a node that announces nothing because it is sick, and the hub knew.</summary>
    public string? DrainedBeside { get; private set; }

    public void Admit() => _admitted.TrySetResult();

    public void Offer(IntentFacts intent) => _waiting.Enqueue((intent, _firstSentAt.GetOrAdd(intent.Revision, steps.Now)));

    public void Ask(SessionResetOrder request)
    {
        // Nobody resets a session here.
    }

    public void End(StreamEnd end, string why)
    {
    }

    public async Task DialAsync()
    {
        if (_connected)
        {
            return;
        }

        _waiting.Clear();
        _story.Add($"dials with {_revision}");
        _admitted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Id = firstId + _dials++;
        hub.Now.Fleet.Register(this);
        var hello = new AgentHello { Node = name, AgentVersion = "1", BootId = $"boot-{_boot}", IntentRevision = _revision, DataCenter = DataCenter, Capabilities = ImmutableArray<string>.Empty };
        await hub.Now.Fleet.PostAsync(new FleetMessage.StreamOpened(Id, hello, null), TestContext.Current.CancellationToken);
        await _admitted.Task.WaitAsync(TestContext.Current.CancellationToken);
        _connected = true;
        await ReportAsync();
    }

    public async Task BreakAsync()
    {
        if (_connected)
        {
            _connected = false;
            await hub.Now.Fleet.PostAsync(new FleetMessage.StreamEnded(Id, name), TestContext.Current.CancellationToken);
            hub.Now.Fleet.Unregister(this);
            _waiting.Clear();
        }
    }

    /// <summary>The hub is gone, and with it the stream; the node goes on as it is.</summary>
    public void LoseHub()
    {
        _connected = false;
        _waiting.Clear();
    }

    public async Task TakeNextAsync(IntentOutcome outcome)
    {
        if (!_connected || !_waiting.TryDequeue(out var sent))
        {
            return;
        }

        var (intent, sentAt) = sent;
        Seen.Add((name, intent.Revision));
        _story.Add($"{outcome} {intent.Revision} {(intent.Drained ? "drained" : intent.RoleOf(prefix))} of {intent.OperationId?[^6..]}");
        if (outcome == IntentOutcome.Applied && intent.Revision > _revision)
        {
            // What the hub decided in the very act in which the other node told of it is not held against it.
            var nowPrimary = intent is { Drained: false } && intent.RoleOf(prefix) == Role.Primary && !IsPrimaryOnTheWire && _healthy;
            if (nowPrimary && Partner is { ForgotAt: { } forgot, IsPrimaryOnTheWire: true } && sentAt > forgot + 1)
            {
                MadePrimaryBeside = $"{name} was made primary by revision {intent.Revision}, sent in act {sentAt}; {Partner.Name} is primary by itself since act {forgot}.";
            }

            // A node that announced nothing itself when it was told loses nothing by it.
            if (intent is { Drained: true, OperationId: not null } && !_drained && _healthy && sentAt > _healthySince + 1 && Partner._sickSince is { } sick && sentAt > sick + 1)
            {
                DrainedBeside = $"{name} was drained by revision {intent.Revision}, sent in act {sentAt}; {Partner.Name} is sick since act {sick}.";
            }

            ForgotAt = null;
            (_revision, _drained, _role) = (intent.Revision, intent.Drained, intent.RoleOf(prefix)!.Value);
        }

        await hub.Now.Fleet.PostAsync(new FleetMessage.IntentAnswered(Id, name, new IntentAnswer(intent.Revision, outcome, 4, "at random")), TestContext.Current.CancellationToken);
        await ReportAsync();
    }

    /// <summary>Its check fails, or passes again: it withdraws what it announces meanwhile.</summary>
    public async Task SetHealthAsync(bool healthy)
    {
        if (_healthy != healthy)
        {
            (_healthy, _sickSince, _healthySince) = (healthy, healthy ? null : steps.Now, healthy ? steps.Now : _healthySince);
            _story.Add(healthy ? "heals" : "sickens");
            await ReportAsync();
        }
    }

    /// <summary>The agent's process ends and another one begins; what it had kept on its disk is there, or is lost.</summary>
    public async Task RestartAsync(bool forgets)
    {
        await BreakAsync();
        _boot++;
        if (forgets)
        {
            (_revision, _drained, _role) = (0, false, _own);
            ForgotAt = _own == Role.Primary ? steps.Now : ForgotAt;
            _story.Add("has lost what it was told");
        }

        await DialAsync();
    }

    public async Task ReportAsync()
    {
        if (!_connected)
        {
            return;
        }

        var announces = !_drained && _healthy;
        var view = Fleets.View(_role, announces ? _role : null, announces ? null : _drained ? WithdrawnReason.Drained : WithdrawnReason.Unhealthy, prefix: prefix);
        var report = Fleets.Report(view) with { Sequence = ++_sequence, IntentRevision = _revision, Drained = _drained, Health = _healthy ? Health.Healthy : Health.Unhealthy };
        await hub.Now.Fleet.PostAsync(new FleetMessage.Reported(Id, name, report), TestContext.Current.CancellationToken);
    }
}
