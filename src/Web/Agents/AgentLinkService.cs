using System.Globalization;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Answering;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Telemetry.Traces;
using Google.Protobuf;
using Grpc.Core;

namespace FailoverHub.Web.Agents;

/// <summary>What every stream needs of the hub.</summary>
internal sealed record AgentLinkServices(FleetStore Fleet, HubWriter Writer, HistoryChanges History, EventLog Events, OperationTraces Traces, NodeComplaints Complaints, TimeProvider Time, IHostApplicationLifetime Lifetime)
{
    private long _lastStream;

    /// <summary>How fast the journal of each node is taken in.</summary>
    public JournalPaces Paces { get; } = new(Time);

    public long NextStreamId() => Interlocked.Increment(ref _lastStream);
}

/// <summary>
/// The agents' end of the hub: one call per agent, for as long as it lives. It parses, posts and answers; what anything means is decided
/// elsewhere. A stream that ends is posted at once.
/// </summary>
internal sealed partial class AgentLinkService(AgentLinkServices services, IdentityKeys keys, VantageStreams vantages, ILogger<AgentLinkService> logger) : AgentLink.AgentLinkBase
{
    /// <summary>An agent says who it is as soon as it is connected.</summary>
    private static readonly TimeSpan HelloWithin = TimeSpan.FromSeconds(10);

    private static readonly string TooMany = string.Create(CultureInfo.InvariantCulture, $"It sends more than {MessagePace.PerSecond} messages a second and is read more slowly; what is shown of it may be late.");

    private static readonly string HubVersion = typeof(AgentLinkService).Assembly.GetName().Version?.ToString(3) ?? "0";

