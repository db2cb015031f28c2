using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.RouteServers;

/// <summary>GoBGP.</summary>
internal sealed partial class GoBgpRouteServer(Sandbox sandbox, int number, RouteServerOptions options) : RouteServer(sandbox, number, options)
{
    private const int Established = 6; // apipb.PeerState.SessionState

    private string ApiPort => (50050 + Number).ToString(CultureInfo.InvariantCulture);

    protected override async Task<SandboxProcess> SpawnAsync(bool recovers, CancellationToken cancellation)
    {
        await Sandbox.WriteAsync($"/run/{Name}.toml", Configuration(), cancellation);
        return Sandbox.Spawn(Name, Addresses.RouteServerNetwork, ["gobgpd", "-f", $"/run/{Name}.toml", "--api-hosts", $"127.0.0.1:{ApiPort}", "--pprof-disable", "-l", Options.ManyPrefixes ? "info" : "debug", .. recovers ? ["-r"] : Array.Empty<string>()]);
    }

    public override async Task<SeenSession> SessionAsync(string node, CancellationToken cancellation)
    {
        using var answer = JsonDocument.Parse(await GoBgpAsync(["neighbor", AddressOf(node), "-j"], cancellation));
        var state = answer.RootElement.GetProperty("state");
        var number = state.TryGetProperty("session_state", out var s) ? s.GetInt32() : 0;
        var since = answer.RootElement.TryGetProperty("timers", out var timers)
            && timers.TryGetProperty("state", out var timer)
            && timer.TryGetProperty("uptime", out var uptime)
            && uptime.TryGetProperty("seconds", out var seconds) ? seconds.GetInt64() : 0;
        var flops = state.TryGetProperty("flops", out var count) ? count.GetInt32() : 0;
        var notifications = await LogAsync(node, "received notification", cancellation);
        return new SeenSession(
            number == Established,
            $"since {since}, {flops} lost",
            notifications is not [.., var last]
                ? ""
                : $"{Text(last, "Code")}/{Text(last, "Subcode")} {Text(last, "Communicated-Reason")}");
    }

