using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Pages.Pairs;

/// <summary>How surely a line of the picture carries what it shows.</summary>
public enum Flow
{
    /// <summary>Up, as freshly reported or observed.</summary>
    Live,

    /// <summary>Down, as freshly reported or observed.</summary>
    Down,

    /// <summary>Nothing fresh is known of it.</summary>
    Unknown,
}

/// <summary>A rectangle of the picture.</summary>
/// <param name="X">Left.</param>
/// <param name="Y">Top.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
public readonly record struct Box(double X, double Y, double Width, double Height)
{
    /// <summary>Middle, from the left.</summary>
    public double MidX => X + (Width / 2);

    /// <summary>Middle, from the top.</summary>
    public double MidY => Y + (Height / 2);
}

/// <summary>A line: path data and what it carries.</summary>
/// <param name="Path">SVG path data.</param>
/// <param name="Flow">How it is drawn.</param>
public sealed record Line(string Path, Flow Flow);

/// <summary>A node's box.</summary>
/// <param name="Box">Where.</param>
/// <param name="Member">Which.</param>
/// <param name="IsActive">The address is routed to it.</param>
public sealed record NodeBox(Box Box, MemberView Member, bool IsActive);

/// <summary>
/// The picture of one pair's traffic: clients, route servers, nodes, and the path that packets take. Pure: from what is
/// known to coordinates.
/// </summary>
public sealed record TrafficDrawing
{
    private const double NodeWidth = 178;
    private const double NodeHeight = 74;

    /// <summary>Width of the view.</summary>
    public required double Width { get; init; }

    /// <summary>Height of the view.</summary>
    public required double Height { get; init; }

    /// <summary>Those who use the address.</summary>
    public required Box Clients { get; init; }

    /// <summary>The route servers together.</summary>
    public required Box Routers { get; init; }

    /// <summary>Each route server: where its dot is, and its address.</summary>
    public required ImmutableArray<(double X, double Y, string Neighbor)> Servers { get; init; }

    /// <summary>The nodes.</summary>
    public required ImmutableArray<NodeBox> Nodes { get; init; }

    /// <summary>BGP sessions: thin lines.</summary>
    public required ImmutableArray<Line> Sessions { get; init; }

    /// <summary>Where packets go: thick lines.</summary>
    public required ImmutableArray<Line> Routes { get; init; }

    /// <summary>The same in words.</summary>
    public required string Words { get; init; }

    /// <param name="pair">As it is now.</param>
    /// <param name="reachability">Whether the address answers; of several: the worst of them.</param>
    /// <param name="vertical">For narrow screens: from top to bottom.</param>
    /// <param name="answer">Which of several addresses answer, in words; null: the pair has one.</param>
    /// <returns>The picture.</returns>
    public static TrafficDrawing Of(PairView pair, ReachabilityState reachability, bool vertical, string? answer = null)
    {
        int count = Math.Max(1, pair.Members.Length);
        double across = vertical ? (count * 168) + ((count - 1) * 12) : (count * NodeHeight) + ((count - 1) * 34);
        double width = vertical ? Math.Max(across, 340) : 780;
        double height = vertical ? 392 : Math.Max(across + 24, 170);
        Box clients = vertical ? new((width / 2) - 84, 8, 168, 58) : new(8, (height / 2) - 33, 150, 66);
        Box routers = vertical ? new((width / 2) - 116, 138, 232, 62) : new(296, (height / 2) - 74, 104, 148);
        ImmutableArray<NodeBox> nodes =
        [
            .. pair.Members.Select((member, i) => new NodeBox(
                vertical
                    ? new(((width - across) / 2) + (i * 180), height - 88, 168, 80)
                    : new(width - NodeWidth - 8, ((height - across) / 2) + (i * (NodeHeight + 34)), NodeWidth, NodeHeight),
                member,
                member.Node.Name == pair.ActiveNode)),
        ];
        string[] neighbors = [.. pair.Members.SelectMany(member => member.Node.Sessions).Select(session => session.Neighbor).Distinct().Order(StringComparer.Ordinal).Take(8)];
        ImmutableArray<(double X, double Y, string Neighbor)> servers =
        [
            .. neighbors.Select((neighbor, i) => vertical
                ? (routers.X + (routers.Width * (i + 0.5) / neighbors.Length), routers.Y + 41, neighbor)
                : (routers.MidX, routers.Y + 30 + ((routers.Height - 30) * (i + 0.5) / neighbors.Length), neighbor)),
        ];
        return new()
        {
            Width = width,
            Height = height,
            Clients = clients,
            Routers = routers,
            Servers = servers,
            Nodes = nodes,
            Sessions = [.. nodes.SelectMany(node => servers.Select(server => SessionLine(node, server, vertical)).OfType<Line>())],
            Routes = RoutesOf(pair, reachability, nodes, clients, routers, vertical),
            Words = WordsOf(pair, reachability, answer),
        };
    }

