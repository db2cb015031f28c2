using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using FailoverHub.Bench.Lab;
using FailoverHub.Protos.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Bench.Subjects;

/// <summary>A hub for one agent, on the loopback of the agent's network: it takes everything and sends the intents of the bench.</summary>
internal sealed class BenchHub : IAsyncDisposable
{
    public const string Url = "http://127.0.0.1:5081";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<IntentResult>> _answers = new();
    private readonly uint _reportInterval;
    private WebApplication? _application;
    private TaskCompletionSource<Channel<HubMessage>> _agent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private BenchHub(uint reportInterval) => _reportInterval = reportInterval;

    /// <summary>Starts it.</summary>
    /// <param name="network">Of the agent.</param>
    /// <param name="reportInterval">Between reports while nothing changes; 0: the agent's own default of a second.</param>
    /// <param name="cancellation">Of the run.</param>
    public static async Task<BenchHub> StartAsync(NodeNetwork network, TimeSpan reportInterval, CancellationToken cancellation)
    {
        var listener = await network.InsideAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 5081));
            return socket;
        });
        var hub = new BenchHub((uint)reportInterval.TotalMilliseconds);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        builder.Services.AddSingleton(hub);
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = _ => listener);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 5081, listen => listen.Protocols = HttpProtocols.Http2));
        hub._application = builder.Build();
        hub._application.MapGrpcService<Link>();
        await hub._application.StartAsync(cancellation);
        return hub;
    }

    /// <summary>The agent is to be started anew: what the last one said counts no more.</summary>
    public void Forget()
    {
        _agent = new TaskCompletionSource<Channel<HubMessage>>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answers.Clear();
    }

    /// <summary>Waits until an agent has said Hello.</summary>
    public Task ConnectedAsync(CancellationToken cancellation) => _agent.Task.WaitAsync(_patience, cancellation);

    /// <summary>Sends an intent and waits for the answer that it is applied.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public async Task IntendAsync(NodeIntent intent, CancellationToken cancellation)
    {
        var toAgent = await _agent.Task.WaitAsync(_patience, cancellation);
        var answer = _answers.GetOrAdd(intent.Revision, _ => new TaskCompletionSource<IntentResult>(TaskCreationOptions.RunContinuationsAsynchronously));
        await toAgent.Writer.WriteAsync(new HubMessage { Intent = intent }, cancellation);
        var result = await answer.Task.WaitAsync(_patience, cancellation);
        if (result.Outcome != IntentResult.Types.Outcome.Applied)
        {
            throw new InvalidOperationException($"The agent answers intent {intent.Revision} with {result.Outcome}: {result.Reason}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is { } application)
        {
            await application.DisposeAsync();
        }
    }

    private HubMessage? Answer(AgentMessage message, Channel<HubMessage> toAgent)
    {
        switch (message.BodyCase)
        {
            case AgentMessage.BodyOneofCase.Hello:
                _agent.TrySetResult(toAgent);
                return new HubMessage { Welcome = new Welcome { HubVersion = "bench", ReportIntervalMs = _reportInterval } };
            case AgentMessage.BodyOneofCase.IntentResult:
                _answers.GetOrAdd(message.IntentResult.Revision, _ => new TaskCompletionSource<IntentResult>()).TrySetResult(message.IntentResult);
                return null;
            case AgentMessage.BodyOneofCase.Journal when message.Journal.Entries.Count > 0:
                return new HubMessage { JournalAck = new JournalAck { BootId = message.Journal.BootId, Sequence = message.Journal.Entries[^1].Sequence } };
            default:
                return null;
        }
    }

    private sealed class Link(BenchHub hub) : AgentLink.AgentLinkBase
    {
        public override async Task Connect(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
        {
            var toAgent = Channel.CreateUnbounded<HubMessage>();
            var writing = WriteAsync(toAgent.Reader, responseStream, context.CancellationToken);
            try
            {
                while (await requestStream.MoveNext(context.CancellationToken))
                {
                    if (hub.Answer(requestStream.Current, toAgent) is { } answer)
                    {
                        await toAgent.Writer.WriteAsync(answer, context.CancellationToken);
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or InvalidOperationException)
            {
                // The agent was killed: each measurement ends so.
            }
            finally
            {
                toAgent.Writer.TryComplete();
                await writing;
            }
        }

        private static async Task WriteAsync(ChannelReader<HubMessage> messages, IServerStreamWriter<HubMessage> stream, CancellationToken cancellation)
        {
            try
            {
                await foreach (var message in messages.ReadAllAsync(cancellation))
                {
                    await stream.WriteAsync(message, cancellation);
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or InvalidOperationException)
            {
                // As above.
            }
        }
    }
}
