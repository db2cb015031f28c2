using System.Net;
using FailoverHub.Protos.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Hub;

/// <summary>A hub that does what a test says: a real gRPC server on loopback that keeps what agents send and sends what it is told to.</summary>
internal sealed class ScriptedHub : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ScriptedHub(WebApplication app, Signal<HubStream> streams)
    {
        _app = app;
        Streams = streams;
        Address = new Uri(app.Urls.Single());
    }

    public Uri Address { get; }

    /// <summary>Streams that agents have opened, oldest first.</summary>
    public Signal<HubStream> Streams { get; }

    /// <param name="port">0: any free one.</param>
    /// <param name="welcomes">False: never answers a Hello.</param>
    public static async Task<ScriptedHub> StartAsync(int port = 0, bool welcomes = true)
    {
        var streams = new Signal<HubStream>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new Service(streams, welcomes));
        var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new ScriptedHub(app, streams);
    }

    /// <summary>The first stream, or with a number one that was opened later, after its greeting.</summary>
    public async Task<HubStream> StreamAsync(int number = 1)
    {
        var stream = (await Streams.UntilAsync(streams => streams.Count >= number))[number - 1];
        await stream.Received.FirstAsync<AgentMessage>();
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in Streams.Seen)
        {
            stream.Close();
        }

        await _app.DisposeAsync();
    }

    internal sealed class Service(Signal<HubStream> streams, bool welcomes) : AgentLink.AgentLinkBase
    {
        public override async Task Connect(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
        {
            var stream = new HubStream(responseStream);
            streams.Add(stream);
            await stream.RunAsync(requestStream, welcomes, context.CancellationToken);
        }
    }
}

/// <summary>One agent's stream, seen from the hub.</summary>
internal sealed class HubStream(IServerStreamWriter<HubMessage> writer)
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The agent has ended its half of the stream as it should, not by breaking off.</summary>
    public bool EndedProperly { get; private set; }

    /// <summary>What the agent sent, in order.</summary>
    public Signal<AgentMessage> Received { get; } = new();

    public Task SendAsync(NodeIntent intent) => writer.WriteAsync(new HubMessage { Intent = intent });

    public Task SendAsync(HubMessage message) => writer.WriteAsync(message);

    public Task AcknowledgeAsync(JournalBatch batch) =>
        writer.WriteAsync(new HubMessage { JournalAck = new JournalAck { BootId = batch.BootId, Sequence = batch.Entries[^1].Sequence } });

    /// <summary>Ends the stream from the hub's side.</summary>
    public void Close() => _closed.TrySetResult();

    public async Task<NodeReport> ReportAsync(Func<NodeReport, bool> fits) =>
        (await Received.FirstAsync<AgentMessage>(message => message.Report is { } report && fits(report))).Report;

    public async Task<IntentResult> ResultAsync(ulong revision) =>
        (await Received.FirstAsync<AgentMessage>(message => message.IntentResult?.Revision == revision)).IntentResult;

    /// <summary>Acknowledges every batch as it comes until an entry fits; all entries up to then.</summary>
    public async Task<List<JournalEntry>> JournalUntilAsync(Func<JournalEntry, bool> fits)
    {
        var entries = new List<JournalEntry>();
        for (var batches = 1; ; batches++)
        {
            var seen = await Received.UntilAsync(messages => messages.Count(message => message.Journal is not null) >= batches);
            var batch = seen.Where(message => message.Journal is not null).ElementAt(batches - 1).Journal;
            entries.AddRange(batch.Entries);
            await AcknowledgeAsync(batch);
            if (batch.Entries.Any(fits))
            {
                return entries;
            }
        }
    }

    public async Task RunAsync(IAsyncStreamReader<AgentMessage> reader, bool welcomes, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = ReadAsync(reader, welcomes, end.Token);
        await Task.WhenAny(reading, _closed.Task);
        await end.CancelAsync();
        await reading;
    }

    private async Task ReadAsync(IAsyncStreamReader<AgentMessage> reader, bool welcomes, CancellationToken cancellationToken)
    {
        try
        {
            while (await reader.MoveNext(cancellationToken))
            {
                if (reader.Current.Hello is not null && welcomes)
                {
                    await writer.WriteAsync(new HubMessage { Welcome = new Welcome { HubVersion = "test", ReportIntervalMs = 200 } }, cancellationToken);
                }

                Received.Add(reader.Current);
            }

            EndedProperly = true;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or RpcException)
        {
            // The agent has gone, or the test ends.
        }
    }
}
