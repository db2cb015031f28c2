using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses.Managed;
using FailoverHub.Agent.Addresses.Netlink;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Addresses;

/// <summary>Everything about the addresses of this node, put together: read at the start, then watched. Belongs to the start, and after that to its own task.</summary>
internal sealed partial class NodeAddresses
{
    // Making an interface, adding to it, and one more because something else happened meanwhile.
    private const int MostAttempts = 3;

    private static readonly TimeSpan _watchAgain = TimeSpan.FromSeconds(5);

    // With interfaces beside loopback, which address is the node's own may depend on a route, and routes are not watched: a big router would wake us all the time.
    private static readonly TimeSpan _routesMayHaveChanged = TimeSpan.FromMinutes(10);

    private readonly HostAddresses _host = new();
    private volatile AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeAddresses> _logger;
    private readonly ILogger<AddressWatcher> _watcherLogger;
    private readonly AddressKeeper? _keeper;
    private AddressWatcher? _watcher;
    private ImmutableHashSet<IPNetwork> _known = [];
    private readonly HashSet<IPNetwork> _refused = [];

    // Of intents and of the metadata service, also what they said earlier: what they no longer name stays on the interface until the agent stops.
    private ImmutableHashSet<IPNetwork> _assigned = [];

    /// <param name="options">As they were read; <see cref="Configure"/> gives others.</param>
    /// <param name="stateDirectory">Where the addresses that the agent adds are remembered.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logging">Its logs.</param>
    public NodeAddresses(AgentOptions options, string stateDirectory, TimeProvider time, ILoggerFactory logging)
    {
        _keeper = options.Addresses.Mode == AddressMode.Managed
            ? new AddressKeeper(options.Addresses.Device, new NetlinkWriter(), OwnAddressStore.In(stateDirectory), time, logging.CreateLogger<AddressKeeper>())
            : null;
        _options = options;
        _time = time;
        _logger = logging.CreateLogger<NodeAddresses>();
        _watcherLogger = logging.CreateLogger<AddressWatcher>();
    }

    /// <summary>Reads them for the first time, after adding what is missing if that is the agent's part. What cannot be read is not there.</summary>
    /// <param name="memory">What the node was told before it was started.</param>
    public (IReadOnlyList<InterfaceAddress> All, ImmutableHashSet<IPNetwork> Shared) ReadFirst(NodeMemory memory)
    {
        // Those of an intent that cannot be read are not known: so what is the agent's own stays.
        _assigned = [.. memory.Intent?.Prefixes.Select(entry => entry.Prefix) ?? [], .. memory.Shared, .. memory.IntentIsLost ? _keeper?.Own.Select(PrefixOf) ?? [] : []];
        try
        {
            (var all, _known) = Read();
            return (all, _known);
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            CannotRead(_logger, exception.Message);
            return ([], []);
        }
    }

    /// <summary>What is on the interface only because the agent has put it there. Of the last look.</summary>
    public ImmutableHashSet<IPNetwork> Own => _keeper is null ? [] : [.. _keeper.Own.Select(PrefixOf)];

    /// <summary>Watches them until it is cancelled, and takes off then what the agent has added: so it is cancelled when nothing is announced any more. The watcher handles what it expects; after anything else it begins again with what the node knows.</summary>
    /// <param name="loop">Is told of changes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(NodeLoop loop, CancellationToken cancellationToken)
    {
        try
        {
            await WatchAsync(loop, cancellationToken);
        }
        finally
        {
            TakeOffAll();
        }
    }

    private async Task WatchAsync(NodeLoop loop, CancellationToken cancellationToken)
    {
        var watcher = new AddressWatcher(Look, () => NetlinkEvents.Open(() => _host.Table), loop.PostAsync, _time, _watcherLogger)
        {
            LookAnyway = () => _keeper?.LookAgain ?? (AgentSettings.DependOnRoutes(_options) ? _routesMayHaveChanged : null),
        };
        Volatile.Write(ref _watcher, watcher);
        if (_keeper is not null)
        {
            loop.Changed += () => Assign(loop.Current);
            _keeper.MayBeAnnounced = prefix => loop.Current.MayBeAnnounced(prefix);
            Assign(loop.Current);
        }

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

    // On the node's loop.
    private void Assign(NodeState node)
    {
        var assigned = _assigned;
        if (node.Intent?.Prefixes.All(entry => assigned.Contains(entry.Prefix)) == false || node.Instance?.Shared.All(assigned.Contains) == false)
        {
            Volatile.Write(ref _assigned, assigned.Union(node.Intent?.Prefixes.Select(entry => entry.Prefix) ?? []).Union(node.Instance?.Shared ?? []));
            Volatile.Read(ref _watcher)?.LookNow();
        }
    }

    private PrefixReading Look()
    {
        var (_, shared) = Read();
        return new PrefixReading(shared, _host.Table!.IsCertain, _keeper?.Trouble) { Own = Own };
    }

    private (IReadOnlyList<InterfaceAddress> All, ImmutableHashSet<IPNetwork> Shared) Read()
    {
        var (all, shared) = ReadOnce();
        for (var attempt = 0; attempt < MostAttempts && _keeper is not null && _host.Table!.IsCertain; attempt++)
        {
            var wanted = Volatile.Read(ref _assigned).Union(_options.Announce.Select(given => given.Prefix)).Where(IsNobodyElses).ToImmutableHashSet();
            if (!_keeper.Keep(_host.Table, wanted, shared))
            {
                break;
            }

            (all, shared) = ReadOnce();
        }

        return (all, shared);
    }

    // Whoever names an address for this node, a hub or the metadata service, must not be able to put that of a route server on our own interface: the kernel would
    // keep what is meant for it, and every session would end.
    private bool IsNobodyElses(IPNetwork prefix)
    {
        var hub = _options.Hub is { } url && IPAddress.TryParse(url.DnsSafeHost, out var address) ? address : null;
        var others = _options.Neighbors.Select(neighbor => neighbor.Address).Concat(new[] { _options.LocalIpv4, _options.LocalIpv6, hub }.OfType<IPAddress>());
        if (others.FirstOrDefault(prefix.Contains) is not { } taken)
        {
            return true;
        }

        if (_refused.Add(prefix))
        {
            NotOurs(_logger, prefix, taken);
        }

        return false;
    }

    private (IReadOnlyList<InterfaceAddress> All, ImmutableHashSet<IPNetwork> Shared) ReadOnce()
    {
        var all = _host.Read();
        var rules = AgentSettings.Addresses(_options) with { PutHere = Own };
        return (all, AddressRules.Find(_keeper is null ? all : [.. all.Where(address => !_keeper.IsLeaving(address))], rules));
    }

    private void TakeOffAll()
    {
        if (_keeper is null)
        {
            return;
        }

        try
        {
            _host.Read();
            _keeper.TakeOffAll(_host.Table!);
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            CannotRead(_logger, exception.Message);
        }
    }

    private static IPNetwork PrefixOf(SharedAddress address) => SharedPrefix.Of(address.Address, address.Length);

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The addresses of the interfaces cannot be read: {Problem}")]
    private static partial void CannotRead(ILogger logger, string problem);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "{Prefix} is not put on an interface: {Taken} is in it, which this node has to reach or is itself")]
    private static partial void NotOurs(ILogger logger, IPNetwork prefix, IPAddress taken);

    [LoggerMessage(EventId = 2, Level = LogLevel.Critical, Message = "The watching of the interfaces broke on an internal error; what is announced stays, it begins again")]
    private static partial void WatchingBroke(ILogger logger, Exception exception);
}
