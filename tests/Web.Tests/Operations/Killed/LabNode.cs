using FailoverHub.Protos.V1;
using FailoverHub.Web.Tests.Agents;
using Grpc.Core;
using Grpc.Net.Client;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>
/// A node that outlives its hub: what it is stays, whoever it speaks with. It stops at an intent of its choice until it dials again: it takes nothing in any more, and
/// goes on to report what it was before that intent, unless it is to fall silent. So the hub neither hears that it was obeyed nor gives the node up, however slow the machine is.
/// </summary>
internal sealed class LabNode(string name, NodeReport state, string dataCenter, Func<bool> bothArePrimaryOrDrained) : IAsyncDisposable
{
    private FakeAgent? _agent;
    private Task _reporting = Task.CompletedTask;
    private CancellationTokenSource _connected = new();
    private TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (int Intent, bool Obeys, bool Answers)? _stopAt;
    private (int Intent, bool Obeys, bool Answers)? _stopAfterDialling;
    private int? _silentAt;
    private int _intents;
    private volatile bool _hangs;

    private volatile bool _isSilent;

    // What it goes on to say since it has stopped without an answer; null: what it is.
    private NodeReport? _saysStill;

    public string Name => name;

    public NodeReport State => state;

    /// <summary>Refuses the next intent.</summary>
    public bool RejectsNext { get; set; }

    /// <summary>Set when it did what no operation may bring about.</summary>
    public string? Broken { get; private set; }

    /// <summary>Set when it was sent again what it has already, and had said so when it dialled.</summary>
    public string? Repeated { get; private set; }

    /// <summary>As <see cref="StopAt"/>, but from the next time on that it dials, and it reports nothing any more either.</summary>
    public Task FallSilentAfterDiallingAt(int intent, bool obeys)
    {
        (_stopAfterDialling, _stopped) = ((intent, obeys, false), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return _stopped.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    /// <summary>Stops at that intent of its life.</summary>
    /// <param name="intent">1: the first one.</param>
    /// <param name="obeys">It obeys it before it stops.</param>
    /// <param name="answers">It says so, too.</param>
    /// <returns>When it has stopped.</returns>
    public Task StopAt(int intent, bool obeys, bool answers = false)
    {
        (_stopAt, _stopped) = ((intent, obeys, answers), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return _stopped.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    /// <summary>Dials as it is, and goes on if it had stopped.</summary>
    public async Task DialAsync(string url)
    {
        (_hangs, _isSilent, _saysStill, _silentAt, _stopAt, _stopAfterDialling) = (false, false, null, _stopAfterDialling?.Intent, _stopAfterDialling, null);
        _agent = await FakeAgent.ConnectAsync(GrpcChannel.ForAddress(url), name, state, revision: state.IntentRevision, dataCenter: dataCenter, keepsFailback: true, onIntent: TakeAsync);
        await _agent.ReportAsync(Said);
        _connected = new CancellationTokenSource();
        _reporting = ReportAsync(_agent, _connected.Token);
    }

    /// <summary>The next request that is no intent.</summary>
    public Task<NodeRequest> RequestedAsync() => _agent!.ReceiveRequestAsync();

    public async Task HangUpAsync()
    {
        await _connected.CancelAsync();
        await _reporting;
        _connected.Dispose();
        await (_agent?.DisposeAsync() ?? ValueTask.CompletedTask);
        _agent = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
        {
            await HangUpAsync();
        }
    }

    private async Task TakeAsync(FakeAgent agent, NodeIntent intent)
    {
        if (_hangs)
        {
            return;
        }

        if (intent.Revision <= state.IntentRevision)
        {
            Repeated ??= $"{name} was sent revision {intent.Revision} ({intent.Reason}) and has {state.IntentRevision}.";
        }

        var stop = ++_intents == _stopAt?.Intent ? _stopAt : null;
        var rejected = RejectsNext;
        RejectsNext = false;
        Take(intent, stop, rejected);
        if (stop is null or { Answers: true })
        {
            await agent.SendAsync(new AgentMessage { IntentResult = new IntentResult { Revision = intent.Revision, SessionsUpdated = 4, Outcome = rejected ? IntentResult.Types.Outcome.Rejected : IntentResult.Types.Outcome.Applied, Reason = rejected ? "the disk is full" : "" } });
            await agent.ReportAsync(Said);
        }

        if (stop is not null)
        {
            _stopped.TrySetResult();
        }
    }

    // What the network is at this very moment: nobody else of the lab obeys while this is looked at, and no report tells half of it.
    private void Take(NodeIntent intent, (int Intent, bool Obeys, bool Answers)? stop, bool rejected)
    {
        lock (bothArePrimaryOrDrained)
        {
            _hangs = stop is not null;
            _isSilent = stop is not null && _silentAt == stop.Value.Intent;
            _saysStill = stop is { Answers: false } ? state.Clone() : null;
            if (!rejected && stop is not { Obeys: false })
            {
                FakeAgent.Apply(state, intent, keepsFailback: true);
                Broken ??= bothArePrimaryOrDrained() ? $"Both nodes are primary or drained after {name} obeyed revision {intent.Revision} ({intent.Reason})." : null;
            }
        }
    }

    private NodeReport Said()
    {
        lock (bothArePrimaryOrDrained)
        {
            return (_saysStill ?? state).Clone();
        }
    }

    // As nodes do, whether or not anything changes. Until the hub is gone, or another one is dialled.
    private async Task ReportAsync(FakeAgent agent, CancellationToken stop)
    {
        using var again = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await again.WaitForNextTickAsync(stop))
            {
                if (!_isSilent)
                {
                    await agent.ReportAsync(Said);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or IOException or InvalidOperationException)
        {
            // There is nobody any more who listens: the hub was killed, perhaps in the middle of a report.
        }
    }
}
