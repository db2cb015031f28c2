using System.Diagnostics;
using System.Net.Sockets;
using FailoverHub.Agent.Hub;
using FailoverHub.Bench.Lab;
using FailoverHub.Protos.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace FailoverHub.Bench.Load;

/// <summary>
/// What the hub sees of an agent: a connection of its own with its certificate, from an address of its own; Hello, a report each second, obedience. It returns with the back-off of the
/// real one. Everything that it costs is the bench's and not the hub's.
/// </summary>
internal sealed class SimulatedAgent(string url, string node, int number, Membership membership) : IDisposable
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);

    private readonly NodeReport _state = MakeState(Loopback.Prefix(number / 2), number % 2 == 0 ? Role.Primary : Role.Secondary);
    private readonly SemaphoreSlim _writing = new(1);
    private IClientStreamWriter<AgentMessage>? _wire;
    private ulong _sequence;

    public string Node => node;

    /// <summary>Reports written.</summary>
    public long Reports { get; private set; }

    /// <summary>Times that it was welcomed.</summary>
    public int Welcomes { get; private set; }

    /// <summary>When it was last.</summary>
    public long WelcomedAt { get; private set; }

    public bool IsConnected => _wire is not null;

    /// <summary>Called with each intent and the moment it came in.</summary>
    public Action<NodeIntent, long>? OnIntent { get; set; }

    /// <summary>Called with each acknowledgement and the moment it came in; the bare server sends one for each mark.</summary>
    public Action<JournalAck, long>? OnAcknowledgement { get; set; }

    /// <summary>How the nodes of a fleet are called.</summary>
    public static string NameOf(int number) => $"n{number / 2:00000}-{(number % 2 == 0 ? 'a' : 'b')}";

    /// <summary>Lives until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        // Not all in the same millisecond of each second, as no fleet does.
        var backoff = new HubBackoff(new Random(number), HubBackoff.Longest);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ConverseAsync(backoff, stop);
            }
            catch (Exception e) when (e is RpcException or IOException or HttpRequestException or SocketException or InvalidOperationException or OperationCanceledException)
            {
                _wire = null;
            }

            await WaitAsync(backoff.Next(), stop);
        }
    }

    public void Dispose()
    {
        _writing.Dispose();
        membership.Dispose();
    }

    private static async Task WaitAsync(TimeSpan time, CancellationToken stop)
    {
        try
        {
            await Pause.ForAsync(time, stop);
        }
        catch (OperationCanceledException)
        {
            // The bench ends.
        }
    }

    /// <summary>Says at once that one of its sessions has this error; null: it is not connected.</summary>
    public async Task<long?> MarkAsync(string mark)
    {
        if (_wire is not { } wire)
        {
            return null;
        }

        await _writing.WaitAsync();
        try
        {
            _state.Sessions[0].LastError = mark;
            var at = Stopwatch.GetTimestamp();
            await wire.WriteAsync(new AgentMessage { Report = Next() });
            return at;
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ConverseAsync(HubBackoff backoff, CancellationToken stop)
    {
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            ConnectCallback = Loopback.From(Loopback.Agent(number)),
            SslOptions = membership.Tls(),
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        using var channel = GrpcChannel.ForAddress(url, new GrpcChannelOptions { HttpHandler = handler });
        using var call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: stop);
        var hello = new Hello { Node = node, AgentVersion = "bench", BootId = $"bench-{number}", IntentRevision = _state.IntentRevision, DataCenter = "" };
        hello.Capabilities.AddRange(["journal", "failback"]);
        await call.RequestStream.WriteAsync(new AgentMessage { Hello = hello }, stop);
        if (!await call.ResponseStream.MoveNext(stop))
        {
            return;
        }

        Welcomes++;
        WelcomedAt = Stopwatch.GetTimestamp();
        backoff.Reset();
        _wire = call.RequestStream;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reporting = ReportAsync(call.RequestStream, ended.Token);
        try
        {
            while (await call.ResponseStream.MoveNext(stop))
            {
                if (call.ResponseStream.Current.JournalAck is { } acknowledged)
                {
                    OnAcknowledgement?.Invoke(acknowledged, Stopwatch.GetTimestamp());
                }
                else if (call.ResponseStream.Current.Intent is { } intent)
                {
                    OnIntent?.Invoke(intent, Stopwatch.GetTimestamp());
                    await ObeyAsync(call.RequestStream, intent);
                }
            }
        }
        finally
        {
            _wire = null;
            await ended.CancelAsync();
            await reporting;
        }
    }

    private async Task ReportAsync(IClientStreamWriter<AgentMessage> wire, CancellationToken stop)
    {
        try
        {
            await WriteAsync(wire, stop);
            await Pause.ForAsync(TimeSpan.FromMilliseconds(1 + (number * 977L % 1_000)), stop);
            using var timer = new PeriodicTimer(_every);
            do
            {
                await WriteAsync(wire, stop);
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or IOException or InvalidOperationException)
        {
            // The stream has ended; the reading side dials again.
        }
    }

    private async Task WriteAsync(IClientStreamWriter<AgentMessage> wire, CancellationToken stop)
    {
        await _writing.WaitAsync(stop);
        try
        {
            await wire.WriteAsync(new AgentMessage { Report = Next() }, stop);
            Reports++;
        }
        finally
        {
            _writing.Release();
        }
    }

    private NodeReport Next()
    {
        _state.Sequence = ++_sequence;
        _state.TakenAtUnixMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        foreach (var session in _state.Sessions)
        {
            session.MessagesReceived++;
            session.MessagesSent++;
        }

        return _state;
    }

    private async Task ObeyAsync(IClientStreamWriter<AgentMessage> wire, NodeIntent intent)
    {
        await _writing.WaitAsync();
        try
        {
            _state.IntentRevision = intent.Revision;
            _state.Drained = intent.Drained;
            var view = _state.Prefixes[0];
            var wanted = intent.Prefixes.FirstOrDefault(p => p.Prefix == view.Prefix)?.Role ?? view.AssignedRole;
            view.AssignedRole = wanted;
            view.Announced = !intent.Drained;
            view.ReportedRole = intent.Drained ? Role.Unspecified : wanted;
            view.WithdrawnReason = intent.Drained ? WithdrawnReason.Drained : WithdrawnReason.Unspecified;
            await wire.WriteAsync(new AgentMessage { IntentResult = new IntentResult { Revision = intent.Revision, Outcome = IntentResult.Types.Outcome.Applied, SessionsUpdated = 4 } });
            await wire.WriteAsync(new AgentMessage { Report = Next() });
        }
        finally
        {
            _writing.Release();
        }
    }

    private static NodeReport MakeState(string prefix, Role role)
    {
        var state = new NodeReport { Health = Health.Healthy };
        state.Prefixes.Add(new PrefixReport { Prefix = prefix, AssignedRole = role, ReportedRole = role, Announced = true, AddressPresent = true, EstablishedSessionsCarrying = 4, Health = Health.Healthy });
        for (var i = 1; i <= 4; i++)
        {
            state.Sessions.Add(new SessionReport { Neighbor = $"2600:3c0f:18:34::{i}", State = SessionState.Established, HoldTimeSeconds = 9 });
        }

        return state;
    }
}