    /// <summary>Whether packets get through, as far as is known.</summary>
    private static Flow FlowOf(PairView pair, ReachabilityState reachability) => reachability switch
    {
        ReachabilityState.Unreachable => Flow.Down,
        ReachabilityState.Reachable => Flow.Live,

        // Not probed: as good as the active node's own word.
        _ => pair.Members.Any(member => member.Node.Name == pair.ActiveNode && member.Node.IsFresh) ? Flow.Live : Flow.Unknown,
    };

    private static ImmutableArray<Line> RoutesOf(PairView pair, ReachabilityState reachability, ImmutableArray<NodeBox> nodes, Box clients, Box routers, bool vertical)
    {
        Flow flow = FlowOf(pair, reachability);
        string toRouters = vertical
            ? Curve(clients.MidX, clients.Y + clients.Height, routers.MidX, routers.Y, vertical)
            : Curve(clients.X + clients.Width, clients.MidY, routers.X, routers.MidY, vertical);
        var routes = ImmutableArray.CreateBuilder<Line>();
        routes.Add(new(toRouters, flow));
        foreach (NodeBox node in nodes.Where(node => node.IsActive || (pair.ActiveNode is null && pair.Members.Any(member => !member.Node.IsFresh))))
        {
            string path = vertical
                ? Curve(routers.MidX, routers.Y + routers.Height, node.Box.MidX, node.Box.Y, vertical)
                : Curve(routers.X + routers.Width, routers.MidY, node.Box.X, node.Box.MidY, vertical);
            routes.Add(new(path, node.IsActive ? flow : Flow.Unknown));
        }

        return routes.ToImmutable();
    }

    private static Line? SessionLine(NodeBox node, (double X, double Y, string Neighbor) server, bool vertical)
    {
        SessionView? session = node.Member.Node.Sessions.FirstOrDefault(session => session.Neighbor == server.Neighbor);
        if (session is null)
        {
            return null;
        }

        Flow flow = !node.Member.Node.IsFresh ? Flow.Unknown : session.State == BgpSessionState.Established ? Flow.Live : Flow.Down;
        string path = vertical
            ? Curve(server.X, server.Y + 5, node.Box.MidX, node.Box.Y, vertical)
            : Curve(server.X + 5, server.Y, node.Box.X, node.Box.MidY, vertical);
        return new(path, flow);
    }

    private static string Curve(double x1, double y1, double x2, double y2, bool vertical)
    {
        double midX = (x1 + x2) / 2;
        double midY = (y1 + y2) / 2;
        return vertical
            ? string.Create(CultureInfo.InvariantCulture, $"M{x1:0.#} {y1:0.#}C{x1:0.#} {midY:0.#} {x2:0.#} {midY:0.#} {x2:0.#} {y2:0.#}")
            : string.Create(CultureInfo.InvariantCulture, $"M{x1:0.#} {y1:0.#}C{midX:0.#} {y1:0.#} {midX:0.#} {y2:0.#} {x2:0.#} {y2:0.#}");
    }

    private static string WordsOf(PairView pair, ReachabilityState reachability, string? said)
    {
        string answer = said ?? reachability switch
        {
            ReachabilityState.Reachable => "The address answers.",
            ReachabilityState.Unreachable => "The address does not answer.",
            _ => "Whether the address answers is not known.",
        };
        string active = pair.ActiveNode is { } node ? $"Clients reach {node} through the route servers." : "Which node clients reach is not known.";
        string others = string.Join(" ", pair.Members.Where(member => !member.Node.IsFresh).Select(member => $"{member.Node.Name} is silent."));
        return $"{active} {answer} {others}".TrimEnd();
    }
}
