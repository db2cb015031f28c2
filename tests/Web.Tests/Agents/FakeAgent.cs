using System.Collections.Concurrent;
using System.Threading.Channels;
using FailoverHub.Protos.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>How a fake agent treats an intent.</summary>
internal enum Obedience
{
    Applies,
    Rejects,
    AcceptsWithoutSession,
    IsDeaf,

    /// <summary>It says that it did all of it, and keeps the failback policy that it has.</summary>
    ConfirmsAndKeepsItsPolicy,
}

/// <summary>A small real agent: it dials the hub's real port, says Hello, reports, and obeys intents, without any BGP.</summary>
internal sealed class FakeAgent : IAsyncDisposable
{
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<AgentMessage, HubMessage> _call;
    private readonly Channel<HubMessage> _received = Channel.CreateUnbounded<HubMessage>();
    private readonly SemaphoreSlim _write = new(1);
    private readonly NodeReport _state;
    private readonly Task _reading;
    private ulong _sequence;

    private FakeAgent(string node, GrpcChannel channel, AsyncDuplexStreamingCall<AgentMessage, HubMessage> call, NodeReport state)
    {
        Node = node;
        _channel = channel;
        _call = call;
        _state = state;
        _reading = Task.Run(ReadAsync);
    }

    public string Node { get; }

    /// <summary>What it says that its disk took.</summary>
    public static readonly TimeSpan ToTheDisk = TimeSpan.FromMilliseconds(2);

    /// <summary>Called with each intent, before it is obeyed.</summary>
    public Func<NodeIntent, Task>? OnIntent { get; set; }

    public Obedience Obedience { get; set; }

    /// <summary>It said so in its Hello, and it reports the policies that it is told.</summary>
    public bool KeepsFailback { get; private init; }

    public ConcurrentQueue<NodeIntent> Intents { get; } = new();

    public ConcurrentQueue<NodeRequest> Requests { get; } = new();

    public ConcurrentQueue<JournalAck> Acks { get; } = new();

    /// <summary>How the hub ended the stream.</summary>
    public Task<RpcException?> Ended => _reading.ContinueWith(t => t.Exception?.GetBaseException() as RpcException, TaskScheduler.Default);

    public static Task<FakeAgent> ConnectAsync(string url, string node, NodeReport state, string boot = "boot-1", ulong revision = 0, string dataCenter = "", bool keepsFailback = false, bool asks = false) =>
        ConnectAsync(GrpcChannel.ForAddress(url), node, state, boot, revision, dataCenter, keepsFailback, asks);

    /// <summary>On a channel of its own, which it takes with it when it goes.</summary>
    /// <param name="channel">Where to.</param>
    /// <param name="node">Its name.</param>
    /// <param name="state">What it reports.</param>
    /// <param name="boot">The run of the agent.</param>
    /// <param name="revision">What it obeys.</param>
    /// <param name="dataCenter">Where it is.</param>
    /// <param name="keepsFailback">It is newer, and keeps failback policies.</param>
    /// <param name="asks">It probes for the hub.</param>
    /// <param name="onIntent">Takes every intent instead of the agent, also one that the hub sends as soon as it has heard Hello; null: the agent obeys.</param>
    public static async Task<FakeAgent> ConnectAsync(GrpcChannel channel, string node, NodeReport state, string boot = "boot-1", ulong revision = 0, string dataCenter = "", bool keepsFailback = false, bool asks = false, Func<FakeAgent, NodeIntent, Task>? onIntent = null)
    {
        var call = new AgentLink.AgentLinkClient(channel).Connect();
        var agent = new FakeAgent(node, channel, call, state) { KeepsFailback = keepsFailback };
        if (onIntent is not null)
        {
            agent.OnIntent = intent => onIntent(agent, intent);
            agent.Obedience = Obedience.IsDeaf;
        }

        var hello = new Hello { Node = node, AgentVersion = "1.2.3", BootId = boot, IntentRevision = revision, DataCenter = dataCenter };
        hello.Capabilities.AddRange(keepsFailback ? ["journal", "failback", "local-commands", "reset-session"] : ["journal"]);
        if (asks)
        {
            hello.Capabilities.Add("vantage");
        }

        await agent.SendAsync(new AgentMessage { Hello = hello });
        return agent;
    }

    /// <summary>Connects and reports; the shared prefix with this role on four sessions.</summary>
    public static async Task<FakeAgent> StartAsync(string url, string node, Role role, string boot = "boot-1", ulong revision = 0, string prefix = "203.0.113.10/32", bool keepsFailback = false)
    {
        var state = State(role, prefix, revision);
        state.Prefixes[0].FailbackPolicy = keepsFailback ? FailbackPolicy.Immediate : FailbackPolicy.Unspecified;
        var agent = await ConnectAsync(url, node, state, boot, revision, keepsFailback: keepsFailback);
        await agent.ReportAsync();
        return agent;
    }

    public static NodeReport State(Role role, string prefix = "203.0.113.10/32", ulong revision = 0)
    {
        var report = new NodeReport { IntentRevision = revision, Health = Health.Healthy };
        report.Prefixes.Add(new PrefixReport { Prefix = prefix, AssignedRole = role, ReportedRole = role, Announced = true, AddressPresent = true, EstablishedSessionsCarrying = 4 });
        for (var i = 1; i <= 4; i++)
        {
            report.Sessions.Add(new SessionReport { Neighbor = $"127.34.0.{i}:1790", State = SessionState.Established, HoldTimeSeconds = 9 });
        }

        return report;
    }

    public Task ReportAsync() => ReportAsync(_ => { });

