using System.Net;
using System.Threading.Channels;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Protos.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Interop.Tests.Nodes;

/// <summary>
/// The hub as a node sees it, doing what a test says. It is served from the test process, but listens on the loopback of the node's network, so that the
/// agent is started just as it is in the trial: with http://127.0.0.1:5081.
/// </summary>
internal sealed class ScriptedHub : IAsyncDisposable
{
    public const string Url = "http://127.0.0.1:5081";

    private readonly Sandbox _sandbox;
    private readonly string _node;
    private readonly Lock _lock = new();
    private readonly List<Hello> _hellos = [];
    private readonly List<IntentResult> _results = [];
    private readonly List<(string Boot, JournalEntry Entry)> _journal = [];
    private readonly List<ProbeBatch> _batches = [];
    private WebApplication? _application;
    private Channel<HubMessage>? _toAgent;
    private NodeReport? _lastReport;
    private int _reported;

    public ScriptedHub(Sandbox sandbox, string node)
    {
        _sandbox = sandbox;
        _node = node;
    }

    /// <summary>How often an agent has said Hello, since this hub was made.</summary>
    public int Hellos => Locked(() => _hellos.Count);

    /// <summary>Starts to listen; again after <see cref="KillAsync"/>.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        // A killed process says no goodbye: open streams are cut at once.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(1));
        builder.Services.AddSingleton(this);
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = at => Native.BindIn(_sandbox.NamespaceFile(Addresses.NodeNetwork(_node)), (IPEndPoint)at));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 5081, listen => listen.Protocols = HttpProtocols.Http2));
        _application = builder.Build();
        _application.MapGrpcService<Link>();
        await _application.StartAsync(cancellation);
    }

    /// <summary>The newest revision that an agent has said it obeys; 0: none.</summary>
    public ulong Obeyed => Locked(() => _results.Where(r => r.Outcome != IntentResult.Types.Outcome.Rejected).Select(r => r.Revision).DefaultIfEmpty().Max());

    /// <summary>Every entry of the journal that came, in the order of their coming; each is acknowledged at once.</summary>
    public IReadOnlyList<(string Boot, JournalEntry Entry)> Journal => Locked(() => _journal.ToList());

    /// <summary>Of each start of the agent that has told something: its entries are there from the first to the last, and none with two contents.</summary>
    public void JournalHasNoGap() => Assert.All(
        Journal.GroupBy(told => told.Boot),
        boot =>
        {
            var entries = boot.Select(told => told.Entry).Distinct().OrderBy(entry => entry.Sequence).ToList();
            Assert.Equal(Enumerable.Range(1, entries.Count).Select(number => (ulong)number), entries.Select(entry => entry.Sequence));
            Assert.DoesNotContain(entries, entry => entry.Kind == "journal-overflow");
        });

    /// <summary>Sends an intent to the connected agent and does not wait.</summary>
    public ValueTask SendAsync(ulong revision, bool drained, IReadOnlyDictionary<string, Role> roles, CancellationToken cancellation, bool atOnce = false) =>
        Locked(() => _toAgent!).Writer.WriteAsync(Message(revision, drained, roles, atOnce), cancellation);

    /// <summary>The same, when an agent is connected; else nothing happens.</summary>
    public void TrySend(ulong revision, bool drained, IReadOnlyDictionary<string, Role> roles) =>
        _ = Locked(() => _toAgent)?.Writer.TryWrite(Message(revision, drained, roles, atOnce: false));

    /// <summary>Sends an intent to the connected agent and waits for its answer.</summary>
    public async Task<IntentResult> IntendAsync(ulong revision, bool drained, IReadOnlyDictionary<string, Role> roles, CancellationToken cancellation, bool atOnce = false)
    {
        await HelloAsync(1, cancellation);
        await SendAsync(revision, drained, roles, cancellation, atOnce);
        return (await Eventually.SeeAsync(
            $"the answer of node {_node} to intent {revision}", _ => Task.FromResult(Locked(() => _results.LastOrDefault(r => r.Revision == revision))), r => r is not null, cancellation))!;
    }

    /// <summary>Sends what the connected agent is to ask.</summary>
    public async Task PlanAsync(ProbePlan plan, CancellationToken cancellation)
    {
        await HelloAsync(1, cancellation);
        await Locked(() => _toAgent!).Writer.WriteAsync(new HubMessage { ProbePlan = plan }, cancellation);
    }

    /// <summary>How many batches of what it found have come.</summary>
    public int Batches => Locked(() => _batches.Count);

    /// <summary>Waits for one like this among those that came behind as many.</summary>
    public async Task<ProbeBatch> BatchAsync(string what, int behind, Func<ProbeBatch, bool> isIt, CancellationToken cancellation) =>
        (await Eventually.SeeAsync($"of node {_node} {what}", _ => Task.FromResult(Locked(() => _batches.Skip(behind).FirstOrDefault(isIt))), batch => batch is not null, cancellation))!;

    /// <summary>Waits until agents have said Hello this many times.</summary>
    /// <returns>The latest one.</returns>
    public async Task<Hello> HelloAsync(int times, CancellationToken cancellation)
    {
        await Eventually.SeeAsync($"Hello number {times} of node {_node}", _ => Task.FromResult(Hellos), count => count >= times, cancellation);
        return Locked(() => _hellos[^1]);
    }

    /// <summary>Waits for the newest report of an agent that has said Hello last or later.</summary>
    /// <param name="hello">Which Hello, from 1 on.</param>
    /// <param name="cancellation">Of the test.</param>
    public async Task<NodeReport> ReportOfAsync(int hello, CancellationToken cancellation) =>
        (await Eventually.SeeAsync($"a report of node {_node} after Hello number {hello}", _ => Task.FromResult(Locked(() => _reported >= hello ? _lastReport : null)), report => report is not null, cancellation))!;

    /// <summary>Waits for a report like this.</summary>
    public async Task<NodeReport> ReportAsync(string what, Func<NodeReport, bool> isIt, CancellationToken cancellation) =>
        (await Eventually.SeeAsync($"a report of node {_node} with {what}", _ => Task.FromResult(Locked(() => _lastReport)), r => r is not null && isIt(r), cancellation))!;

    /// <summary>Ends the hub without a word, as a killed process does: streams are cut, not completed.</summary>
    public async Task KillAsync()
    {
        if (_application is { } application)
        {
            _application = null;
            await application.StopAsync(CancellationToken.None);
            await application.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private static HubMessage Message(ulong revision, bool drained, IReadOnlyDictionary<string, Role> roles, bool atOnce)
    {
        var intent = new NodeIntent { Revision = revision, Drained = drained, OperationId = $"test-{revision}", Reason = "a test" };
        intent.Prefixes.AddRange(roles.Select(r => new PrefixIntent { Prefix = r.Key, Role = r.Value, AtOnce = atOnce }));
        return new HubMessage { Intent = intent };
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }

    private HubMessage? Answer(AgentMessage message, Channel<HubMessage> toAgent)
    {
        lock (_lock)
        {
            switch (message.BodyCase)
            {
                case AgentMessage.BodyOneofCase.Hello:
                    _hellos.Add(message.Hello);
                    _toAgent = toAgent;
                    return new HubMessage { Welcome = new Welcome { HubVersion = "scripted" } };
                case AgentMessage.BodyOneofCase.Report:
                    (_lastReport, _reported) = (message.Report, _hellos.Count);
                    return null;
                case AgentMessage.BodyOneofCase.Probes:
                    _batches.Add(message.Probes);
                    return null;
                case AgentMessage.BodyOneofCase.IntentResult:
                    _results.Add(message.IntentResult);
                    return null;
                case AgentMessage.BodyOneofCase.Journal when message.Journal.Entries.Count > 0:
                    _journal.AddRange(message.Journal.Entries.Select(entry => (message.Journal.BootId, entry)));
                    return new HubMessage { JournalAck = new JournalAck { BootId = message.Journal.BootId, Sequence = message.Journal.Entries[^1].Sequence } };
                default:
                    return null;
            }
        }
    }

    /// <summary>One stream of one agent.</summary>
    private sealed class Link(ScriptedHub hub) : AgentLink.AgentLinkBase
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
            catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
            {
                // The agent or the hub was killed: what these tests are about.
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
            catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
            {
                // As above.
            }
        }
    }
}
