using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>
/// A data center as the platform has it: four route servers (AS 65000) in one network, and nodes a and b in networks of their own, all on one
/// segment. Made anew for each test, in a <see cref="Sandbox"/>.
/// </summary>
internal sealed class DataCenter : IAsyncDisposable
{
    private DataCenter(Sandbox sandbox, DataCenterOptions options)
    {
        Sandbox = sandbox;
        Options = options;
        RouteServers = [.. Enumerable.Range(1, options.Count).Select(number => RouteServer.Of(options.Kind, sandbox, number, options.Servers))];
    }

    public Sandbox Sandbox { get; }

    public DataCenterOptions Options { get; }

    public IReadOnlyList<RouteServer> RouteServers { get; }

    /// <summary>Makes the networks, starts the daemons and waits until each of them answers.</summary>
    public static async Task<DataCenter> StartAsync(DataCenterOptions options, CancellationToken cancellation)
    {
        var sandbox = await Sandbox.StartAsync(cancellation);
        var center = new DataCenter(sandbox, options);
        try
        {
            await sandbox.ScriptAsync(Networks.Script(options), cancellation);
            foreach (var server in center.RouteServers)
            {
                await server.StartAsync(cancellation);
            }

            foreach (var server in center.RouteServers)
            {
                await server.ReadyAsync(cancellation);
            }

            return center;
        }
        catch
        {
            await center.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until every route server shows an established session with the node.</summary>
    /// <returns>What tells these sessions from later ones, in the order of the route servers.</returns>
    public async Task<IReadOnlyList<string>> EstablishedAsync(string node, CancellationToken cancellation)
    {
        List<string> identities = [];
        foreach (var server in RouteServers)
        {
            var session = await Eventually.SeeAsync(
                $"an established session of node {node} on {server.Name}", c => server.SessionAsync(node, c), s => s.Established, cancellation);
            identities.Add(session.Identity);
        }

        return identities;
    }

    /// <summary>What tells the present sessions of a node from earlier and later ones.</summary>
    public async Task<IReadOnlyList<string>> IdentitiesAsync(string node, CancellationToken cancellation)
    {
        List<string> identities = [];
        foreach (var server in RouteServers)
        {
            identities.Add((await server.SessionAsync(node, cancellation)).Identity);
        }

        return identities;
    }

    /// <summary>Number of prefixes that a node has withdrawn so far, over all route servers.</summary>
    public async Task<int> WithdrawalsAsync(string node, CancellationToken cancellation)
    {
        var sum = 0;
        foreach (var server in RouteServers)
        {
            sum += await server.WithdrawalsAsync(node, cancellation);
        }

        return sum;
    }

    /// <summary>Waits until every route server shows exactly these routes of a node.</summary>
    /// <param name="node">Whose routes.</param>
    /// <param name="wanted">Prefix and community; none: the node has no route there.</param>
    /// <param name="cancellation">Of the test.</param>
    public async Task SeeRoutesAsync(string node, IReadOnlyDictionary<string, string> wanted, CancellationToken cancellation)
    {
        foreach (var server in RouteServers)
        {
            await Eventually.SeeAsync(
                $"on {server.Name} from node {node} just {wanted.Count} routes: {Some(wanted.Select(w => $"{w.Key} {w.Value}"))}",
                async c => Difference(wanted, await server.PrefixesAsync(node, c)),
                difference => difference.Length == 0,
                cancellation);
        }
    }

    /// <summary>Waits until every route server has chosen this node for every one of these prefixes.</summary>
    public async Task SeeBestAsync(string node, IReadOnlyCollection<string> prefixes, CancellationToken cancellation)
    {
        foreach (var server in RouteServers)
        {
            await Eventually.SeeAsync(
                $"{server.Name} choosing node {node}",
                server.RoutesAsync,
                routes => prefixes.All(prefix => routes.Any(r => r.Best && r.Prefix == prefix && r.From == node)),
                cancellation);
        }
    }

    /// <summary>Nothing goes to or comes from the node any more, and nobody is told: its interface stays up.</summary>
    public Task CutAsync(string node, CancellationToken cancellation) =>
        Sandbox.ScriptAsync($"ip -n {Networks.Segment(Options)} link set port-{node} nomaster", cancellation);

    /// <summary>Undoes <see cref="CutAsync"/>.</summary>
    public Task MendAsync(string node, CancellationToken cancellation) =>
        Sandbox.ScriptAsync($"ip -n {Networks.Segment(Options)} link set port-{node} master lan", cancellation);

    /// <summary>Gives every core something else to do until the end of the test; it yields to other tests a little.</summary>
    public void KeepEveryCoreBusy()
    {
        for (var core = 0; core < Environment.ProcessorCount; core++)
        {
            Sandbox.Spawn($"busy-{core}", Addresses.NodeNetwork("a"), ["nice", "-n", "5", "sh", "-c", "while :; do :; done"]);
        }
    }

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();

    // Empty: the same. Else a sentence that is short even when ten thousand differ.
    private static string Difference(IReadOnlyDictionary<string, string> wanted, IEnumerable<(string Prefix, string Communities)> seen)
    {
        var routes = seen.ToList();
        var unwanted = routes.Where(r => !wanted.TryGetValue(r.Prefix, out var community) || community != r.Communities).Select(r => $"{r.Prefix} {r.Communities}").ToList();
        var missing = wanted.Keys.Except(routes.Select(r => r.Prefix)).ToList();
        return unwanted.Count + missing.Count == 0 && routes.Count == wanted.Count
            ? ""
            : $"{routes.Count} routes; {missing.Count} missing: {Some(missing)}; {unwanted.Count} not wanted: {Some(unwanted)}";
    }

    private static string Some(IEnumerable<string> words) => string.Join(", ", words.Take(5));
}