    /// <summary>Changes what the node says of itself and says it. In one go: a test and an intent may do so at the same moment, and an older state must not get the newer number.</summary>
    public Task ReportAsync(Action<NodeReport> change) => ReportAsync(() =>
    {
        change(_state);
        return _state.Clone();
    });

    /// <summary>Says what is made at the moment at which it is said: what is older gets no newer number.</summary>
    public async Task ReportAsync(Func<NodeReport> make)
    {
        await _write.WaitAsync();
        try
        {
            var report = make();
            report.Sequence = ++_sequence;
            await _call.RequestStream.WriteAsync(new AgentMessage { Report = report });
        }
        finally
        {
            _write.Release();
        }
    }

    public async Task SendAsync(AgentMessage message)
    {
        await _write.WaitAsync();
        try
        {
            await _call.RequestStream.WriteAsync(message);
        }
        finally
        {
            _write.Release();
        }
    }

    /// <summary>The next message of the hub.</summary>
    public async Task<HubMessage> ReceiveAsync()
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        return await _received.Reader.ReadAsync(safety.Token);
    }

    /// <summary>The next intent of the hub.</summary>
    public async Task<NodeIntent> ReceiveIntentAsync()
    {
        while (true)
        {
            if (await ReceiveAsync() is { Intent: { } intent })
            {
                return intent;
            }
        }
    }

    /// <summary>The next request of the hub.</summary>
    public async Task<NodeRequest> ReceiveRequestAsync()
    {
        while (true)
        {
            if (await ReceiveAsync() is { Request: { } request })
            {
                return request;
            }
        }
    }

    /// <summary>The next plan of the hub that is so.</summary>
    public async Task<ProbePlan> ReceivePlanAsync(Func<ProbePlan, bool> holds)
    {
        while (true)
        {
            if (await ReceiveAsync() is { ProbePlan: { } plan } && holds(plan))
            {
                return plan;
            }
        }
    }

    public Task AnswerAsync(NodeRequest request, bool done, string text) =>
        SendAsync(new AgentMessage { RequestResult = new NodeRequestResult { Id = request.Id, Done = done, Text = text } });

    /// <summary>Goes away without a word, as a killed process does.</summary>
    public async ValueTask DisposeAsync()
    {
        _call.Dispose();
        await ((Task)_reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _channel.Dispose();
    }

    private async Task ReadAsync()
    {
        await foreach (var message in _call.ResponseStream.ReadAllAsync())
        {
            if (message.BodyCase == HubMessage.BodyOneofCase.Intent)
            {
                Intents.Enqueue(message.Intent);
                await (OnIntent?.Invoke(message.Intent) ?? Task.CompletedTask);
                await ObeyAsync(message.Intent);
            }
            else if (message.BodyCase == HubMessage.BodyOneofCase.Request)
            {
                Requests.Enqueue(message.Request);
            }
            else if (message.BodyCase == HubMessage.BodyOneofCase.JournalAck)
            {
                Acks.Enqueue(message.JournalAck);
            }

            _received.Writer.TryWrite(message);
        }
    }

    private async Task ObeyAsync(NodeIntent intent)
    {
        Action<NodeReport> change = _ => { };
        var result = new IntentResult { Revision = intent.Revision, SessionsUpdated = 4 };
        switch (Obedience)
        {
            case Obedience.IsDeaf:
                return;
            case Obedience.Rejects:
                result.Outcome = IntentResult.Types.Outcome.Rejected;
                result.Reason = "the disk is full";
                break;
            default:
                change = state => Apply(state, intent, KeepsFailback && Obedience != Obedience.ConfirmsAndKeepsItsPolicy);
                result.Outcome = Obedience != Obedience.AcceptsWithoutSession ? IntentResult.Types.Outcome.Applied : IntentResult.Types.Outcome.AcceptedNotAnnounced;
                break;
        }

        if (intent.TraceParent.Length > 0)
        {
            result.Times = new IntentTimes
            {
                TraceParent = intent.TraceParent,
                ReceivedUnixUs = (long)(DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalMicroseconds,
                StoredAfterUs = (ulong)ToTheDisk.TotalMicroseconds,
                AnsweredAfterUs = 3 * (ulong)ToTheDisk.TotalMicroseconds,
            };
        }

        await SendAsync(new AgentMessage { IntentResult = result });
        await ReportAsync(change);
    }

    /// <summary>What a node reports once it obeys the intent.</summary>
    public static void Apply(NodeReport state, NodeIntent intent, bool keepsFailback = false)
    {
        state.IntentRevision = intent.Revision;
        state.LocallyDrained &= !intent.LiftLocalDrain;
        state.Drained = intent.Drained || state.LocallyDrained;
        foreach (var prefix in state.Prefixes)
        {
            var wanted = intent.Prefixes.FirstOrDefault(p => p.Prefix == prefix.Prefix);
            var role = wanted?.Role ?? Role.Unspecified;
            prefix.AssignedRole = role;
            prefix.Announced = !state.Drained && role != Role.Unspecified;
            prefix.FailbackHold = wanted is { AtOnce: false, Role: Role.Primary, FailbackPolicy: not FailbackPolicy.Immediate } ? prefix.FailbackHold : null;
            prefix.ReportedRole = !prefix.Announced ? Role.Unspecified : prefix.FailbackHold is null ? role : Role.Secondary;
            if (keepsFailback)
            {
                prefix.FailbackPolicy = wanted?.FailbackPolicy ?? FailbackPolicy.Unspecified;
                prefix.StableSeconds = wanted?.StableSeconds ?? 0;
            }

            prefix.EstablishedSessionsCarrying = prefix.Announced ? 4u : 0;
            prefix.WithdrawnReason = prefix.Announced ? WithdrawnReason.Unspecified : state.Drained ? WithdrawnReason.Drained : WithdrawnReason.NotAssigned;
        }
    }
}
