using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>A hub whose agents' port has TLS as in earnest, on a clock that stands still unless a test moves it.</summary>
[Trait("Kind", "Hub")]
public abstract class TlsHubTest : IAsyncLifetime
{
    private readonly List<IDisposable> _nodes = [];
    private readonly TemporaryFolder _folder = new();

    internal static readonly Actor Admin = new("admin", "192.0.2.7", null) { Rights = Rights.All };

    private protected LeapingTime Time { get; } = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));

    private protected HubUnderTest Hub { get; private set; } = null!;

    private protected string Folder => _folder.Path;

    private protected string Url => Hub.AgentUrl;

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Hub = await StartAsync();

    public async ValueTask DisposeAsync()
    {
        _nodes.ForEach(n => n.Dispose());
        await Hub.DisposeAsync();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What the hub of a test has otherwise than others.</summary>
    private protected virtual void Configure(IServiceCollection services)
    {
    }

    private protected virtual AgentsEndpoint Endpoint => AgentsEndpoint.Default;

    private protected Task<HubUnderTest> StartAsync() => HubUnderTest.StartAsync(_folder.Path, Time, Configure, Endpoint);

    private protected async Task RestartAsync()
    {
        await Hub.Writer.FlushAsync(Stop);
        await Hub.DisposeAsync();
        await StartAgainAsync();
    }

    /// <summary>After a test has ended the one before.</summary>
    private protected async Task StartAgainAsync() => Hub = await StartAsync();

    private protected async Task<string> TokenAsync(string? node = null, bool forExisting = false) =>
        (await Hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(node, forExisting, JoinTokens.DefaultLifetime), Admin, Stop)).Token!.ToString();

    private protected TestNode NewNode()
    {
        var node = new TestNode();
        _nodes.Add(node);
        return node;
    }

    /// <summary>A node that has joined.</summary>
    private protected async Task<TestNode> JoinedAsync(string name)
    {
        var node = NewNode();
        await node.JoinAsync(Url, await TokenAsync(), name);
        return node;
    }

    private protected async Task<IReadOnlyList<EventRecord>> EventsAsync(string kind)
    {
        await Hub.Writer.FlushAsync(Stop);
        return (await Hub.History.EventsAsync(new HistoryFilter { Kind = kind }, null, 50, Stop)).Items;
    }

    private protected async Task<IReadOnlyList<AuditEntry>> AuditAsync(string action) =>
        (await Hub.History.AuditAsync(new HistoryFilter { Kind = action }, null, 200, Stop)).Items;
}