    public override async Task<SeenTraffic> TrafficAsync(string node, CancellationToken cancellation)
    {
        using var answer = JsonDocument.Parse(await DescribeAsync(node, cancellation));
        var received = answer.RootElement.GetProperty("state").GetProperty("messages").GetProperty("received");
        return new SeenTraffic(Number(answer.RootElement.GetProperty("timers").GetProperty("state"), "negotiated_hold_time"), Number(received, "update"));

        static int Number(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value.GetInt32() : 0;
    }

    public override Task<string> DescribeAsync(string node, CancellationToken cancellation) => GoBgpAsync(["neighbor", AddressOf(node), "-j"], cancellation);

    public override async Task RefreshAsync(string node, CancellationToken cancellation) => await GoBgpAsync(["neighbor", AddressOf(node), "softresetin"], cancellation);

    public override async Task ResetAsync(string node, CancellationToken cancellation) => await GoBgpAsync(["neighbor", AddressOf(node), "reset"], cancellation);

    public override async Task<IReadOnlyList<SeenRoute>> RoutesAsync(CancellationToken cancellation)
    {
        List<SeenRoute> routes = [];
        foreach (var family in (string[])["ipv4", "ipv6"])
        {
            var text = await GoBgpAsync(["global", "rib", "-a", family, "-j"], cancellation);
            using var table = JsonDocument.Parse(text);
            routes.AddRange(
                from prefix in table.RootElement.EnumerateObject()
                from path in prefix.Value.EnumerateArray()
                select Route(prefix.Name, path));
        }

        return routes;
    }

    // As JSON each route would have the whole list of prefixes that came with it in one UPDATE: of ten thousand routes some hundred megabytes.
    public override async Task<IEnumerable<(string Prefix, string Communities)>> PrefixesAsync(string node, CancellationToken cancellation)
    {
        if (!Options.ManyPrefixes)
        {
            return await base.PrefixesAsync(node, cancellation);
        }

        var tables = await GoBgpAsync(["global", "rib", "-a", "ipv4"], cancellation) + await GoBgpAsync(["global", "rib", "-a", "ipv6"], cancellation);
        return RouteLine().Matches(tables).Where(route => route.Groups[2].Value == AddressOf(node)).Select(route => (route.Groups[1].Value, route.Groups[3].Value));
    }

    public override async Task<int> WithdrawalsAsync(string node, CancellationToken cancellation) =>
        (await LogAsync(node, "received update", cancellation)).Sum(update =>
            update.GetProperty("withdrawals").GetArrayLength()
            + Attributes(update, "attributes", 15).Sum(unreachable =>
                unreachable.TryGetProperty("value", out var gone) && gone.ValueKind == JsonValueKind.Array ? gone.GetArrayLength() : 0));

    private SeenRoute Route(string prefix, JsonElement path) => new()
    {
        Prefix = prefix,
        From = NodeAt(path.GetProperty("neighbor-ip").GetString()!),
        Best = path.TryGetProperty("best", out var best) && best.GetBoolean(),
        Origin = Attributes(path, "attrs", 1).Single().GetProperty("value").GetInt32() switch { 0 => "igp", 1 => "egp", _ => "incomplete" },
        AsPath = string.Join(' ',
            from segment in Attributes(path, "attrs", 2).Single().GetProperty("as_paths").EnumerateArray()
            from number in segment.GetProperty("asns").EnumerateArray()
            select number.ToString()),
        // MP_REACH_NLRI, or NEXT_HOP for a classic IPv4 route.
        NextHop = string.Join(' ', Attributes(path, "attrs", 14).Concat(Attributes(path, "attrs", 3)).Select(a => Text(a, "nexthop"))),
        Communities = string.Join(' ',
            from attribute in Attributes(path, "attrs", 8)
            from community in attribute.GetProperty("communities").EnumerateArray()
            let value = community.GetUInt32()
            select $"{value >> 16}:{value & 0xffff}"),
        LargeCommunities = string.Join(' ',
            from attribute in Attributes(path, "attrs", 32)
            from community in attribute.GetProperty("value").EnumerateArray()
            select $"{Text(community, "ASN")}:{Text(community, "LocalData1")}:{Text(community, "LocalData2")}"),
    };

    private static IEnumerable<JsonElement> Attributes(JsonElement of, string list, int type) =>
        of.TryGetProperty(list, out var attributes) && attributes.ValueKind == JsonValueKind.Array
            ? attributes.EnumerateArray().Where(a => a.GetProperty("type").GetInt32() == type)
            : [];

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.ToString() : "";

    // Its log has one JSON object on a line; the last line may be half written.
    private async Task<IReadOnlyList<JsonElement>> LogAsync(string node, string message, CancellationToken cancellation)
    {
        List<JsonElement> found = [];
        var log = await Sandbox.ReadAsync($"/run/log/{Name}.log", cancellation);
        foreach (var line in log.Split('\n')[..^1].Where(l => l.Contains($"\"msg\":\"{message}\"", StringComparison.Ordinal)))
        {
            using var entry = JsonDocument.Parse(line);
            if (Text(entry.RootElement, "Key") == AddressOf(node))
            {
                found.Add(entry.RootElement.Clone());
            }
        }

        return found;
    }

    private Task<string> GoBgpAsync(IReadOnlyList<string> command, CancellationToken cancellation) =>
        AskAsync(["gobgp", "-u", "127.0.0.1", "-p", ApiPort, .. command], cancellation);

    private string Configuration()
    {
        var neighbors = string.Concat(Addresses.Nodes.Select(Neighbor));
        return $"""
            [global.config]
              as = 65000
              router-id = "{Identifier}"
              port = 179
              local-address-list = ["{Address}"]
            [global.apply-policy.config]
              import-policy-list = ["preferring"]
              default-import-policy = "reject-route"
              default-export-policy = "reject-route"
            [[defined-sets.bgp-defined-sets.community-sets]]
              community-set-name = "primary"
              community-list = ["{Addresses.Primary}"]
            [[defined-sets.bgp-defined-sets.community-sets]]
              community-set-name = "secondary"
              community-list = ["{Addresses.Secondary}"]
            [[policy-definitions]]
              name = "preferring"
            {Preference("primary", 200)}
            {Preference("secondary", 100)}
            {neighbors}
            """;
    }

    private static string Preference(string communities, int preference) =>
        $"""
          [[policy-definitions.statements]]
            name = "{communities}"
            [policy-definitions.statements.conditions.bgp-conditions.match-community-set]
              community-set = "{communities}"
            [policy-definitions.statements.actions]
              route-disposition = "accept-route"
            [policy-definitions.statements.actions.bgp-actions]
              set-local-pref = {preference}
        """;

    // idle-hold-time-after-reset: by default GoBGP refuses a node whose session was reset for 30 s.
    private string Neighbor(string node)
    {
        string[] lines =
        [
            "[[neighbors]]",
            "[neighbors.config]",
            $"neighbor-address = \"{AddressOf(node)}\"",
            "peer-as = 65001",
            .. Options.Password is { } password ? [$"auth-password = \"{password}\""] : Array.Empty<string>(),
            "[neighbors.timers.config]",
            "idle-hold-time-after-reset = 1",
            .. Options.HoldTime is { } hold ? [$"hold-time = {hold}", $"keepalive-interval = {Math.Max(1, hold / 3)}"] : Array.Empty<string>(),
            .. Options.TtlSecurity is { } hops
                ? ["[neighbors.ttl-security.config]", "enabled = true", $"ttl-min = {256 - hops}"]
                : (string[])["[neighbors.ebgp-multihop.config]", "enabled = true", "multihop-ttl = 16"],
            "[neighbors.transport.config]",
            "passive-mode = true",
            $"local-address = \"{Address}\"",
            .. Options.GracefulRestart
                ? ["[neighbors.graceful-restart.config]", "enabled = true", "restart-time = 120", "notification-enabled = true"]
                : Array.Empty<string>(),
            .. Family("ipv4-unicast"),
            .. Family("ipv6-unicast"),
        ];
        return string.Join('\n', lines) + "\n";
    }

    private string[] Family(string name) =>
    [
        "[[neighbors.afi-safis]]",
        "[neighbors.afi-safis.config]",
        $"afi-safi-name = \"{name}\"",
        .. Options.GracefulRestart ? ["[neighbors.afi-safis.mp-graceful-restart.config]", "enabled = true"] : Array.Empty<string>(),
    ];

    [GeneratedRegex(@"^\*\S* +(\S+/\d+) +(\S+) .*\{Communities: ([^}]*)\}", RegexOptions.Multiline)]
    private static partial Regex RouteLine();
}
