using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Checks.Probes;
using FailoverHub.Agent.Vantage.Echoes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Vantage;

/// <summary>
/// Asks over the network: ICMP over one socket for each family, TCP and HTTP over a connection for each probe. What this node cannot ask is never told as an address that is silent.
/// </summary>
/// <param name="standing">Where an address is; also of the node's own shared ones.</param>
/// <param name="open">Opens an ICMP socket, or says why there is none.</param>
/// <param name="names">Looks names up.</param>
/// <param name="time">For round trips and timeouts.</param>
/// <param name="logger">For what has to be put right on this machine.</param>
internal sealed partial class TargetAsking(
    Func<IPAddress, AddressStanding> standing,
    Func<AddressFamily, (IcmpSocket? Socket, string? Problem)> open,
    NameLookup names,
    TimeProvider time,
    ILogger<TargetAsking> logger) : ITargetAsking
{
    /// <summary>An ICMP socket that could not be had is tried again after this.</summary>
    public static readonly TimeSpan OpenAgainAfter = TimeSpan.FromSeconds(10);

    /// <summary>Whether an address is this node's own is found out anew after this.</summary>
    public static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>For addresses that this node has itself.</summary>
    public const string OwnAddress = "this node has the address itself, so asking it from here says nothing about the network; ask it from another node";

    private const string NoRoute = "this node has no route to it; see 'ip route get' there";
    private const string NoDescriptor = "this node has no file descriptor left; raise LimitNOFILE of its agent";

    private readonly Dictionary<IPAddress, Look> _looks = [];
    private readonly List<Opening> _openings = [];
    private string? _said;

    public Task<ProbeOutcome> AskAsync(VantageTask task, CancellationToken cancellationToken) =>
        task.Way.Address is { } address && ProblemOf(StandingOf(address)) is { } problem ? Task.FromResult(ProbeOutcome.NotAsked(problem)) : task.Way switch
        {
            VantageWay.Icmp(var host) => EchoAsync(host, task.Timeout, cancellationToken),
            VantageWay.Tcp(var host, var port) => ConnectAsync(new IPEndPoint(host, port), task.Timeout, cancellationToken),
            VantageWay.Http(_, var page) => FetchAsync(page, task.Timeout, cancellationToken),
            _ => throw new InvalidOperationException($"No way to ask by {task.Way.GetType().Name}."),
        };

    public async Task ReleaseAsync()
    {
        foreach (var opening in _openings)
        {
            if (opening.Socket is { } socket)
            {
                await socket.DisposeAsync();
            }
        }

        _openings.Clear();
        _looks.Clear();
    }

    private static string? ProblemOf(AddressStanding standing) => standing switch
    {
        AddressStanding.Own => OwnAddress,
        AddressStanding.NoRoute => NoRoute,
        _ => null,
    };

    // Ten times a second is not too often to ask an address, but it is to ask the kernel whose it is.
    private AddressStanding StandingOf(IPAddress address)
    {
        if (!_looks.TryGetValue(address, out var known) || time.GetElapsedTime(known.At) >= LookAgainAfter)
        {
            if (_looks.Count >= 2 * PlanReading.MostTasks)
            {
                _looks.Clear();
            }

            _looks[address] = known = new Look(standing(address), time.GetTimestamp());
        }

        return known.Standing;
    }

    private async Task<ProbeOutcome> EchoAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var opening = SocketFor(address.AddressFamily);
        if (opening.Socket is not { } socket)
        {
            return ProbeOutcome.NotAsked(opening.Problem);
        }

        try
        {
            return await socket.AskAsync(address, timeout, cancellationToken);
        }
        catch (SocketException exception)
        {
            // What is said at the sending is said by this machine.
            return exception.SocketErrorCode is SocketError.HostUnreachable ? ProbeOutcome.Lost("it does not answer where its route leads to") : ProbeOutcome.NotAsked(NotSent(exception));
        }
    }

    private Opening SocketFor(AddressFamily family)
    {
        if (_openings.Find(opened => opened.Family == family) is { } known)
        {
            if (known.Socket is not null || time.GetElapsedTime(known.TriedAt) < OpenAgainAfter)
            {
                return known;
            }

            _openings.Remove(known);
        }

        var (socket, problem) = open(family);
        var opening = new Opening(family, socket, $"this node may not open an ICMP socket ({problem}); widen net.ipv4.ping_group_range to the group of its agent, or give the agent CAP_NET_RAW (packaging/probing.conf)", time.GetTimestamp());
        if (socket is null && _said != opening.Problem)
        {
            _said = opening.Problem;
            NoSocket(logger, opening.Problem);
        }

        _openings.Add(opening);
        return opening;
    }

    private async Task<ProbeOutcome> ConnectAsync(IPEndPoint to, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(timeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var began = time.GetTimestamp();
        var atOnce = true;
        try
        {
            using var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            var connecting = socket.ConnectAsync(to, over.Token);
            atOnce = connecting.IsCompleted;
            await connecting;
            return ProbeOutcome.Answered(time.GetElapsedTime(began));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ProbeOutcome.Lost("");
        }
        catch (SocketException exception)
        {
            return atOnce && ProblemOfSending(exception) is { } problem ? ProbeOutcome.NotAsked(problem) : ProbeOutcome.Lost(TcpProbe.Words(exception));
        }
    }

    // What connect(2) says at once it says before anybody could have answered; only a closed port of this machine itself is refused as soon.
    private static string? ProblemOfSending(SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.TooManyOpenSockets => NoDescriptor,
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.AccessDenied or SocketError.NoBufferSpaceAvailable or SocketError.AddressNotAvailable => NotSent(exception),
        _ => null,
    };

    private static string NotSent(SocketException exception) => $"this node could not send to it: {TcpProbe.Words(exception)}; see its routes and its firewall";

    private async Task<ProbeOutcome> FetchAsync(ProbeOptions.Http page, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(timeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        string? problem = null;
        using var probe = new HttpProbe(page, time, page.ConnectTo is null ? ConnectToNameAsync : ConnectToAddressAsync);
        var began = time.GetTimestamp();
        try
        {
            var result = await probe.RunAsync(over.Token);
            return problem is not null ? ProbeOutcome.NotAsked(problem) : result.Good ? ProbeOutcome.Answered(time.GetElapsedTime(began)) : ProbeOutcome.Lost(result.Text);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ProbeOutcome.Lost("");
        }

        // Whoever owns a name decides what it leads to: it must not lead to where an address would not be asked.
        async Task<Socket> ConnectToNameAsync(string name, int port, CancellationToken stop)
        {
            List<IPAddress> asked = [];
            foreach (var address in await names.FindAsync(name, stop))
            {
                if ((AskableAddress.ProblemOf(address) ?? ProblemOf(standing(address))) is { } refused)
                {
                    problem = $"{name} leads to {address}: {refused}";
                }
                else
                {
                    asked.Add(address);
                }
            }

            if (asked.Count == 0)
            {
                throw new IOException(problem ?? "its name leads nowhere");
            }

            return await ConnectToFirstAsync(asked, port, stop);
        }

        Task<Socket> ConnectToAddressAsync(string address, int port, CancellationToken stop) => ConnectToFirstAsync([IPAddress.Parse(address)], port, stop);

        async Task<Socket> ConnectToFirstAsync(List<IPAddress> addresses, int port, CancellationToken stop)
        {
            problem = null;
            for (var i = 0; ; i++)
            {
                Socket? socket = null;
                var atOnce = true;
                try
                {
                    socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                    var connecting = socket.ConnectAsync(new IPEndPoint(addresses[i], port), stop);
                    atOnce = connecting.IsCompleted;
                    await connecting;
                    problem = null;
                    return socket;
                }
                catch (Exception exception)
                {
                    socket?.Dispose();

                    // Only where no address of them could be sent to; the last one says why.
                    problem = exception is SocketException refused && atOnce && (i == 0 || problem is not null) ? ProblemOfSending(refused) : null;
                    if (i == addresses.Count - 1 || exception is not SocketException)
                    {
                        throw;
                    }
                }
            }
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Addresses that the hub wants pinged are not, {Problem}; what is announced does not depend on it")]
    private static partial void NoSocket(ILogger logger, string problem);

    private sealed record Look(AddressStanding Standing, long At);

    private sealed record Opening(AddressFamily Family, IcmpSocket? Socket, string Problem, long TriedAt);
}
