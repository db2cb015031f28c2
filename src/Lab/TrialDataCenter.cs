using FailoverHub.Lab.Fabric;
using FailoverHub.Lab.Nodes;
using FailoverHub.Lab.Routes;
using FailoverHub.Lab.RouteServers;
using FailoverHub.Lab.State;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab;

/// <summary>
/// The whole trial data center. Tasks: an accept loop per route server and one per connection post to the routing loop; that owns the tables and
/// tells fabric, state file and log; the fabric's relays and the nodes' services have tasks of their own. All end in <see cref="DisposeAsync"/>.
/// </summary>
internal sealed class TrialDataCenter : IAsyncDisposable
{
    private readonly LabOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly NodeNames _names;
    private readonly ForwardingFabric _fabric;
    private readonly RoutingLoop _routing;
    private readonly StateFile? _stateFile;
    private readonly List<RouteServer> _servers = [];
    private readonly List<NodeEchoService> _echoes = [];
    private NodeWebService? _web;
    private bool _isUp;
    private Task _routingRun = Task.CompletedTask;
    private Task _stateRun = Task.CompletedTask;

    /// <param name="options">What it is to be.</param>
    /// <param name="observers">Hear of every change after fabric, log and state file.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The one log.</param>
    public TrialDataCenter(LabOptions options, IEnumerable<IRoutingObserver> observers, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _names = new NodeNames(options.Nodes);
        _fabric = new ForwardingFabric(options.Ports, time, logger);
        var initial = RoutingState.Of(options.RouteServers.Select(server => server.Address));
        _stateFile = options.StatePath is null ? null : new StateFile(options.StatePath, initial, _names, time, logger);
        IEnumerable<IRoutingObserver> own = _stateFile is null
            ? [_fabric, new TransitionLog(_names, logger)]
            : [_fabric, new TransitionLog(_names, logger), _stateFile];
        _routing = new RoutingLoop(initial, own.Concat(observers), time);
    }

    /// <summary>Takes every port and serves.</summary>
    /// <exception cref="IOException">An HTTP port is taken.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">Another port is taken.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _routingRun = _routing.RunAsync();
        _stateRun = _stateFile?.RunAsync() ?? Task.CompletedTask;
        var services = new RouteServerServices(_routing.Events, _time, _logger);
        foreach (var endPoint in _options.RouteServers)
        {
            _servers.Add(new RouteServer(_servers.Count, endPoint, _options.Bgp, services));
        }

        foreach (var node in _options.Nodes)
        {
            _echoes.Add(new NodeEchoService(node, _options.Ports.Udp));
        }

        _web = new NodeWebService(_options.Nodes, _options.Ports.Tcp);
        await _web.StartAsync(cancellationToken);
        _servers.ForEach(server => server.Start());
        _isUp = true;
        _logger.DataCenterUp(
            _servers.Count,
            _options.Bgp.LocalAs,
            _servers.Count == 0 ? 0 : _servers[0].EndPoint.Port,
            string.Join(", ", _options.Nodes.Select(node => _names.Describe(node.Address))),
            _options.Ports.Tcp,
            _options.Ports.Udp);
    }

    /// <summary>Ends only with a bug in one of the loops, and then fails with it.</summary>
    public Task Completion =>
        Task.WhenAny([_routingRun, .. _servers.Select(server => server.Completion), .. _echoes.Select(echo => echo.Completion)]).Unwrap();

    /// <summary>Ceases to every node, then closes everything in the order in which things depend on each other.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isUp)
        {
            _logger.DataCenterStops();
        }

        await Task.WhenAll(_servers.Select(server => server.StopAsync("the trial data center stops")));
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _routing.Events.TryComplete();
        await _routingRun;
        _stateFile?.Complete();
        await _stateRun;
        await _fabric.DisposeAsync();
        foreach (var echo in _echoes)
        {
            await echo.DisposeAsync();
        }

        if (_web is not null)
        {
            await _web.DisposeAsync();
        }
    }
}
