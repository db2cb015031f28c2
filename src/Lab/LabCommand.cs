using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using FailoverHub.Bgp.Messages;
using FailoverHub.Lab.Fabric;
using FailoverHub.Lab.Nodes;
using FailoverHub.Lab.RouteServers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FailoverHub.Lab;

/// <summary>The command line: strings end here.</summary>
internal static class LabCommand
{
    private static readonly Option<IPAddress[]> RouteServer = new("--route-server")
    {
        Description = "Address of a route server (repeatable)",
        HelpName = "ADDRESS",
        CustomParser = result => [.. result.Tokens.Select(token => ParseAddress(token.Value, result))],
        DefaultValueFactory = _ => [.. Enumerable.Range(1, 4).Select(host => new IPAddress([127, 34, 0, (byte)host]))],
    };

    private static readonly Option<TrialNode[]> Node = new("--node")
    {
        Description = "A node and its address (repeatable)",
        HelpName = "NAME=ADDRESS",
        CustomParser = result => [.. result.Tokens.Select(token => ParseNode(token.Value, result)).OfType<TrialNode>()],
        DefaultValueFactory = _ => [new TrialNode("node-a", new IPAddress([127, 0, 0, 11])), new TrialNode("node-b", new IPAddress([127, 0, 0, 12]))],
    };

    private static readonly Option<int> BgpPort = Port("--bgp-port", "Port of the route servers", 1790);
    private static readonly Option<int> HttpPort = Port("--http-port", "TCP port of the nodes' service, forwarded from shared addresses", 8080);
    private static readonly Option<int> UdpPort = Port("--udp-port", "UDP port of the nodes' echo, forwarded from shared addresses", 7777);
    private static readonly Option<uint> LocalAs = AsNumber("--as", "AS number of the route servers", 65000);
    private static readonly Option<uint> PeerAs = AsNumber("--peer-as", "AS number that nodes must have", 65001);

    private static readonly Option<ushort> HoldSeconds = new("--hold-time")
    {
        Description = "Hold time that the route servers offer, in seconds (0 or 3 to 65535)",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 9,
    };

    private static readonly Option<FileInfo?> State = new("--state")
    {
        Description = "File to keep equal to what the route servers know and where each address goes (JSON)",
        HelpName = "FILE",
    };

    public static RootCommand Create()
    {
        HoldSeconds.Validators.Add(result =>
        {
            if (!HoldTime.IsAcceptable(result.GetValueOrDefault<ushort>()))
            {
                result.AddError("--hold-time is 0 or at least 3 seconds.");
            }
        });
        foreach (var port in (Option<int>[])[BgpPort, HttpPort, UdpPort])
        {
            port.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<int>() is < 1 or > IPEndPoint.MaxPort)
                {
                    result.AddError($"{port.Name} is 1 to {IPEndPoint.MaxPort}.");
                }
            });
        }

        var run = new Command("run", "Runs the trial data center until Ctrl-C or SIGTERM")
        {
            RouteServer, Node, BgpPort, HttpPort, UdpPort, LocalAs, PeerAs, HoldSeconds, State,
        };
        run.SetAction((parsed, stop) => RunAsync(ReadOptions(parsed), stop));
        var version = new Command("version", "Prints the version");
        version.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(
            typeof(LabCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion));
        return new RootCommand("A data center to try FailoverHub in: route servers, nodes that answer, and a fabric that forwards shared addresses to the node with the best route. IPv4 loopback only, no root.")
        {
            run, version,
        };
    }

    private static LabOptions ReadOptions(ParseResult parsed) => new()
    {
        RouteServers = [.. parsed.GetRequiredValue(RouteServer).Select(address => new IPEndPoint(address, parsed.GetValue(BgpPort)))],
        Bgp = new RouteServerSettings(parsed.GetValue(LocalAs), parsed.GetValue(PeerAs), new HoldTime(parsed.GetValue(HoldSeconds))),
        Nodes = [.. parsed.GetRequiredValue(Node)],
        Ports = new FabricPorts(parsed.GetValue(HttpPort), parsed.GetValue(UdpPort)),
        StatePath = parsed.GetValue(State)?.FullName,
    };

    private static async Task<int> RunAsync(LabOptions options, CancellationToken stop)
    {
        using var logging = LoggerFactory.Create(builder => builder.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        }));
        var logger = logging.CreateLogger("lab");
        await using var dataCenter = new TrialDataCenter(options, [], TimeProvider.System, logger);
        try
        {
            await dataCenter.StartAsync(stop);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            await Console.Error.WriteLineAsync($"failoverhub-lab: cannot start: {error.Message} Is another trial data center running, or is a port of --bgp-port, --http-port or --udp-port in use?");
            return 1;
        }

        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, stop);
        if (await Task.WhenAny(stopped, dataCenter.Completion) == stopped)
        {
            return 0;
        }

        try
        {
            await dataCenter.Completion;
        }
        catch (Exception bug)
        {
            logger.LoopFailed("A loop", bug);
        }

        return 1;
    }

    private static Option<int> Port(string name, string description, int value) => new(name)
    {
        Description = description,
        HelpName = "PORT",
        DefaultValueFactory = _ => value,
    };

    private static Option<uint> AsNumber(string name, string description, uint value) => new(name)
    {
        Description = description,
        HelpName = "AS",
        DefaultValueFactory = _ => value,
    };

    private static IPAddress ParseAddress(string text, ArgumentResult result)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            return address;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"'{text}' is not an IP address."));
        return IPAddress.None;
    }

    private static TrialNode? ParseNode(string text, ArgumentResult result)
    {
        var separator = text.IndexOf('=', StringComparison.Ordinal);
        if (separator > 0 && IPAddress.TryParse(text[(separator + 1)..], out var address))
        {
            return new TrialNode(text[..separator], address);
        }

        result.AddError($"'{text}' is not NAME=ADDRESS.");
        return null;
    }
}
