using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses.Netlink;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Addresses;

/// <summary>Everything about the addresses of this node, put together: read at the start, then watched. Belongs to the start, and after that to its own task.</summary>
internal sealed partial class NodeAddresses
{
    private static readonly TimeSpan _watchAgain = TimeSpan.FromSeconds(5);

    // With all interfaces, which address is the node's own may depend on a route, and routes are not watched: a big router would wake us all the time.
    private static readonly TimeSpan _routesMayHaveChanged = TimeSpan.FromMinutes(10);

    private readonly HostAddresses _host = new();
    private volatile AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeAddresses> _logger;
    private readonly ILogger<AddressWatcher> _watcherLogger;
    private AddressWatcher? _watcher;
    private ImmutableHashSet<IPNetwork> _known = [];

    public NodeAddresses(AgentOptions options, TimeProvider time, ILoggerFactory logging)
    {
        _options = options;
        _time = time;
        _logger = logging.CreateLogger<NodeAddresses>();
        _watcherLogger = logging.CreateLogger<AddressWatcher>();
    }

    /// <summary>Reads them for the first time. What cannot be read is not there.</summary>
    public (IReadOnlyList<InterfaceAddress> All, ImmutableHashSet<IPNetwork> Shared) ReadFirst()
    {
        try
        {
            var all = _host.Read();
            return (all, _known = FindShared(all));
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            CannotRead(_logger, exception.Message);
            return ([], []);
        }
    }

    /// <summary>Watches them until it is cancelled. The watcher handles what it expects; after anything else it begins again with what the node knows.</summary>
    /// <param name="loop">Is told of changes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(NodeLoop loop, CancellationToken cancellationToken)
    {
        var watcher = new AddressWatcher(Look, () => NetlinkEvents.Open(() => _host.Table), loop.PostAsync, _time, _watcherLogger)
        {
            LookAnyway = () => _options.AllInterfaces ? _routesMayHaveChanged : null,
        };
        Volatile.Write(ref _watcher, watcher);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await watcher.RunAsync(_known, cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                WatchingBroke(_logger, exception);
                await Task.Delay(_watchAgain, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                _known = loop.Current.OnInterfaces;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // It was asked to end; what it could not post any more nobody needs.
                return;
            }
        }
    }

    /// <summary>What counts as a shared address is told by other options from now on. From any thread.</summary>
    public void Configure(AgentOptions options)
    {
        _options = options;
        Volatile.Read(ref _watcher)?.LookNow();
    }

    private PrefixReading Look()
    {
        var shared = FindShared(_host.Read());
        return new PrefixReading(shared, _host.Table!.IsCertain);
    }

    private ImmutableHashSet<IPNetwork> FindShared(IReadOnlyList<InterfaceAddress> addresses) => AddressRules.Find(addresses, AgentSettings.Addresses(_options));

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The addresses of the interfaces cannot be read: {Problem}")]
    private static partial void CannotRead(ILogger logger, string problem);

    [LoggerMessage(EventId = 2, Level = LogLevel.Critical, Message = "The watching of the interfaces broke on an internal error; what is announced stays, it begins again")]
    private static partial void WatchingBroke(ILogger logger, Exception exception);
}