    public override async Task Connect(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
    {
        try
        {
            await ServeAsync(requestStream, responseStream, context);
        }
        catch (InvalidProtocolBufferException)
        {
            const string Why = "What it sent is no message of this protocol.";
            services.Complaints.Note(Of(context), NodeFault.Malformed, Why);
            throw new RpcException(new Status(StatusCode.InvalidArgument, Why));
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.InvalidArgument)
        {
            services.Complaints.Note(Of(context), NodeFault.Malformed, refused.Status.Detail);
            throw;
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
        {
            services.Complaints.Note(Of(context), refused is UnreadException ? NodeFault.NeverReads : NodeFault.Oversized, refused.Status.Detail);
            throw;
        }
    }

    /// <summary>As the log calls whoever has called: the node that its certificate says, or from where it came.</summary>
    private static string Of(ServerCallContext context) => AgentGate.CallerOf(context)?.Node.Name ?? AgentGate.AddressOf(context)?.ToString() ?? "somebody";

    private async Task ServeAsync(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
    {
        using var stream = new AgentStream(services.NextStreamId(), HubVersion, services.Traces, context.CancellationToken);
        await using var stopping = services.Lifetime.ApplicationStopping.Register(() => stream.End(StatusCode.Unavailable, "The hub is stopping."));
        var hello = await ReadHelloAsync(requestStream, stream);
        StreamIdentity? identity = null;
        if (AgentGate.CallerOf(context) is { } caller)
        {
            // Who it is says the certificate; what it is called says the hub's table.
            identity = new StreamIdentity(caller.Node.NodeId, caller.Serial, caller.NotAfter);
            hello = hello with { Node = caller.Node.Name };
            if (hello.Capabilities.Contains(IdentityKeys.Capability))
            {
                stream.Grant = keys.GrantTo(caller.Node.NodeId);
            }
        }

        stream.Node = hello.Node;
        stream.Peers = PeersOf(hello.Node);
        var remote = AgentGate.EndPointOf(context);
        services.Fleet.Register(stream);
        var writing = Task.CompletedTask;
        var keeping = Task.CompletedTask;
        try
        {
            if (!await services.Fleet.PostAsync(new FleetMessage.StreamOpened(stream.Id, hello, remote) { Identity = identity }, stream.Ended))
            {
                stream.End(StatusCode.Unavailable, "The hub is stopping.");
            }

            await stream.AdmittedAsync();
            if (hello.Capabilities.Contains(VantageStreams.Capability))
            {
                stream.Vantage = vantages.Open(identity?.NodeId ?? hello.Node, hello.Node, plan => stream.Send(ProbeMapping.ToMessage(plan)));
            }

            writing = stream.WriteAllAsync(responseStream);
            var intake = new JournalIntake(services, stream, services.Paces.Of(identity?.NodeId ?? hello.Node), logger);
            keeping = intake.RunAsync();
            await ReadAllAsync(requestStream, stream, hello.Node, intake);
        }
        catch (Exception e) when (e is OperationCanceledException or (IOException and not InvalidProtocolBufferException) || (e is InvalidOperationException && stream.Ended.IsCancellationRequested))
        {
            // The connection broke, or the hub ended it: below. Anything else is a bug and is not swallowed.
            LogEnded(logger, hello.Node, stream.Why?.Status.Detail ?? "the connection broke");
        }
        finally
        {
            stream.End(StatusCode.OK, "");
            stream.Vantage?.Dispose();

            // When the hub itself goes nothing has happened to the node, and nobody is left to be shown anything.
            if (!services.Lifetime.ApplicationStopping.IsCancellationRequested)
            {
                await services.Fleet.PostAsync(new FleetMessage.StreamEnded(stream.Id, hello.Node), CancellationToken.None);
            }

            services.Fleet.Unregister(stream);
            await writing;
            await keeping;
        }

        if (stream.Why is { StatusCode: not StatusCode.OK } why)
        {
            if (why is UnreadException)
            {
                // What waits for it would stand in the connection's buffers for as long as it pleases, and the reason behind it: nobody reads that either.
                context.GetHttpContext().Abort();
            }

            throw why;
        }
    }

    // By what they reported last: a machine that has moved since says so with its next report, and the node hears of it with its next stream.
    private List<(string Node, string Host)> PeersOf(string node)
    {
        var facts = services.Fleet.State.Facts;
        return [.. (facts.PairOf(node)?.Members ?? []).Where(m => !m.Equals(node, StringComparison.OrdinalIgnoreCase)).Select(m => (Node: m, facts.Nodes.GetValueOrDefault(m)?.Report?.Host)).Where(p => p.Host is not null).Select(p => (p.Node, p.Host!))];
    }

    private async Task<AgentHello> ReadHelloAsync(IAsyncStreamReader<AgentMessage> requests, AgentStream stream)
    {
        using var late = new CancellationTokenSource(HelloWithin, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stream.Ended);
        try
        {
            if (await requests.MoveNext(either.Token) && requests.Current.BodyCase == AgentMessage.BodyOneofCase.Hello)
            {
                return Require(AgentMapping.Parse(requests.Current.Hello));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or (IOException and not InvalidProtocolBufferException))
        {
            throw stream.Why ?? new RpcException(new Status(StatusCode.DeadlineExceeded, $"No Hello came within {HelloWithin.TotalSeconds} s."));
        }

        throw new RpcException(new Status(StatusCode.InvalidArgument, "The first message of an agent is Hello."));
    }

    private async Task ReadAllAsync(IAsyncStreamReader<AgentMessage> requests, AgentStream stream, string node, JournalIntake intake)
    {
        var pace = new MessagePace(services.Time);
        while (await requests.MoveNext(stream.Ended))
        {
            if (pace.Next() is { Ticks: > 0 } wait)
            {
                services.Complaints.Note(node, NodeFault.Flood, TooMany);
                await Task.Delay(wait, services.Time, stream.Ended);
            }

            await services.Fleet.PostAsync(await UnderstandAsync(requests.Current, stream, node, intake), stream.Ended);
        }
    }

    private async Task<FleetMessage> UnderstandAsync(AgentMessage message, AgentStream stream, string node, JournalIntake intake)
    {
        switch (message.BodyCase)
        {
            case AgentMessage.BodyOneofCase.Report:
                return new FleetMessage.Reported(stream.Id, node, Require(AgentMapping.Parse(message.Report)));
            case AgentMessage.BodyOneofCase.IntentResult:
                var answer = Require(AgentMapping.Parse(message.IntentResult));
                services.Traces.Answered(node, answer, AgentMapping.TimesOf(message.IntentResult));
                return new FleetMessage.IntentAnswered(stream.Id, node, answer);
            case AgentMessage.BodyOneofCase.RequestResult:
                return new FleetMessage.RequestAnswered(stream.Id, node, Require(AgentMapping.Parse(message.RequestResult)));
            case AgentMessage.BodyOneofCase.Journal:
                await intake.PostAsync(Understand(message.Journal, stream, node));
                return new FleetMessage.Heard(stream.Id, node);
            case AgentMessage.BodyOneofCase.Probes:
                stream.Vantage?.Take(ProbeMapping.Parse(message.Probes));
                return new FleetMessage.Heard(stream.Id, node);
            case AgentMessage.BodyOneofCase.Hello:
                throw new RpcException(new Status(StatusCode.InvalidArgument, "Hello is sent once, first."));
            default:
                // Something that a newer agent knows and we do not.
                return new FleetMessage.Heard(stream.Id, node);
        }
    }

    private ReceivedJournal Understand(JournalBatch batch, AgentStream stream, string node)
    {
        var pair = services.Fleet.State.Facts.PairOf(node);
        var items = Require(AgentMapping.Parse(batch, node, pair?.Name, services.Time.GetUtcNow()));
        return new ReceivedJournal(new JournalSource(node, batch.BootId, stream.Journal) { PairId = pair?.Id }, [.. items]);
    }

    private static T Require<T>(Parsed<T> parsed)
        where T : class =>
        parsed.Value ?? throw new RpcException(new Status(StatusCode.InvalidArgument, parsed.Problem ?? "The message makes no sense."));

    [LoggerMessage(Level = LogLevel.Information, Message = "The stream of {Node} has ended: {Why}. What it announces is not known until it comes back")]
    private static partial void LogEnded(ILogger logger, string node, string why);
}
